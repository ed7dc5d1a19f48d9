"""The build step that pyproject.toml cannot state: the Python modules of the .proto files."""

import runpy
from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build import build

_ROOT = Path(__file__).parent
# Run as a file: the packages need what this makes.
_GENERATOR = runpy.run_path(str(_ROOT / "rpc/generate.py"))


class BuildProto(Command):
    """Runs protoc: into the wheel, or into the source tree for an editable install."""

    description = "make the Python modules of the .proto files"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []

    def initialize_options(self) -> None:
        """Set what setuptools sets for every build step."""
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        """Take over the directory of the wheel's contents."""
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Generate the modules."""
        _GENERATOR["generate"](self._target())

    def get_source_files(self) -> list[str]:
        """What a source distribution needs for this step."""
        return [*_GENERATOR["SOURCES"], "rpc/generate.py"]

    def get_outputs(self) -> list[str]:
        """The files that `run` leaves."""
        return [str(self._target() / name) for name in _GENERATOR["GENERATED"]]

    def get_output_mapping(self) -> dict[str, str]:
        """Nothing is copied: the generated modules have no counterpart in the sources."""
        return {}

    def _target(self) -> Path:
        return _ROOT if self.editable_mode or self.build_lib is None else Path(self.build_lib)


build.sub_commands.append(("build_proto", None))
setup(cmdclass={"build_proto": BuildProto})
