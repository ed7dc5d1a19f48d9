"""The command p4modelc: makes of a P4 program for v1model what a P4Runtime controller gives to p4model."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from google.protobuf import text_format

from p4model.language.errors import P4Error
from p4model.options import add_source_options
from p4model.p4runtime.compiling import compile_v1model
from p4model.p4runtime.p4info import p4info
from p4model.program import preprocessed

P4INFO_SUFFIX = ".p4info.txtpb"
"""Of the p4info, in protobuf's text format."""
CONFIG_SUFFIX = ".p4i"
"""Of the device configuration: the program as one text, as the preprocessor leaves it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 for an error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        _compile(options.program, options.include, dict(options.define), options.output)
    except (P4Error, OSError) as error:
        sys.stderr.write(f"p4modelc: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="p4modelc", description=__doc__)
    parser.add_argument("program", type=Path, metavar="PROGRAM.p4", help="the program, for the v1model architecture")
    add_source_options(parser)
    parser.add_argument(
        "-o",
        dest="output",
        type=Path,
        default=Path(),
        metavar="DIR",
        help=f"write PROGRAM{P4INFO_SUFFIX} and PROGRAM{CONFIG_SUFFIX} there (default: here)",
    )
    return parser


def _compile(source: Path, include: Sequence[Path], defines: dict[str, str], output: Path) -> None:
    """Write both files; nothing is written if the program is refused."""
    text = preprocessed(source, include=include, defines=defines)
    described = text_format.MessageToString(p4info(compile_v1model(text, str(source)).info))
    output.mkdir(parents=True, exist_ok=True)
    for suffix, content in ((P4INFO_SUFFIX, described), (CONFIG_SUFFIX, text)):
        (output / f"{source.stem}{suffix}").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
