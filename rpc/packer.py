"""Updates of one kind for one table, many of them: for thousands of updates a second.

Where all values are sent in fixed lengths, all updates are the same bytes but for the values. Those bytes are one big
integer here, into which the values are shifted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from rpc.errors import SchemaError
from rpc.fields import Field, MatchType, check_count, check_integer

_U_co = TypeVar("_U_co", covariant=True)
_U = TypeVar("_U")


class Packer(Protocol[_U_co]):
    """Makes an update of the values of a key and the arguments of an action, in the order of the schema."""

    def __call__(self, key: Sequence[int], arguments: Sequence[int] = ()) -> _U_co:
        """Raises SchemaError for values that do not fit."""
        ...


def packer(
    table: str,
    what: str,
    key: Sequence[Field],
    parameters: Sequence[Field],
    serialised: Callable[[Sequence[int], Sequence[int]], bytes],
    made: Callable[[bytes], _U],
) -> Packer[_U]:
    """A function that makes updates, for exact integers only; it raises SchemaError for values that do not fit.

    `serialised` gives the bytes of an update with these values, always of the same length; `made` the update of such
    bytes. Raises SchemaError unless every key field matches exactly. `what` takes the parameters, in errors.
    """
    fields = (*key, *parameters)
    for field in fields:
        if field.match is not MatchType.EXACT or not field.width:
            raise SchemaError(f"{table}: {field.name} is not an exact integer; use insert(), modify(), delete()")
    keys, arity = len(key), len(parameters)

    def number(values: Sequence[int]) -> int:
        return int.from_bytes(serialised(values[:keys], values[keys:]))

    none = (0,) * len(fields)
    empty, length = number(none), len(serialised(none[:keys], none[keys:]))
    # A value of 1 differs from 0 in one bit of the message: that is where the field ends.
    ones = [(*none[:index], 1, *none[index + 1 :]) for index in range(len(fields))]
    shifts = [(number(values) ^ empty).bit_length() - 1 for values in ones]
    slots = tuple((field.width, shift) for field, shift in zip(fields, shifts, strict=True))
    of_key, of_data = slots[:keys], slots[keys:]

    def reason(values: Sequence[int], arguments: Sequence[int]) -> SchemaError:
        """What is wrong with values that do not fit."""
        try:
            check_count(table, "key", key, values)
            check_count(table, what, parameters, arguments)
            for field, value in zip(fields, (*values, *arguments), strict=True):
                check_integer(table, field, value)
        except SchemaError as error:
            return error
        raise AssertionError("the values fit")

    def pack(key: Sequence[int], arguments: Sequence[int] = ()) -> _U:
        if len(key) != keys or len(arguments) != arity:
            raise reason(key, arguments)
        bits = empty
        for value, (width, shift) in zip(key, of_key):  # noqa: B905 (counted above)
            if value >> width:
                raise reason(key, arguments)
            bits |= value << shift
        for value, (width, shift) in zip(arguments, of_data):  # noqa: B905 (counted above)
            if value >> width:
                raise reason(key, arguments)
            bits |= value << shift
        return made(bits.to_bytes(length))

    return pack
