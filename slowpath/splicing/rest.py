"""Junctions at rest: those that the fast path forwards, and that need nothing of us until it says so.

A junction comes here when nothing has come for it for a while, and is then a few bytes (`packing`) instead of a dozen
objects. The next packet or report about it wakes it. The tables are many small ones, by a byte of the client's port:
none takes long to grow, or to be read as a whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from slowpath.splicing.junction import Junction
from slowpath.splicing.packing import Packer
from slowpath.splicing.phases import Phase
from slowpath.wire.four_tuple import DESTINATION_PORT, SOURCE_PORT

REST_AFTER = 2.0
"""Seconds: short connections never come to rest, as packing and unpacking would only cost; nor do busy ones."""
MANY = 32_768
"""When more than these are awake, memory counts for more: they come to rest in a quarter of the time."""

_PARTS = 256
_AT_ONCE = 1000
"""So many junctions are put to rest, or looked at, before others have their turn: a few milliseconds."""
_ROUNDS = 8
"""So many times in REST_AFTER the queue is looked at, rather than whenever one of its junctions may rest."""


class Rest:
    """Two tables, and the queue of those awake that may come to rest; `after` is in seconds, above 0."""

    def __init__(self, after: float) -> None:
        self.packer = Packer()
        self.count = 0
        """How many are at rest."""
        self._records: list[dict[bytes, bytes]] = [{} for _ in range(_PARTS)]
        """By the 4-tuple of client packets."""
        self._clients: list[dict[bytes, bytes]] = [{} for _ in range(_PARTS)]
        """The 4-tuple of client packets by that of server packets."""
        self._after = after
        self._awake: deque[tuple[float, Junction]] = deque()
        """Since when they are in this queue; who has been busy meanwhile goes to its end again."""
        self._next_round = 0.0

    def __contains__(self, key: bytes) -> bool:
        """Whether a junction at rest has packets of this 4-tuple, from either side."""
        return key in self._records[key[SOURCE_PORT]] or key in self._clients[key[DESTINATION_PORT]]

    def watch(self, junction: Junction, now: float) -> None:
        """Have a junction, which the fast path forwards from now on, rest when it is idle."""
        self._awake.append((now, junction))

    def idle(self, now: float) -> list[Junction]:
        """Take the junctions that may rest; those that are busy are watched on, all others need not."""
        found: list[Junction] = []
        since, queue = now - self._patience, self._awake
        for _ in range(_AT_ONCE):
            if not queue or queue[0][0] > since:
                self._next_round = now + self._after / _ROUNDS
                break
            _, junction = queue.popleft()
            if junction.is_idle and junction.touched <= since:
                found.append(junction)
            elif junction.phase is Phase.SPLICED:
                queue.append((now, junction))
        return found

    @property
    def next_deadline(self) -> float | None:
        """When `idle` may find some."""
        return max(self._awake[0][0] + self._patience, self._next_round) if self._awake else None

    @property
    def _patience(self) -> float:
        return self._after if len(self._awake) <= MANY else self._after / 4

    def put(self, junction: Junction, key: bytes, reply_key: bytes) -> None:
        """Put to rest an idle junction with packets of these 4-tuples."""
        self._records[key[SOURCE_PORT]][key] = self.packer.pack(junction)
        self._clients[reply_key[DESTINATION_PORT]][reply_key] = key
        self.count += 1

    def wake(self, key: bytes, now: float) -> Junction | None:
        """The junction at rest with packets of this 4-tuple, from either side, awake again, if there is one."""
        client_key = self._clients[key[DESTINATION_PORT]].get(key, key)
        record = self._records[client_key[SOURCE_PORT]].pop(client_key, None)
        if record is None:
            return None
        junction = self.packer.unpack(client_key, record)
        reply_key = junction.reply_key
        del self._clients[reply_key[DESTINATION_PORT]][reply_key]
        self.count -= 1
        junction.touched = now
        self._awake.append((now, junction))
        return junction

    def parts(self) -> Iterator[Mapping[bytes, bytes]]:
        """The records of all at rest, by 4-tuple of client packets; between two parts anything may change."""
        for records in self._records:
            if records:
                yield records
