"""Names and files as sources of servers, with a resolver that answers what the test says."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from fastpath.errors import TableFull
from slowpath.control.config import Config, ConfigError, ServerName
from slowpath.control.discovery import discovery as discovery_module
from slowpath.control.discovery.discovery import Discovery, targets_of
from slowpath.control.discovery.names import system_resolver
from slowpath.control.discovery.source import Source
from slowpath.control.discovery.targets import Target
from slowpath.wire.endpoint import Endpoint
from tests.unit.control.configurations import configuration

_NAME = "web.internal"


class Resolver:
    """Answers by host name; a name that it does not know is an error."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {_NAME: answers.pop("web", [])} | answers
        self.asked: list[str] = []

    async def __call__(self, name: ServerName) -> list[Endpoint]:
        self.asked.append(name.host)
        if not self.answers.get(name.host):
            raise OSError(-2, "Name or service not known")
        return [Endpoint.parse(f"{address}:{name.port}") for address in self.answers[name.host]]


class Applied:
    """Remembers what it was given, or refuses it."""

    def __init__(self) -> None:
        self.servers: list[list[str]] = []
        self.refusal = ""

    async def __call__(self, pool: str, targets: Sequence[Target]) -> None:
        if self.refusal:
            raise TableFull(self.refusal)
        self.servers.append(shown(targets))


def shown(targets: Sequence[Target]) -> list[str]:
    return [str(target.endpoint) for target in targets]


def by_name(**pool: object) -> Config:
    return configuration(pools={"web": {"servers": [f"{_NAME}:80"]} | pool})


def by_file(directory: Path, content: str) -> Config:
    (directory / "servers.yaml").write_text(content)
    return configuration(directory, pools={"web": {"servers_file": "servers.yaml"}})


async def source(config: Config, resolver: Resolver, applied: Applied | None = None) -> Source:
    [found] = await Discovery(resolver, applied or Applied()).sources(config)
    found.in_force = found.targets()
    return found


def test_addresses_that_come_and_go_are_applied_once() -> None:
    async def scenario() -> None:
        resolver, applied = Resolver(web=["10.2.0.1"]), Applied()
        web = await source(by_name(), resolver)
        assert shown(web.targets()) == ["10.2.0.1:80"]
        for answer in (["10.2.0.1"], ["10.2.0.1", "10.2.0.2"], ["10.2.0.1", "10.2.0.2"], ["10.2.0.2"]):
            resolver.answers[_NAME] = answer
            await web.resolve()
            await web.apply(applied)
        assert applied.servers == [["10.2.0.1:80", "10.2.0.2:80"], ["10.2.0.2:80"]]

    asyncio.run(scenario())


def test_a_failure_keeps_the_last_addresses_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        resolver = Resolver(web=["10.2.0.1"])
        web = await source(by_name(), resolver)
        resolver.answers.clear()
        for _ in range(3):
            await web.resolve()
        assert shown(web.targets()) == ["10.2.0.1:80"]

    with caplog.at_level(logging.INFO):
        asyncio.run(scenario())
    assert [record.message for record in caplog.records] == [
        "pool web: web.internal cannot be resolved, so its servers stay as they are: Name or service not known"
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(["127.0.0.1"], "127.0.0.1 cannot be reached through an interface"), (["10.1.0.100"], "a listener's own address")],
)
def test_where_no_server_can_be_there_is_none(answer: list[str], reason: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        web = await source(by_name(), Resolver(web=[*answer, "10.2.0.1"]))
        assert shown(web.targets()) == ["10.2.0.1:80"]
        web = await source(by_name(), Resolver(web=answer))
        assert web.targets() == ()

    asyncio.run(scenario())
    assert reason in caplog.text


def test_a_known_name_is_not_asked_for_again_at_a_reload() -> None:
    async def scenario() -> None:
        resolver = Resolver(web=["10.2.0.1"], other=["10.2.0.2"])
        discovery = Discovery(resolver, Applied())
        await discovery.sources(by_name())
        sources = await discovery.sources(by_name(servers=[f"{_NAME}:80", "other:80"]))
        assert resolver.asked == [_NAME, "other"]
        assert shown(targets_of(sources)["web"]) == ["10.2.0.1:80", "10.2.0.2:80"]

    asyncio.run(scenario())


def test_a_start_does_not_wait_for_a_resolver_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def silent(name: ServerName) -> list[Endpoint]:
        await asyncio.Event().wait()
        raise AssertionError

    async def scenario() -> None:
        monkeypatch.setattr(discovery_module, "PATIENCE", 0.01)
        [web] = await Discovery(silent, Applied()).sources(by_name())
        assert web.targets() == ()

    asyncio.run(scenario())
    assert "going on without them" in caplog.text


def test_a_listener_that_comes_takes_an_address_from_a_known_name() -> None:
    async def scenario() -> None:
        discovery = Discovery(Resolver(web=["10.2.0.1", "10.2.0.2"]), Applied())
        await discovery.sources(by_name())
        listeners = {"web": {"address": "10.2.0.1:80", "default": "web"}}
        again = configuration(listeners=listeners, pools={"web": {"servers": [f"{_NAME}:80"]}})
        assert shown(targets_of(await discovery.sources(again))["web"]) == ["10.2.0.2:80"]

    asyncio.run(scenario())


def test_what_is_refused_is_tried_again_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        resolver, applied = Resolver(web=["10.2.0.1"]), Applied()
        web = await source(by_name(), resolver)
        resolver.answers[_NAME] = ["10.2.0.2"]
        applied.refusal = "2 servers do not fit"
        await web.resolve()
        await web.apply(applied)
        await web.apply(applied)
        assert caplog.text.count("pool web keeps its servers: 2 servers do not fit") == 1
        applied.refusal = ""
        await web.apply(applied)
        assert applied.servers == [["10.2.0.2:80"]]

    asyncio.run(scenario())


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    async def scenario() -> None:
        applied = Applied()
        web = await source(by_file(tmp_path, '["10.2.0.1:80"]'), Resolver())
        (tmp_path / "servers.yaml").write_text("- {address: 10.2.0.2:80, weight: 4}\n- web.internal:80\n")
        for _ in range(2):
            await web.look()
            await web.apply(applied)
        assert applied.servers == [["10.2.0.2:80"]]
        (tmp_path / "servers.yaml").write_text("[]")
        for _ in range(2):
            await web.look()
            await web.apply(applied)
        assert applied.servers[1:] == [[]]

    asyncio.run(scenario())


def test_names_in_a_file_are_resolved_before_they_count(tmp_path: Path) -> None:
    async def scenario() -> None:
        web = await source(by_file(tmp_path, "[]"), Resolver(web=["10.2.0.9"]))
        (tmp_path / "servers.yaml").write_text("[web.internal:80]")
        await web.look()
        await web.look()
        assert shown(web.targets()) == ["10.2.0.9:80"]

    asyncio.run(scenario())


def test_a_wrong_file_keeps_the_servers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        web = await source(by_file(tmp_path, "[10.2.0.1:80]"), Resolver())
        (tmp_path / "servers.yaml").write_text("- 10.2.0.1:80\n- {address: 10.2.0.2:80, wieght: 2}\n")
        await web.look()
        await web.look()
        assert shown(web.targets()) == ["10.2.0.1:80"]

    asyncio.run(scenario())
    assert f"{tmp_path}/servers.yaml:2: [1].wieght: unknown key: did you mean 'weight'?" in caplog.text


def test_a_wrong_file_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a list of servers"):
        asyncio.run(source(by_file(tmp_path, "servers: [10.2.0.1:80]"), Resolver()))


def test_the_systems_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asyncio.run(system_resolver(ServerName("localhost", 8080)))
    assert Endpoint.parse("127.0.0.1:8080") in found

    def fail(*question: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(OSError, match="not known"):
        asyncio.run(system_resolver(ServerName("web.internal", 80)))


def test_sources_are_followed_until_others_are(tmp_path: Path) -> None:
    async def scenario() -> None:
        resolver, applied = Resolver(web=["10.2.0.1"]), Applied()
        discovery = Discovery(resolver, applied)
        async with asyncio.TaskGroup() as tasks:
            discovery.follow(await discovery.sources(by_name(resolve="1ms")), tasks)
            assert discovery.found.resolutions == {("web", "success"): 1, ("web", "failure"): 0}
            resolver.answers[_NAME] = ["10.2.0.7"]
            while not applied.servers:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.001)
            discovery.follow(await discovery.sources(configuration()), tasks)
            assert discovery.found.reads == {}
        assert applied.servers == [["10.2.0.7:80"]]

    asyncio.run(scenario())
