"""Options that the commands have in common."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the preprocessor; they are `include` and `define`, both lists."""
    add = parser.add_argument
    add(
        "-I", dest="include", type=Path, action="append", default=[], metavar="DIR", help="look for included files here"
    )
    add(
        "-D",
        dest="define",
        type=_define,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="define a macro (1 if no VALUE)",
    )


def _define(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{name!r} is no name of a macro")
    return name, value if equals else "1"
