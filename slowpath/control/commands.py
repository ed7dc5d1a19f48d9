"""What the running instance answers at its admin socket: a handler for each command."""

from __future__ import annotations

from typing import Any

from slowpath.control.admin import Handler
from slowpath.control.config.problems import alternatives
from slowpath.control.enforcer import Enforcer
from slowpath.control.inspection import Inspector
from slowpath.control.reloading import Reloader
from slowpath.control.roster import Entry
from slowpath.control.searching import wanted

MAX_WEIGHT = 1000


class Commands:
    """Asks the parts of the instance; every ValueError is a refusal that the operator reads."""

    def __init__(self, enforcer: Enforcer, reloader: Reloader, inspector: Inspector) -> None:
        self._enforcer, self._reloader, self._inspector = enforcer, reloader, inspector

    @property
    def handlers(self) -> dict[str, Handler]:
        """By the name of the command."""
        return {
            "status": self._status,
            "connections": self._connections,
            "reload": self._reload,
            "drain": self._drain,
            "undrain": self._undrain,
            "weight": self._weight,
        }

    async def _status(self, arguments: dict[str, Any]) -> object:
        return self._inspector.status().to_json()

    async def _connections(self, arguments: dict[str, Any]) -> object:
        return (await self._inspector.connections(wanted(arguments))).to_json()

    async def _reload(self, arguments: dict[str, Any]) -> object:
        return (await self._reloader.reload()).to_json()

    async def _drain(self, arguments: dict[str, Any]) -> object:
        entries = self._named(arguments)
        self._enforcer.set_drained(entries, drained=True)
        return self._shown(entries)

    async def _undrain(self, arguments: dict[str, Any]) -> object:
        entries = self._named(arguments)
        self._enforcer.set_drained(entries, drained=False)
        return self._shown(entries)

    async def _weight(self, arguments: dict[str, Any]) -> object:
        entries = self._named(arguments)
        weight = arguments.get("weight")
        if weight is not None and (type(weight) is not int or not 0 <= weight <= MAX_WEIGHT):
            raise ValueError(f"{weight!r} is not a weight: 0 to {MAX_WEIGHT}, or none for that of the configuration")
        self._enforcer.set_weight(entries, weight)
        return self._shown(entries)

    def _named(self, arguments: dict[str, Any]) -> list[Entry]:
        """The servers at an address, or of a name, in one pool or in all; raises ValueError if there are none."""
        server, pool = arguments.get("server"), arguments.get("pool")
        pools = self._enforcer.parts.enlisted
        if not isinstance(server, str):
            raise ValueError('"server" is ADDRESS:PORT, or NAME:PORT as in the configuration')
        if pool is not None and pool not in pools:
            raise ValueError(f"there is no pool {pool!r}: {alternatives(str(pool), list(pools))}")
        known = [each.entry for name, enlisted in pools.items() if pool in (None, name) for each in enlisted]
        named = [entry for entry in known if server in (str(entry.member.endpoint), str(entry.server.address))]
        if not named:
            where = f"in pool {pool}" if pool is not None else "in any pool"
            addresses = [str(entry.member.endpoint) for entry in known]
            raise ValueError(f"there is no server {server} {where}: {alternatives(server, addresses)}")
        return named

    def _shown(self, entries: list[Entry]) -> object:
        """The servers as `status` shows them."""
        places = {(entry.pool, str(entry.member.endpoint)) for entry in entries}
        return [row.to_json() for row in self._inspector.status().rows() if (row.pool, row.address) in places]
