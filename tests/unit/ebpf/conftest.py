"""Fixtures: hosts in network namespaces."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.unit.ebpf.hosts import Host, Laboratory


@pytest.fixture
def host() -> Iterator[Host]:
    """A host with nothing but a loopback interface."""
    _require_root()
    host = Host()
    yield host
    host.close()


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    """A client, a balancer and a server."""
    _require_root()
    laboratory = Laboratory()
    yield laboratory
    laboratory.close()


def _require_root() -> None:
    if os.geteuid():
        pytest.skip("network namespaces and BPF need root")
