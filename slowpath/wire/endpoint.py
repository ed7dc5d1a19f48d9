"""An address and a port, of either IP version."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple


class Endpoint(NamedTuple):
    """A transport endpoint: `address` is packed in network byte order (4 or 16 bytes), `port` is 0..65535."""

    address: bytes
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read `192.0.2.1:80` or `[2001:db8::1]:80`; raises ValueError that says what is wrong."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) <= 0xFFFF:
            raise ValueError(f"{text!r} is not ADDRESS:PORT with a port of 1..65535")
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            address = ipaddress.ip_address(host[1:-1] if bracketed else host)
        except ValueError:
            raise ValueError(f"{text!r} does not start with an IP address") from None
        if bracketed != (address.version == 6):
            raise ValueError(f"{text!r}: brackets belong around an IPv6 address and only there")
        return cls(address.packed, int(port))

    def __str__(self) -> str:
        address = ipaddress.ip_address(self.address)
        return f"[{address}]:{self.port}" if address.version == 6 else f"{address}:{self.port}"
