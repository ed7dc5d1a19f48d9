"""Makes the Python modules of bfruntime.proto; setup.py does so at build time.

By hand, after a change of the .proto: `python bfrt/proto/generate.py`. It is run as a file, for the package that it
belongs to cannot be imported before the modules are there.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_SOURCE = "bfrt/proto/bfruntime.proto"
GENERATED = tuple(f"bfrt/proto/bfruntime_{module}" for module in ("pb2.py", "pb2.pyi", "pb2_grpc.py"))
"""What `generate` writes, relative to its target."""


def generate(target: Path) -> None:
    """Write the modules below `target`, the directory that holds (or will hold) the package `bfrt`.

    Raises ImportError without grpcio-tools or googleapis-common-protos, RuntimeError when protoc fails (it says why
    on stderr).
    """
    from grpc_tools import protoc  # noqa: PLC0415 (a build dependency)

    spec = find_spec("google.rpc")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("google/rpc/status.proto is missing: install googleapis-common-protos")
    common = [Path(location).parents[1] for location in spec.submodule_search_locations]
    includes = [_ROOT, Path(protoc.__file__).parent / "_proto", *common]
    (target / _SOURCE).parent.mkdir(parents=True, exist_ok=True)
    outputs = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", *(f"-I{path}" for path in includes), *outputs, _SOURCE]) != 0:
        raise RuntimeError(f"protoc failed on {_SOURCE}")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else _ROOT)
