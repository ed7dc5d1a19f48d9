"""Fixtures: one laboratory for the session, one run of L7LB for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.laboratory import Laboratory, Run
from tests.e2e.scripted import SCRIPTED_PORT, ScriptedServer
from tests.faults.wire import BadWire


@pytest.fixture(scope="session")
def ebpf_laboratory() -> Iterator[Laboratory]:
    """Four servers, two arms, two clients."""
    with Laboratory(servers=4, arms=2, clients=2) as built:
        yield built


@contextmanager
def _with_a_switch(fastpath: str) -> Iterator[Laboratory]:
    """The same with a switch as the balancer, and the last server behind a tunnel."""
    with Laboratory(servers=4, arms=2, clients=2, fastpath=fastpath, tunnelled=1) as built:
        yield built


@contextmanager
def _with_p4model(fastpath: str) -> Iterator[Laboratory]:
    """What `p4model` complains of, such as a header that is read and is not there, is a defect of the program."""
    with _with_a_switch(fastpath) as built:
        yield built
        complaints = [line for line in built.switch.log.read_text().splitlines() if line != "ready"]
        assert not complaints, complaints


@pytest.fixture(scope="session")
def model_laboratory() -> Iterator[Laboratory]:
    """A switch that runs the TNA program."""
    with _with_p4model("model") as built:
        yield built


@pytest.fixture(scope="session")
def v1model_laboratory() -> Iterator[Laboratory]:
    """A switch that runs the v1model program, behind P4Runtime."""
    with _with_p4model("v1model") as built:
        yield built


@pytest.fixture(scope="session")
def bmv2_laboratory() -> Iterator[Laboratory]:
    """The same program on P4.org's switch."""
    with _with_a_switch("bmv2") as built:
        yield built


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest) -> Laboratory:
    """The one of the fast path that a file of tests asks for (`tests.e2e.fastpaths`), or else of ebpf."""
    built: Laboratory = request.getfixturevalue(f"{getattr(request, 'param', 'ebpf')}_laboratory")
    return built


@pytest.fixture(scope="module")
def run(laboratory: Laboratory) -> Iterator[Run]:
    """L7LB with the laboratory's own configuration; files that need another override this fixture."""
    started = laboratory.run(laboratory.config())
    yield started
    assert started.stop() == 0, started.log_tail()


@pytest.fixture(scope="module")
def scraped_run(run: Run) -> Run:
    """A run to scrape from within `run.host`, at `run.metrics_url`."""
    return run


@pytest.fixture(scope="module")
def scripted(laboratory: Laboratory) -> Iterator[ScriptedServer]:
    """A server whose answers the test writes, at the first server's address."""
    with ScriptedServer(laboratory.servers[0].namespace, SCRIPTED_PORT) as server:
        yield server


@pytest.fixture
def bad_wire(laboratory: Laboratory, tmp_path: Path, seed: int) -> Iterator[BadWire]:
    """Faults to set at the switches' ports, with every packet as on a wire."""
    laboratory.set_offloads(False)
    wire = BadWire(laboratory.fabric, tmp_path, laboratory.bpffs, seed)
    yield wire
    wire.close()
    laboratory.set_offloads(True)
