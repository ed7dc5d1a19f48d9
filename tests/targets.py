"""Which of the targets that stand for one another the tests run on: what is on PATH decides."""

from __future__ import annotations

from deploy.laboratory.switches import Bmv2

_MISSING = Bmv2.missing()

V1MODEL_SWITCH = "v1model" if _MISSING else "bmv2"
"""What runs the v1model program: P4.org's switch where it is installed, else ours."""


def described() -> str:
    """The choice, and what led to it."""
    if _MISSING:
        return f"the v1model program runs on p4model: {' and '.join(_MISSING)} not on PATH"
    return "the v1model program runs on simple_switch_grpc"
