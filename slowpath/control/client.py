"""What the commands that talk to a running instance have in common."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from slowpath.control import admin
from slowpath.control.config import DEFAULT_ADMIN, load

OK, FAILED = 0, 1
"""Exit statuses; argparse exits with 2 for wrong usage."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of every command that asks an instance and prints what it says."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--admin", type=Path, metavar="PATH", help=f"admin socket (default: {DEFAULT_ADMIN})")
    which.add_argument("--config", type=Path, metavar="FILE", help="configuration file that names the admin socket")
    add_json(parser)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option for programs."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def ask(
    options: argparse.Namespace, command: str, *, timeout: float = admin.ANSWER_TIMEOUT, **arguments: object
) -> object:
    """Ask the instance that `options` name; raises AdminError, or ConfigError for a wrong `--config`."""
    socket = load(options.config).admin if options.config else options.admin or DEFAULT_ADMIN
    return admin.request(socket, command, arguments, timeout=timeout)


def print_json(value: object) -> None:
    """Print a value for programs."""
    print(json.dumps(value, indent=2))  # noqa: T201
