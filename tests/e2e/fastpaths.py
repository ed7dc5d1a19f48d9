"""Which fast paths the tests of a file run on, as its `pytestmark`; without one it is ebpf."""

from __future__ import annotations

import pytest

from tests.targets import V1MODEL_SWITCH

_SWITCHES = ["model", V1MODEL_SWITCH]


def _on(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("laboratory", kinds, indirect=True, scope="session")


EVERY_FASTPATH = _on("ebpf", *_SWITCHES)
ON_EVERY_SWITCH = _on(*_SWITCHES)
BEHIND_P4RUNTIME = _on(V1MODEL_SWITCH)
