"""Front-panel ports."""

from __future__ import annotations

import grpc

from bfrt.session import Session
from bfrt.values import DataValue
from rpc.failures import WriteFailed

_TABLE = "$PORT"
_FECS = {"none": "NONE", "fc": "FIRECODE", "firecode": "FIRECODE", "rs": "REED_SOLOMON", "reed-solomon": "REED_SOLOMON"}


async def add_port(session: Session, port: int, speed: str, fec: str = "none", *, enable: bool = True) -> bool:
    """Add a port to the device unless it is there; gives whether it was not.

    `port` is the number that the data plane uses (pipe << 7 | local port); `speed` such as `25G` or `BF_SPEED_25G`;
    `fec` none, fc or rs, or the server's own word for it. A port that is there stays as it is. Raises SchemaError for
    a speed or FEC that the device does not know, and what `Session.write` raises.
    """
    table = session.table(_TABLE)
    if await table.get((port,)) is not None:
        return False
    fields: dict[str, DataValue] = {
        "$SPEED": speed if speed.startswith("BF_") else f"BF_SPEED_{speed.upper()}",
        "$FEC": f"BF_FEC_TYP_{_FECS[fec.lower()]}" if fec.lower() in _FECS else fec,
        "$PORT_ENABLE": enable,
    }
    try:
        await session.write([table.insert((port,), fields=fields)], atomic=False)
    except WriteFailed as error:
        # Another client was faster.
        if [failure.code for failure in error.failures] == [grpc.StatusCode.ALREADY_EXISTS]:
            return False
        raise
    return True
