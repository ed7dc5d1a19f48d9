"""Whether a p4info is that of a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from google.protobuf.message import Message

from p4rt.proto import p4info_pb2 as config

_Object: TypeAlias = (
    config.Table | config.Action | config.Counter | config.DirectCounter | config.Register | config.Digest
)
_O = TypeVar("_O", bound=_Object)

_IGNORED = frozenset(
    {
        "alias",
        "annotations",
        "annotation_locations",
        "structured_annotations",
        "doc",
        "type_name",
        "index_type_name",
        "other_properties",
    }
)
"""Fields that say nothing about messages of the service."""


def differences(given: config.P4Info, own: config.P4Info) -> Iterator[str]:
    """What a controller would get wrong that goes by the p4info `given`, where the program's is `own`.

    The order of objects, comments and annotations make no difference, nor do actions that no table has.
    """
    yield from _kind("table", given.tables, own.tables)
    used = {action.preamble.id for action in own.actions}
    yield from _kind("action", (action for action in given.actions if action.preamble.id in used), own.actions)
    yield from _kind("counter", given.counters, own.counters)
    yield from _kind("direct counter", given.direct_counters, own.direct_counters)
    yield from _kind("register", given.registers, own.registers)
    yield from _kind("digest", given.digests, own.digests)
    for name, struct in own.type_info.structs.items():
        if name not in given.type_info.structs:
            yield f"struct {name}: is missing"
        else:
            yield from _fields(f"struct {name}", given.type_info.structs[name], struct)


def _kind(kind: str, given: Iterable[_O], own: Iterable[_O]) -> Iterator[str]:
    theirs, ours = _by_name(given), _by_name(own)
    for name in sorted(theirs.keys() | ours.keys()):
        if name not in ours:
            yield f"{kind} {name}: the program has none"
        elif name not in theirs:
            yield f"{kind} {name}: is missing"
        else:
            yield from _fields(f"{kind} {name}", theirs[name], ours[name])


def _by_name(objects: Iterable[_O]) -> Mapping[str, _O]:
    return {one.preamble.name: one for one in objects}


def _fields(where: str, given: Message, own: Message) -> Iterator[str]:
    """The differing fields of two messages of a type, each with its path behind `where`."""
    for field in own.DESCRIPTOR.fields:
        if field.name not in _IGNORED:
            yield from _values(f"{where}: {field.name}", getattr(given, field.name), getattr(own, field.name))


def _values(place: str, given: object, own: object) -> Iterator[str]:
    if isinstance(given, Message) and isinstance(own, Message):
        yield from _fields(place, given, own)
    elif isinstance(given, str | bytes | int):
        if given != own:
            yield f"{place} is {given!r}, but {own!r} in the program"
    elif isinstance(given, Iterable) and isinstance(own, Iterable):
        theirs, ours = list(given), list(own)
        if len(theirs) != len(ours):
            yield f"{place}: there are {len(theirs)}, but {len(ours)} in the program"
        for index, (one, other) in enumerate(zip(theirs, ours, strict=False)):
            yield from _values(f"{place}[{index}]", one, other)
