"""What the tests of BfRt sessions share."""

from __future__ import annotations

from bfrt import Session, Update
from bfrt.proto import bfruntime_pb2 as pb
from tests.unit.bfrt import documents


async def opened(address: str, patience: float = 5.0, client_id: int = 1) -> Session:
    return await Session.open(address, documents.PROGRAM, timeout=patience, client_id=client_id, jitter=lambda: 0.9)


def connection(session: Session, digest: int) -> Update:
    return session.table("connections").insert((digest,), "spliced", (0, 0, 0))


def ended(*members: tuple[int, int, int], digest_id: int = 0x8E000001) -> pb.StreamMessageResponse:
    sizes = (4, 2, 1)
    data = [
        pb.TableData(
            fields=[
                pb.DataField(field_id=index + 1, stream=value.to_bytes(sizes[index]))
                for index, value in reversed(list(enumerate(values)))
            ]
        )
        for values in members
    ]
    return pb.StreamMessageResponse(digest=pb.DigestList(digest_id=digest_id, data=data))
