"""Which of the targets that stand for one another the tests run on: what is installed, and permitted, decides."""

from __future__ import annotations

import os

from deploy.laboratory.switches import Bmv2

_MISSING = [f"{name} is not on PATH" for name in Bmv2.missing()]
if os.geteuid():
    _MISSING.append("bmv2 needs root")

V1MODEL_SWITCH = "v1model" if _MISSING else "bmv2"
"""What runs the v1model program: P4.org's switch where it is installed and the tests may start it, else ours."""


def described() -> str:
    """The choice, and what led to it."""
    if _MISSING:
        return f"the v1model program runs on p4model: {', '.join(_MISSING)}"
    return "the v1model program runs on simple_switch_grpc"
