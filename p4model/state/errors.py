"""Why a change of the state is refused; a driver has one status for each."""

from __future__ import annotations


class StateError(Exception):
    """A change or a question that the state refuses; the message names the object and what is wrong."""


class InvalidArgument(StateError):
    """A value, an index or a combination of them that the object cannot take."""


class AlreadyExists(StateError):
    """An entry with this key is there already."""


class NotFound(StateError):
    """There is no such entry or object."""


class NoSpace(StateError):
    """The table has no room for another entry."""


class NotSupported(StateError):
    """The object cannot do this, or not in the mode it is in."""
