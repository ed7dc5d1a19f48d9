"""What the handshake with a client agreed on, for as long as its connection lasts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from slowpath.tcp.cookie import Agreed

_TIMESTAMPS_LENGTH = 12
_SHARED = 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """The options of a client's connection, and the shift of the windows that it is sent (RFC 7323)."""

    agreed: Agreed
    receive_scale: int

    @property
    def segment_size(self) -> int:
        """Bytes of payload in the largest segment that both ends take."""
        return self.agreed.mss - (_TIMESTAMPS_LENGTH if self.agreed.timestamps else 0)


DEFAULT_TERMS = Terms(Agreed(), 0)


@lru_cache(_SHARED)
def methods(method: str) -> tuple[str, ...]:
    """One method alone, as one object for all the connections that have the same."""
    return (method,)


@lru_cache(_SHARED)
def terms(agreed: Agreed, receive_scale: int) -> Terms:
    """The terms as one object for all the connections that have the same."""
    return Terms(agreed, receive_scale)
