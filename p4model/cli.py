"""The command p4model: a switch between network interfaces, which a control plane programs.

A program for TNA is served by BfRt, one for v1model by P4Runtime, over which a controller may replace it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from p4model import bfruntime, p4runtime
from p4model.bfruntime.chip import TOFINO, TOFINO2, is_port
from p4model.device import Device, Pipeline, Switch
from p4model.language.errors import P4Error
from p4model.options import add_source_options
from p4model.ports import PortError, Ports
from p4model.program import Architecture, compile_program

_CHIPS = {"1": TOFINO, "2": TOFINO2}
"""By the value of _TARGET."""
_TARGET = "__TARGET_TOFINO__"
_BFRT_ADDRESS = "127.0.0.1:50052"
_P4RUNTIME_ADDRESS = "127.0.0.1:9559"
_PIPES = 4
_OTHERS_OPTIONS = {Architecture.TNA: ("device_id",), Architecture.V1MODEL: ("name", "pipes")}
"""Options that the server of an architecture does not have."""


class _Server(Protocol):
    async def stop(self) -> None: ...


_Serve = Callable[[], Awaitable[_Server]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 after SIGTERM or SIGINT, 1 for an error, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if (options.program is None) is not options.no_p4:
        parser.error("give PROGRAM.p4 or --no-p4, and not both")
    if options.no_p4 and (options.include or options.define):
        parser.error("-I and -D are for PROGRAM.p4, and not for --no-p4")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        architecture, device = _device(options)
        for option in _OTHERS_OPTIONS[architecture]:
            if getattr(options, option) is not None:
                parser.error(f"--{option.replace('_', '-')} is not for {architecture.value}")
        serve = _bfrt if architecture is Architecture.TNA else _p4runtime
        asyncio.run(serve(device, options))
    except (P4Error, PortError, OSError) as error:
        sys.stderr.write(f"p4model: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="p4model", description=__doc__)
    add = parser.add_argument
    add("program", type=Path, nargs="?", metavar="PROGRAM.p4", help="the program, for TNA or v1model")
    add("--no-p4", action="store_true", help="start without a program: a P4Runtime controller brings it")
    add_source_options(parser)
    add("--port", type=_port, action="append", default=[], metavar="N=INTERFACE", help="put device port N on INTERFACE")
    add("--grpc", metavar="ADDRESS", help=f"serve here (default: {_BFRT_ADDRESS}, or {_P4RUNTIME_ADDRESS} for v1model)")
    add("--name", help="TNA: the name that clients bind to (default: that of the file)")
    add("--pipes", type=int, choices=(1, 2, 4), help=f"TNA: pipes that registers have values of (default: {_PIPES})")
    add("--device-id", type=_number, metavar="N", help="v1model: the device_id of P4Runtime (default: 0)")
    return parser


def _device(options: argparse.Namespace) -> tuple[Architecture, Device | None]:
    """The device that the program makes, and its architecture."""
    if options.no_p4:
        return Architecture.V1MODEL, None
    program = compile_program(options.program, include=options.include, defines=dict(options.define))
    return program.architecture, Device(program)


async def _bfrt(device: Device | None, options: argparse.Namespace) -> None:
    assert device is not None
    pipes = options.pipes or _PIPES

    async def serve() -> _Server:
        return await bfruntime.serve(
            device,
            options.grpc or _BFRT_ADDRESS,
            name=options.name or options.program.stem,
            pipes=pipes,
            ports=sorted(port for port, _ in options.port if is_port(port, pipes)),
            chip=_CHIPS.get(dict(options.define).get(_TARGET, "1"), TOFINO),
        )

    await _run(device, options.port, serve)


async def _p4runtime(device: Device | None, options: argparse.Namespace) -> None:
    switch = Switch(device)

    async def serve() -> _Server:
        return await p4runtime.serve(switch, options.grpc or _P4RUNTIME_ADDRESS, device_id=options.device_id or 0)

    await _run(switch, options.port, serve)


async def _run(device: Pipeline, interfaces: Sequence[tuple[int, str]], serve: _Serve) -> None:
    """Take frames through a device that is served, until a signal ends it."""
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)
    ports = Ports(device, dict(interfaces))
    try:
        server = await serve()
        try:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await end.wait()
        finally:
            await server.stop()
    finally:
        ports.close()


def _port(text: str) -> tuple[int, str]:
    number, _, interface = text.partition("=")
    if not number.isdecimal() or int(number) > 511 or not interface:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form N=INTERFACE with N from 0 to 511")
    return int(number), interface


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) >> 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 2^64 - 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
