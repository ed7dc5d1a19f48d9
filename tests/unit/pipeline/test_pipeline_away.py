"""A server that goes away, in the middle of a request or not, and comes back with its tables or without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
import pytest

from fastpath.errors import Rejected, Unavailable
from fastpath.interface import Closed
from fastpath.pipeline.digest import digest
from fastpath.pipeline.rows import OVERRIDES, Action, Key
from fastpath.pipeline.statistics import Statistics
from fastpath.records import Listener
from rpc.errors import RpcError
from tests.unit.pipeline.samples import LISTENER, NEXT_HOPS, OTHER_VIP, SERVERS, SNAT, client, splice
from tests.unit.pipeline.switches import MakeSwitch, Switch, run, running
from tests.unit.pipeline.test_pipeline_install import assert_right, configured
from tests.unit.rpc.running import Stall

Handler = Callable[[Any, Any], Awaitable[Any]]


class Cut(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Stops the server in a Write, before or after it was carried out, once `armed`."""

    def __init__(self, *, after: bool) -> None:
        self.armed = False
        self._after = after
        self.switch: Switch | None = None

    async def intercept_service(
        self,
        continuation: Callable[[Any], Awaitable[Any]],
        handler_call_details: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        handler = await continuation(handler_call_details)
        if not handler_call_details.method.endswith("/Write"):
            return handler

        async def write(request: Any, context: Any) -> Any:  # noqa: ANN401
            if self.armed and not self._after:
                await self._cut()
            answer = await handler.unary_unary(request, context)
            if self.armed:
                await self._cut()
            return answer

        return grpc.unary_unary_rpc_method_handler(write, handler.request_deserializer, handler.response_serializer)

    async def _cut(self) -> None:
        assert self.switch is not None
        self.armed = False
        # The call that runs here is cut off by it.
        self.stopping = asyncio.create_task(self.switch.stop())
        await asyncio.sleep(3600)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_server_that_comes_back_has_every_record(make_switch: MakeSwitch, forgets: bool) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            splices = [splice(1), splice(2), splice(3, source=SNAT)]
            await fastpath.install(splices)
            before = switch.rows()
            await switch.stop()
            if forgets:
                await switch.forget()
            await switch.start()
            await switch.back(fastpath)
            assert switch.rows() == before
            # The first one is at the beginning.
            assert fastpath.statistics == Statistics(overrides=2, reconciliations=2, punts_withheld=0)
            await fastpath.install([splice(4)])
            assert_right(switch, *splices, splice(4))

    run(scenario())


def test_while_the_server_is_away(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2), splice(3, source=SNAT)])
            assert fastpath.counters().reachable
            await switch.stop()
            assert not fastpath.counters().reachable
            with pytest.raises(Unavailable):
                await fastpath.install([splice(5)])
            with pytest.raises(Unavailable):
                await fastpath.update([splice(1, pivot=1)])
            await fastpath.remove([splice(1).flow, splice(3).flow])
            assert list(fastpath.splices()) == [splice(2)]
            with pytest.raises(Rejected, match="server 10\\.2\\.0\\.2:8080: id 65536"):
                await fastpath.configure([], [SERVERS[0].__class__(1 << 16, SERVERS[0].endpoint)], [])
            await fastpath.configure([LISTENER, Listener(OTHER_VIP)], SERVERS, NEXT_HOPS)
            # The tables of a switch stay while its driver cannot be reached.
            assert len(switch.rows("connections", "vips")) == 3
            await switch.start()
            await switch.back(fastpath)
            assert fastpath.counters().reachable
            assert_right(switch, splice(2))
            assert len(switch.rows("vips")) == 2

    run(scenario())


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_lost_within_a_batch_leaves_nothing_behind(make_switch: MakeSwitch, after: bool) -> None:
    async def scenario() -> None:
        switch, cut = make_switch(), Cut(after=after)
        switch.interceptors, cut.switch = [cut], switch
        async with running(switch) as (_, fastpath, _link):
            await configured(fastpath)
            await fastpath.install([splice(1)])
            cut.armed = True
            with pytest.raises(Unavailable):
                await fastpath.install([splice(2), splice(3)])
            await cut.stopping
            assert list(fastpath.splices()) == [splice(1)]
            assert len(switch.rows("connections")) == (3 if after else 1)
            await switch.start()
            await switch.back(fastpath)
            assert_right(switch, splice(1))
            await fastpath.install([splice(2), splice(3)])
            assert_right(switch, splice(1), splice(2), splice(3))

    run(scenario())


def test_a_removal_that_is_lost_is_made_good(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        switch, cut = make_switch(), Cut(after=False)
        switch.interceptors, cut.switch = [cut], switch
        async with running(switch) as (_, fastpath, _link):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            cut.armed = True
            await fastpath.remove([splice(1).flow])
            await cut.stopping
            assert list(fastpath.splices()) == [splice(2)]
            await switch.start()
            await switch.back(fastpath)
            assert_right(switch, splice(2))

    run(scenario())


def test_a_switch_that_restarts_while_its_tables_are_compared(
    make_switch: MakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            before = switch.rows()
            driver = fastpath._driver
            read = driver.read

            async def read_and_restart(tables: Iterable[str]) -> dict[Key, Action]:
                found = await read(tables := [*tables])
                if OVERRIDES in tables:
                    monkeypatch.undo()
                    await switch.stop()
                    await switch.forget()
                    await switch.start()
                    await driver.wait_connected()
                return found

            monkeypatch.setattr(driver, "read", read_and_restart)
            await switch.stop()
            await switch.start()
            await switch.back(fastpath)
            assert switch.rows() == before

    run(scenario())


def test_what_appears_meanwhile_is_removed_and_what_was_changed_is_set_right(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1)])
            before = switch.rows()
            await switch.stop()
            switch.table("connections").insert((7,), 0, (1, 0, 0))
            switch.table("connections").modify((digest(client(1), 1, 32),), 0, (6, 1, 3))
            switch.table("overrides").insert((1, 2, 3, 4), 1, (1, 2, 3, 4))
            switch.table("routes").insert((0x0A000000, 0xFF000000), 0, (9,))
            await switch.start()
            await switch.back(fastpath)
            assert switch.rows() == before

    run(scenario())


def test_a_record_that_finds_no_place_any_more_takes_overrides(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            await switch.stop()
            await switch.forget()
            switch.refuse("connections", {(digest(client(2), 1, 32),)})
            await switch.start()
            await switch.back(fastpath)
            assert len(switch.rows("overrides")) == 2
            assert_right(switch, splice(1), splice(2))

    run(scenario())


def test_a_record_that_finds_no_place_at_all_is_reported_closed(make_switch: MakeSwitch) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, _):
            await configured(fastpath)
            await fastpath.install([splice(1), splice(2)])
            await switch.stop()
            await switch.forget()
            switch.refuse("connections", {(digest(client(2), 1, 32),)})
            switch.refuse("overrides", None)
            await switch.start()
            batch = await anext(fastpath.events())
            assert batch.closed == [Closed(splice(2).flow, reset=True)]
            assert_right(switch, splice(1))

    run(scenario())


def test_a_close_that_is_cut_short_leaves_nothing_open(
    make_switch: MakeSwitch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(make_switch()) as (switch, fastpath, link):
            stuck = Stall()
            monkeypatch.setattr(fastpath._driver, "clear", stuck)
            closing = asyncio.create_task(fastpath.close())
            await stuck.arrived.wait()
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert switch.session is not None
            with pytest.raises(RpcError, match="closed"):
                await switch.session.wait_connected()
            assert link.fileno() == -1

    run(scenario())
