"""Compiles BPF programs with clang; an object is kept under the hash of all that went into it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from fastpath.errors import Unavailable

CACHE = Path("/var/cache/l7lb")
"""Where objects are kept."""

_FLAGS = ("-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror")
_PACKAGES = "Debian packages clang, libbpf-dev and linux-libc-dev"


def compiled(source: Path, cache: Path = CACHE) -> Path:
    """The object of `source`, a C file whose own headers stand beside it; compiled unless it is in `cache`.

    Raises Unavailable if there is no clang, or with what clang says of the source.
    """
    clang = shutil.which("clang")
    if clang is None:
        raise Unavailable(f"cannot compile {source.name}: clang is not installed ({_PACKAGES})")
    flags = (*_FLAGS, *_system_headers())
    target = cache / f"{source.name.split('.')[0]}-{_digest(source, clang, flags)}.o"
    if target.exists():
        return target
    # Renamed when whole: another process may be looking for it.
    unfinished = target.with_suffix(f".{os.getpid()}")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        command = [clang, *flags, "-c", str(source), "-o", str(unfinished)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Unavailable(f"clang cannot compile {source} ({_PACKAGES} needed):\n{result.stderr}")
        unfinished.replace(target)
    except OSError as error:
        raise Unavailable(f"cannot keep the compiled {source.name} in {cache}: {error}") from error
    return target


def _system_headers() -> list[str]:
    """Where Debian keeps asm/, which clang does not search for the bpf target."""
    path = Path("/usr/include") / str(sysconfig.get_config_var("MULTIARCH"))
    return ["-I", str(path)] if path.is_dir() else []


def _digest(source: Path, clang: str, flags: tuple[str, ...]) -> str:
    version = subprocess.run([clang, "--version"], capture_output=True, check=False).stdout
    parts = [version, " ".join(flags).encode()]
    parts += [path.name.encode() + path.read_bytes() for path in sorted((source, *source.parent.glob("*.h")))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]
