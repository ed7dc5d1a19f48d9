"""What a rule can ask of a text: a host, a path or a header's value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import re2

REGEX_MEMORY = 1 << 20
"""Bytes that one regular expression may use, compiled and with its automata."""


class InvalidPattern(ValueError):
    """RE2 does not accept `pattern`; `reason` is what it says."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(f"{pattern!r} is not a regular expression of RE2: {reason}")
        self.pattern = pattern
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Exact:
    """The text is `value`."""

    value: str

    def matches(self, text: str) -> bool:
        """Whether `text` is the value."""
        return text == self.value


@dataclass(frozen=True, slots=True)
class Prefix:
    """The text starts with `value`."""

    value: str

    def matches(self, text: str) -> bool:
        """Whether `text` starts with the value."""
        return text.startswith(self.value)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The text ends with `suffix` after one label or more: `example.com` stands for `*.example.com`."""

    suffix: str

    def matches(self, text: str) -> bool:
        """Whether `text` is a name below the suffix, but not the suffix itself."""
        return text.endswith("." + self.suffix) and not text.startswith(".")


@dataclass(frozen=True, slots=True)
class Regex:
    """`value`, in RE2's syntax, matches somewhere in the text; `^` and `$` anchor it to the ends.

    Matching takes time linear in the text and bounded memory whatever the pattern. Raises
    InvalidPattern.
    """

    value: str
    _compiled: _Pattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", _compile(self.value))

    def matches(self, text: str) -> bool:
        """Whether the pattern matches somewhere in `text`."""
        # Given a str, the binding would spend most of its time on match offsets in characters.
        return self._compiled.search(text.encode()) is not None


@dataclass(frozen=True, slots=True)
class Present:
    """Any text will do, as long as there is one."""

    def matches(self, text: str) -> bool:
        """True."""
        return True


class _Pattern(Protocol):
    def search(self, text: bytes) -> object | None: ...


def _compile(pattern: str) -> _Pattern:
    """Raises InvalidPattern."""
    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.never_capture = True
    options.log_errors = False
    try:
        compiled: _Pattern = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        raise InvalidPattern(pattern, reason.decode(errors="replace")) from None
    except UnicodeEncodeError as error:
        raise InvalidPattern(pattern, error.reason) from None
    return compiled
