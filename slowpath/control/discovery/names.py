"""The addresses of host names: the last good answer of the system's resolver to each question."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from slowpath.control.config import ServerName
from slowpath.control.discovery.targets import Admission
from slowpath.wire.endpoint import Endpoint

_log = logging.getLogger(__name__)

RESULTS = ("success", "failure")

Resolver: TypeAlias = Callable[[ServerName], Awaitable[Sequence[Endpoint]]]
"""Finds the addresses of a name; raises OSError."""


async def system_resolver(name: ServerName) -> list[Endpoint]:
    """What /etc/nsswitch.conf says: usually /etc/hosts, then DNS; raises OSError.

    It asks in a thread of its own, which holds up nobody, not even the end of the process: an answer may take a minute.
    """
    answer: asyncio.Future[list[Endpoint]] = asyncio.get_running_loop().create_future()
    threading.Thread(target=_look_up, args=(name, answer), daemon=True).start()
    return await answer


def _look_up(name: ServerName, answer: asyncio.Future[list[Endpoint]]) -> None:
    settle: Callable[[], None]
    try:
        found = socket.getaddrinfo(name.host, name.port, type=socket.SOCK_STREAM)
    except OSError as error:
        settle = partial(answer.set_exception, error)
    else:
        # A link-local IPv6 address comes with its interface behind a percent sign.
        addresses = {str(address[0]).partition("%")[0] for *_, address in found}
        endpoints = sorted(Endpoint(ipaddress.ip_address(address).packed, name.port) for address in addresses)
        settle = partial(answer.set_result, endpoints)
    with suppress(RuntimeError):  # the loop is closed
        answer.get_loop().call_soon_threadsafe(lambda: None if answer.done() else settle())


class Names:
    """Asks a resolver, and remembers. A question that fails changes nothing, and is logged once until it succeeds."""

    def __init__(self, resolver: Resolver) -> None:
        self.answers: dict[ServerName, tuple[Endpoint, ...]] = {}
        self.resolutions: Counter[tuple[str, str]] = Counter()
        """By pool and result."""
        self._resolver = resolver
        self._failing: set[ServerName] = set()

    async def ask(self, pool: str, names: Iterable[ServerName], admit: Admission) -> None:
        """Ask for all of `names`, which servers of `pool` have, at the same time.

        An answer in which no address is admitted is a failure.
        """
        await asyncio.gather(*(self._ask(pool, name, admit) for name in names))

    def keep(self, names: Collection[ServerName]) -> None:
        """Forget all other names."""
        self.answers = {name: answer for name, answer in self.answers.items() if name in names}
        self._failing &= set(names)

    async def _ask(self, pool: str, name: ServerName, admit: Admission) -> None:
        try:
            answer = await self._resolver(name)
            _require_one(answer, admit)
            self.answers[name] = tuple(answer)
        except (OSError, ValueError) as error:
            self.resolutions[pool, "failure"] += 1
            if name not in self._failing:
                known = "its servers stay as they are" if name in self.answers else "it stands for no server"
                _log.warning("pool %s: %s cannot be resolved, so %s: %s", pool, name.host, known, _reason(error))
            self._failing.add(name)
        else:
            self.resolutions[pool, "success"] += 1
            if name in self._failing:
                _log.info("pool %s: %s can be resolved again", pool, name.host)
            self._failing.discard(name)


def _require_one(endpoints: Iterable[Endpoint], admit: Admission) -> None:
    """Raise ValueError if there is no address at which a server can be."""
    refusals = []
    for endpoint in endpoints:
        try:
            admit(endpoint)
        except ValueError as error:
            refusals.append(str(error))
        else:
            return
    raise ValueError("; ".join(refusals) or "it has no address")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
