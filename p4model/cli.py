"""The command p4model: a P4 program between network interfaces, with a BfRt server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from p4model.device import Device, Program
from p4model.language.errors import P4Error
from p4model.ports import PortError, Ports
from p4model.program import compile_program
from p4model.service import serve
from p4model.service.chip import TOFINO, TOFINO2, is_port

_CHIPS = {"1": TOFINO, "2": TOFINO2}
"""By the value of _TARGET."""
_TARGET = "__TARGET_TOFINO__"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 after SIGTERM or SIGINT, 1 for an error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        program = compile_program(options.program, include=options.include, defines=dict(options.define))
        asyncio.run(_run(program, options))
    except (P4Error, PortError, OSError) as error:
        sys.stderr.write(f"p4model: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="p4model", description=__doc__)
    add = parser.add_argument
    add("program", type=Path, metavar="PROGRAM.p4", help="the program, for the Tofino Native Architecture")
    add(
        "-I", dest="include", type=Path, action="append", default=[], metavar="DIR", help="look for included files here"
    )
    add("-D", dest="define", type=_define, action="append", default=[], metavar="NAME=VALUE", help="define a macro")
    add("--name", help="the name that clients bind to (default: that of the file)")
    add("--port", type=_port, action="append", default=[], metavar="N=INTERFACE", help="put device port N on INTERFACE")
    add("--grpc", default="127.0.0.1:50052", metavar="ADDRESS", help="where BfRt is served (default: %(default)s)")
    add("--pipes", type=int, choices=(1, 2, 4), default=4, help="pipes that registers have values of (default: 4)")
    return parser


async def _run(program: Program, options: argparse.Namespace) -> None:
    """Serve until a signal ends it."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    device = Device(program)
    interfaces = dict(options.port)
    ports = Ports(device, interfaces)
    try:
        server = await serve(
            device,
            options.grpc,
            name=options.name or options.program.stem,
            pipes=options.pipes,
            ports=sorted(port for port in interfaces if is_port(port, options.pipes)),
            chip=_CHIPS.get(dict(options.define).get(_TARGET, "1"), TOFINO),
        )
        try:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await end.wait()
        finally:
            await server.stop()
    finally:
        ports.close()


def _define(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{name!r} is no name of a macro")
    return name, value if equals else "1"


def _port(text: str) -> tuple[int, str]:
    number, _, interface = text.partition("=")
    if not number.isdecimal() or int(number) > 511 or not interface:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form N=INTERFACE with N from 0 to 511")
    return int(number), interface


if __name__ == "__main__":
    sys.exit(main())
