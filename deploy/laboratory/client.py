"""One client: a namespace to run load generators in."""

from __future__ import annotations

from deploy.laboratory.namespace import Namespace


class Client(Namespace):
    """A host of the client network; its packets come from `address` or, with IPv6, `address6`."""

    def __init__(self, name: str, address: str, address6: str) -> None:
        super().__init__(name)
        self.address = address
        self.address6 = address6
