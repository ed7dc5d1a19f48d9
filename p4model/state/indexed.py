"""Arrays that packets count in and write to: indirect counters and registers.

A control plane reads a copy, which `synchronise` refreshes, unless it asks for what the hardware holds.
"""

from __future__ import annotations

from p4model.objects import CounterInfo, RegisterInfo
from p4model.state.errors import InvalidArgument


class IndexedCounter:
    """An indirect counter. An index beyond its size counts nothing."""

    def __init__(self, info: CounterInfo) -> None:
        self.info = info
        self._mask = (1 << info.width) - 1
        self.clear()

    def clear(self) -> None:
        """Set every count to 0."""
        self._packets = [0] * self.info.size
        self._octets = [0] * self.info.size
        self.synchronise()

    def count(self, index: int, frame_bytes: int) -> None:
        """Count one packet of `frame_bytes` bytes."""
        if index < self.info.size:
            self._packets[index] = (self._packets[index] + 1) & self._mask
            self._octets[index] = (self._octets[index] + frame_bytes) & self._mask

    def synchronise(self) -> None:
        """Refresh the copy."""
        self._copy = (self._packets.copy(), self._octets.copy())

    def read(self, index: int, *, from_hardware: bool) -> tuple[int, int]:
        """Packets and bytes; raises InvalidArgument for an index out of range."""
        require_index(self.info.name, index, self.info.size)
        packets, octets = (self._packets, self._octets) if from_hardware else self._copy
        return packets[index], octets[index]

    def write(self, index: int, packets: int | None, octets: int | None) -> None:
        """Set counts, None leaves one as it is; raises InvalidArgument for an index out of range."""
        require_index(self.info.name, index, self.info.size)
        for value, *arrays in ((packets, self._packets, self._copy[0]), (octets, self._octets, self._copy[1])):
            if value is not None:
                for array in arrays:
                    array[index] = value & self._mask


class IndexedRegister:
    """A register array; a value is the tuple of its members. An index beyond its size reads zeros and keeps nothing."""

    def __init__(self, info: RegisterInfo) -> None:
        self.info = info
        self._zeros = (0,) * len(info.members)
        self.clear()

    def clear(self) -> None:
        """Set every value to what the program initialises it with."""
        self._values = [self.info.initial] * self.info.size
        self.synchronise()

    def read(self, index: int) -> tuple[int, ...]:
        """What a packet reads."""
        return self._values[index] if index < self.info.size else self._zeros

    def write(self, index: int, value: tuple[int, ...]) -> None:
        """What a packet writes."""
        if index < self.info.size:
            self._values[index] = value

    def synchronise(self) -> None:
        """Refresh the copy."""
        self._copy = self._values.copy()

    def get(self, index: int, *, from_hardware: bool) -> tuple[int, ...]:
        """A value; raises InvalidArgument for an index out of range."""
        require_index(self.info.name, index, self.info.size)
        return (self._values if from_hardware else self._copy)[index]

    def set(self, index: int, value: tuple[int, ...]) -> None:
        """Set a value, in the copy as well; raises InvalidArgument for an index out of range."""
        require_index(self.info.name, index, self.info.size)
        self._values[index] = self._copy[index] = value


def require_index(name: str, index: int, size: int) -> None:
    """Raise InvalidArgument unless the index is within the array."""
    if not 0 <= index < size:
        raise InvalidArgument(f"{name}: index {index} is not below its size, {size}")
