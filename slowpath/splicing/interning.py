"""Small numbers for objects that many records refer to, for as long as one of them does."""

from __future__ import annotations

NONE = 0
"""The number of no object."""


class Numbers:
    """Gives out numbers of 1..2^32-1 by the identity of objects, and keeps each object until its number is given back.

    A number that nobody has any more is given out again, so that they stay small.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        """By `id`, which no other object can have while ours is kept."""
        self._objects: list[object] = [None]
        self._counts: list[int] = [0]
        self._free: list[int] = []

    def __len__(self) -> int:
        """How many objects are kept."""
        return len(self._numbers)

    def take(self, thing: object) -> int:
        """The number of `thing`, once more; NONE for None."""
        if thing is None:
            return NONE
        number = self._numbers.get(id(thing))
        if number is not None:
            self._counts[number] += 1
            return number
        if self._free:
            number = self._free.pop()
            self._objects[number] = thing
            self._counts[number] = 1
        else:
            number = len(self._objects)
            self._objects.append(thing)
            self._counts.append(1)
        self._numbers[id(thing)] = number
        return number

    def give_back(self, number: int) -> object:
        """The object of a number that `take` gave out, which its holder needs no more."""
        if number == NONE:
            return None
        thing = self._objects[number]
        self._counts[number] -= 1
        if not self._counts[number]:
            del self._numbers[id(thing)]
            self._objects[number] = None
            self._free.append(number)
        return thing

    def look_up(self, number: int) -> object:
        """The object of a number that is given out."""
        return self._objects[number]
