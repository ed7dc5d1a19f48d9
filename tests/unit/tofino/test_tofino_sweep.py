"""Idle splices, by the bits of the register `seen`."""

from __future__ import annotations

from pathlib import Path

from fastpath.interface import Idle
from fastpath.pipeline.digest import digest
from fastpath.tofino.sweep import Sweep
from slowpath.wire.endpoint import Endpoint
from tests.unit.pipeline.program import SEEN_WORDS, tna
from tests.unit.pipeline.reader import Reader
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, SERVERS, SNAT, client, splice
from tests.unit.pipeline.switches import run, running
from tests.unit.tofino.switches import BfrtSwitch


def test_a_splice_that_no_sweep_sees_in_use_is_idle(tmp_path: Path) -> None:
    async def scenario() -> None:
        # Everything that is not in use is idle at once; nobody sweeps but we.
        async with running(BfrtSwitch(tmp_path, tna(digest_bits=10)), idle_after=3600.0) as (switch, fastpath, _):
            await fastpath.configure([LISTENER], SERVERS, NEXT_HOPS)
            await fastpath.install([splice(1), splice(2), splice(3, source=SNAT)])
            sweep, seen = fastpath._watch, switch.state.register("Ingress.seen")
            assert isinstance(sweep, Sweep)
            sweep._idle_after = 0.0
            reader = Reader(fastpath)

            async def idle() -> set[int]:
                await sweep.sweep()
                batch = await reader.next()
                assert all(isinstance(report, Idle) and report.seconds >= 0 for report in batch.idle)
                return {report.flow.client.port for report in batch.idle}

            def touch(endpoint: Endpoint) -> None:
                number = digest(endpoint, 1, 10) % (32 * SEEN_WORDS)
                seen.write(number >> 5, (1 << (number & 31),))

            assert await idle() == {1, 2, 3}
            touch(client(1))
            assert await idle() == {2, 3}
            assert await idle() == {1, 2, 3}
            touch(client(3))
            assert await idle() == {1, 2}
            sweep._idle_after = 3600.0
            await sweep.sweep()
            assert reader.batches.empty()

    run(scenario())
