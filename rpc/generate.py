"""Makes the Python modules of the .proto files of the RPC clients; setup.py does so at build time.

By hand, after a change of a .proto: `python rpc/generate.py`. It is run as a file, for the packages that the modules
belong to cannot be imported before they are there.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_SERVICES = ("bfrt/proto/bfruntime.proto", "p4rt/proto/p4runtime.proto")
_MESSAGES = ("p4rt/proto/p4data.proto", "p4rt/proto/p4info.proto", "p4rt/proto/p4types.proto")
SOURCES = _SERVICES + _MESSAGES
"""What `generate` reads, relative to the root of the project."""
GENERATED = tuple(
    source.replace(".proto", suffix)
    for sources, suffixes in (
        (SOURCES, ("_pb2.py", "_pb2.pyi")),
        (_SERVICES, ("_pb2_grpc.py",)),
    )
    for source in sources
    for suffix in suffixes
)
"""What `generate` writes, relative to its target."""


def generate(target: Path) -> None:
    """Write the modules below `target`, the directory that holds (or will hold) the packages.

    Raises ImportError without grpcio-tools or googleapis-common-protos, RuntimeError when protoc fails (it says why
    on stderr).
    """
    from grpc_tools import protoc  # noqa: PLC0415 (a build dependency)

    spec = find_spec("google.rpc")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("google/rpc/status.proto is missing: install googleapis-common-protos")
    common = [Path(location).parents[1] for location in spec.submodule_search_locations]
    includes = [f"-I{path}" for path in (_ROOT, Path(protoc.__file__).parent / "_proto", *common)]
    for source in SOURCES:
        (target / source).parent.mkdir(parents=True, exist_ok=True)
    for sources, kinds in ((SOURCES, ("python", "pyi")), (_SERVICES, ("grpc_python",))):
        outputs = [f"--{kind}_out={target}" for kind in kinds]
        if protoc.main(["protoc", *includes, *outputs, *sources]) != 0:
            raise RuntimeError(f"protoc failed on {', '.join(sources)}")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else _ROOT)
