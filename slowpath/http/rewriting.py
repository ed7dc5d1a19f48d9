"""Other paths in the place of those that clients ask for, as Gateway API's HTTPPathModifier has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class FullPath:
    """`value`, whatever the path was (ReplaceFullPath)."""

    value: str

    def of(self, path: str) -> str:
        """What `path` becomes."""
        return self.value


@dataclass(frozen=True, slots=True)
class PrefixPath:
    """`value` in the place of `prefix`, which the path starts with (ReplacePrefixMatch).

    A slash at the end of either makes no difference: what follows the prefix keeps its own.
    """

    prefix: str
    value: str

    def of(self, path: str) -> str:
        """What `path` becomes."""
        rest = path[len(self.prefix.rstrip("/")) :]
        changed = self.value.rstrip("/") + rest if rest else self.value
        # Without the slash of a path of its own, the rest could leave what it is put under: /static../x.
        return changed if changed.startswith("/") else f"/{changed}"


PathRewrite: TypeAlias = FullPath | PrefixPath
