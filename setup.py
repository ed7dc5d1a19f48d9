"""The build steps that pyproject.toml cannot state: the Python modules of the .proto files, and compiled modules.

With L7LB_COMPILE=1 in the environment, the modules that every connection and request goes through are compiled by
mypyc from the same sources. Where that fails, for want of a C compiler say, the build says so and goes on: the sources
are installed in any case, and run as they are. An editable install is never compiled, so that nobody runs old code.
"""

import os
import runpy
import sys
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

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


class BuildCompiled(build_ext):
    """Builds all of the compiled modules or none: each needs the library that holds the code of all."""

    def build_extensions(self) -> None:
        """Build them; if one fails, leave the sources alone."""
        try:
            super().build_extensions()
        except (BaseError, CCompilerError) as error:
            self.warn(f"no module is compiled: {error}")
            for extension in self.extensions:
                Path(self.get_ext_fullpath(extension.name)).unlink(missing_ok=True)
            self.extensions = []


_COMPILED = (
    "fastpath/ebpf/batch.py",
    "fastpath/ebpf/hashing.py",
    "fastpath/ebpf/index.py",
    "fastpath/ebpf/layout.py",
    "fastpath/ebpf/paths.py",
    "fastpath/ebpf/recordmemory.py",
    "fastpath/ebpf/recordnumbers.py",
    "fastpath/ebpf/splices.py",
    "fastpath/frame.py",
    "fastpath/records.py",
    "slowpath/wire/checksum.py",
    "slowpath/wire/four_tuple.py",
    "slowpath/wire/options.py",
    "slowpath/wire/sequence.py",
    "slowpath/wire/tcp.py",
    "slowpath/balancing/member.py",
    "slowpath/balancing/smooth.py",
    "slowpath/balancing/strategies.py",
    "slowpath/driver/arrivals.py",
    "slowpath/health/ejection.py",
    "slowpath/health/health.py",
    "slowpath/health/outliers.py",
    "slowpath/http/head.py",
    "slowpath/http/known_heads.py",
    "slowpath/limiting/*.py",
    "slowpath/routing/*.py",
    "slowpath/splicing/*.py",
    "slowpath/tcp/*.py",
)
_INTERPRETED = frozenset({"__init__.py", "path_errors.py", "quoting.py", "statistics.py"})
"""What is rare in there and indexes bytes with slices that are kept, which mypyc takes for numbers; what is copied."""
_MYPYC = "mypy>=2.4"
_ASKED = os.environ.get("L7LB_COMPILE") == "1"
_COMPILING = {"bdist_wheel", "build_ext"}
"""The commands that compile; all others, of an editable install too, need no more than the sources."""


def _matching(pattern: str) -> list[Path]:
    return [path for path in sorted(_ROOT.glob(pattern)) if path.name not in _INTERPRETED]


def _extensions() -> list[Extension]:
    """What mypyc makes of the modules; none unless that is asked for."""
    if not _ASKED or _COMPILING.isdisjoint(sys.argv):
        return []
    from mypyc.build import mypycify  # noqa: PLC0415 - a requirement of this kind of build alone

    sources = [str(path.relative_to(_ROOT)) for pattern in _COMPILED for path in _matching(pattern)]
    # What the sources import need not be there to be read: without its types it is called as Python calls it.
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
    extensions: list[Extension] = mypycify([*options, *sources], opt_level="2", debug_level="0", group_name="l7lb")
    return extensions


build.sub_commands.append(("build_proto", None))
setup(
    cmdclass={"build_proto": BuildProto, "build_ext": BuildCompiled},
    ext_modules=_extensions(),
    setup_requires=[_MYPYC] if _ASKED else [],
)
