"""The eBPF program with something changed in its source."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fastpath.ebpf.attachment import SOURCE
from tests.conformance.ebpf_target import EbpfTarget


@dataclass(frozen=True, slots=True)
class Fault:
    """In `file`, `right` becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


def mutant(directory: Path, *faults: Fault) -> EbpfTarget:
    """The program with `faults`, built in `directory`."""
    for path in (SOURCE, *SOURCE.parent.glob("*.h")):
        shutil.copy(path, directory)
    for fault in faults:
        source = directory / fault.file
        text = source.read_text()
        assert text.count(fault.right) == 1, f"{fault.right!r} is not in {fault.file} exactly once"
        source.write_text(text.replace(fault.right, fault.wrong))
    return EbpfTarget(directory / SOURCE.name, directory)
