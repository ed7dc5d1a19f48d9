"""From the configured limits to those that count; what was counted outlives a reload that leaves its limit as it is."""

from __future__ import annotations

from weakref import WeakValueDictionary

from slowpath.control.config import ListenerConfig
from slowpath.control.config.protection import ClientPrefixConfig, RateConfig
from slowpath.limiting.clients import ClientPrefix
from slowpath.limiting.limits import ListenerLimits
from slowpath.limiting.rate import Rate, RateLimit
from slowpath.limiting.slots import Slots, Taken


class Limiters:
    """Makes limits; one that some configuration in use has already, for the same purpose, is shared with it."""

    def __init__(self) -> None:
        self._rates: WeakValueDictionary[tuple[object, ...], RateLimit] = WeakValueDictionary()
        self._taken: WeakValueDictionary[tuple[object, ...], Taken] = WeakValueDictionary()

    def of_listener(self, name: str, listener: ListenerConfig) -> ListenerLimits | None:
        """The limits of the listener called `name`; None if it has none."""
        limits = listener.limits
        if limits is None:
            return None
        prefix = _prefix(limits.client_prefix)
        slots = None
        if limits.connections_per_client is not None:
            taken = self._taken.setdefault((name, prefix), Taken())
            slots = Slots(limits.connections_per_client, prefix, taken)
        return ListenerLimits(
            slots,
            self._rate((name, "connection_rate"), limits.connection_rate, prefix),
            self._rate((name, "request_rate"), limits.request_rate, prefix),
        )

    def of_route(self, name: str, listener: ListenerConfig, index: int) -> RateLimit | None:
        """The limit on requests of a route, given by its place in the listener called `name`."""
        prefix = ClientPrefixConfig() if listener.limits is None else listener.limits.client_prefix
        return self._rate((name, index), listener.routes[index].request_rate, _prefix(prefix))

    def _rate(self, purpose: tuple[object, ...], config: RateConfig | None, prefix: ClientPrefix) -> RateLimit | None:
        if config is None:
            return None
        (times, seconds), each = config.rate, prefix if config.per == "client" else None
        rate = Rate(times / seconds, config.burst or times)
        return self._rates.setdefault((*purpose, rate, each), RateLimit(rate, each))


def _prefix(config: ClientPrefixConfig) -> ClientPrefix:
    return ClientPrefix(config.ipv4, config.ipv6)
