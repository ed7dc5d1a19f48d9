"""The fast path on P4.org's own switch, where it is installed."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import p4_tofino
from deploy.laboratory.switches import Bmv2
from fastpath.bmv2 import Bmv2FastPath
from fastpath.bmv2.driver import ENDED
from fastpath.errors import Unavailable
from fastpath.pipeline.digest import digest
from fastpath.pipeline.fastpath import PipelineFastPath
from fastpath.pipeline.rows import RECORDS
from p4rt import Pipeline, Session
from tests.unit.pipeline.reader import Reader
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, SERVERS, SNAT, client, splice
from tests.unit.pipeline.switches import NETWORK, SocketLink, run

pytestmark = pytest.mark.skipif(bool(Bmv2.missing()), reason=f"optional: {' and '.join(Bmv2.missing())} not on PATH")

SPLICES = [splice(1), splice(2, pivot=5), splice(3, source=SNAT)]
CONNECTIONS = 16


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The program with few connections, as p4c compiles it."""
    directory = tmp_path_factory.mktemp("program")
    p4info = directory / "l7lb.p4info.txtpb"
    command = ["p4c", "--target", "bmv2", "--arch", "v1model", "-I", str(p4_tofino.DIRECTORY), "-o", str(directory)]
    sizes = [f"-DCONNECTIONS={CONNECTIONS}"]
    subprocess.run([*command, *sizes, "--p4runtime-files", str(p4info), str(p4_tofino.V1MODEL)], check=True)
    return Pipeline.load(p4info, directory / "l7lb.json")


class Process:
    """The switch without interfaces."""

    def __init__(self, directory: Path, pipeline: Pipeline) -> None:
        self.address = f"unix:{directory}/bmv2"
        self._pipeline = pipeline
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin without a program."""
        command = ("simple_switch_grpc", "--no-p4", "--device-id", "0", "--", "--grpc-server-addr", self.address)
        self._process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)

    async def kill(self) -> None:
        """End without a word."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()

    async def attach(self, election_id: int = 1, idle_after: float = 600.0) -> tuple[Session, Bmv2FastPath]:
        """A fast path with something configured."""
        session = await Session.open(self.address, self._pipeline, election_id=election_id, digests=(ENDED,))
        fastpath = await Bmv2FastPath.attach(session, SocketLink(), NETWORK, idle_after=idle_after)
        await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
        return session, fastpath


@asynccontextmanager
async def running(directory: Path, pipeline: Pipeline) -> AsyncIterator[Process]:
    process = Process(directory, pipeline)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


async def assert_agreed(fastpath: PipelineFastPath) -> None:
    """The tables hold what they should."""
    await asyncio.wait_for(fastpath.settled(), 30)
    assert await fastpath._driver.read(RECORDS) == fastpath._ledger.rows()


def test_a_switch_that_restarts_gets_everything_again(tmp_path: Path, pipeline: Pipeline) -> None:
    async def scenario() -> None:
        async with running(tmp_path, pipeline) as process:
            session, fastpath = await process.attach()
            await fastpath.install(SPLICES)
            await fastpath.update([splice(1, pivot=7), splice(2), splice(3, source=SNAT, pivot=7)])
            await fastpath.remove([splice(2).flow])
            await assert_agreed(fastpath)
            await process.kill()
            while session.connected:  # noqa: ASYNC110
                await asyncio.sleep(0)
            await process.start()
            await assert_agreed(fastpath)
            await fastpath.close()

    run(scenario())


def test_two_controllers(tmp_path: Path, pipeline: Pipeline) -> None:
    async def scenario() -> None:
        async with running(tmp_path, pipeline) as process:
            _, fastpath = await process.attach()
            await fastpath.install(SPLICES)
            _, rival = await process.attach(election_id=2)
            await rival.install(SPLICES[:1])
            with pytest.raises(Unavailable, match="another controller is primary, election id 2"):
                await fastpath.install([splice(4)])
            await assert_agreed(rival)
            await rival.close()
            await assert_agreed(fastpath)
            await fastpath.close()

    run(scenario())


def test_an_entry_that_finds_no_room_or_another_in_its_place(tmp_path: Path, pipeline: Pipeline) -> None:
    async def scenario() -> None:
        async with running(tmp_path, pipeline) as process:
            session, fastpath = await process.attach()
            await fastpath.install(SPLICES)
            table = session.table("connections")
            await session.write([table.insert((key,), "spliced", (1, 0, 0)) for key in range(2, CONNECTIONS)])
            # The switch is full, though we have but two entries in it.
            await fastpath.install([splice(4)])
            assert len(await fastpath._driver.read(["overrides"])) == 4
            # One that is in the way of ours means that the tables are not what we think.
            await session.write([table.delete((key,)) for key in range(2, 5)])
            await session.write([table.insert((digest(client(6), 1, 32),), "spliced", (1, 0, 0))])
            with pytest.raises(Unavailable, match="ALREADY_EXISTS"):
                await fastpath.install([splice(5), splice(6)])
            await assert_agreed(fastpath)
            await fastpath.close()

    run(scenario())


def test_idle_splices(tmp_path: Path, pipeline: Pipeline) -> None:
    async def scenario() -> None:
        async with running(tmp_path, pipeline) as process:
            _, fastpath = await process.attach(idle_after=0.5)
            reader = Reader(fastpath)
            await fastpath.install(SPLICES)
            for _ in range(2):
                missing = {each.flow for each in SPLICES}
                while missing:
                    missing -= {idle.flow for idle in (await reader.next()).idle}
            await fastpath.close()

    run(scenario())
