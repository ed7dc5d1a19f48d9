"""Which fast path the tests of a file run on, as its `pytestmark`; without one it is ebpf."""

from __future__ import annotations

import pytest

EVERY_FASTPATH = pytest.mark.parametrize("laboratory", ["ebpf", "model"], indirect=True, scope="session")
ON_THE_MODEL = pytest.mark.parametrize("laboratory", ["model"], indirect=True, scope="session")
