"""The digest that names a record in the compressed connection table (design section 5)."""

from __future__ import annotations

import struct
from zlib import crc32

from slowpath.wire.endpoint import Endpoint

NO_GROUP = 0
"""The group of an address that is in neither `vips` nor `servers`."""

_FIELDS = struct.Struct("!4sHH")


def digest(client: Endpoint, group: int, bits: int) -> int:
    """The low `bits` of the CRC32 over the client's address, its port and the group, as the switch computes it.

    TNA's CRC32 is the reflected one of polynomial 0x04C11DB7, over the fields in network order: zlib's.
    """
    return crc32(_FIELDS.pack(client.address, client.port, group)) & ((1 << bits) - 1)
