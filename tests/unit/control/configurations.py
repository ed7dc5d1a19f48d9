"""Configurations from plain values."""

from __future__ import annotations

from pathlib import Path

from slowpath.control.config import Config

_DEFAULT: dict[str, object] = {
    "fastpath": {"interfaces": ["eth0"]},
    "listeners": {"web": {"address": "10.1.0.100:80", "default": "web"}},
    "pools": {"web": {"servers": ["10.2.0.1:80"]}},
}


def configuration(directory: Path = Path(), **changes: object) -> Config:
    """A small configuration from a file in `directory`; `changes` replace its top-level keys."""
    return Config.validated(_DEFAULT | changes, directory)
