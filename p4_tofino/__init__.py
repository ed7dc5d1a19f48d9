"""The P4_16 program of the switch targets, as data of a package: README.md beside this file says what is where."""

from __future__ import annotations

from pathlib import Path

DIRECTORY = Path(__file__).resolve().parent
"""The include directory: `#include "pipeline/paths.p4"` is relative to it."""

TOFINO = DIRECTORY / "tofino" / "l7lb.p4"
"""The main source for Tofino 1 and 2 (TNA and T2NA)."""

V1MODEL = DIRECTORY / "v1model" / "l7lb.p4"
"""The main source for bmv2 and every other target with the v1model architecture."""
