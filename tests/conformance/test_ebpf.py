"""The eBPF program in the kernel against the vectors, and next to the reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.ebpf_target import EbpfTarget
from tests.conformance.suite import HostVectors, RandomScenarios
from tests.conformance.target import Target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    target = EbpfTarget()
    yield target
    target.close()


class TestEbpf(HostVectors, RandomScenarios):
    """The program as it is loaded in production."""
