"""What the tests of P4Runtime sessions share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from p4model.device import Switch
from p4model.p4runtime import serve
from p4model.p4runtime.p4info import p4info
from p4model.program import compile_text, preprocessed
from p4rt import Pipeline, Session

_TEXT = preprocessed(Path(__file__).with_name("program.p4"))
_INFO = p4info(compile_text(_TEXT).info)
PIPELINE = Pipeline(_INFO, _TEXT.encode())
OTHER = Pipeline(_INFO, f"{_TEXT}\n".encode())
"""The same program; a switch cannot know that."""

CONNECTION = ((1, 2), "forward", (3, 4))
"""An entry of the table connections."""


async def opened(
    address: str,
    pipeline: Pipeline = PIPELINE,
    *,
    election_id: int = 1,
    digests: Sequence[str] = (),
    patience: float = 5.0,
) -> Session:
    return await Session.open(
        address, pipeline, election_id=election_id, digests=digests, timeout=patience, jitter=lambda: 0.9
    )


@asynccontextmanager
async def serving(switch: Switch, address: str) -> AsyncIterator[None]:
    """A server in front of a switch, which outlives it."""
    server = await serve(switch, address, sweep_interval=0.02)
    try:
        yield
    finally:
        await server.stop()


async def contents(session: Session, *tables: str) -> dict[str, set[tuple[object, ...]]]:
    """The entries of tables."""
    return {
        name: {(entry.key, entry.action, entry.arguments) async for entry in session.table(name).entries()}
        for name in tables
    }
