"""The commands by which an operator changes a running instance, and watches it: reload, drain, undrain, weight, top."""

from __future__ import annotations

import argparse
import time

from slowpath.control import tables, top
from slowpath.control.client import FAILED, OK, add_options, ask, print_json
from slowpath.control.report import Report
from slowpath.control.status import ServerRow, Status

_RELOAD_TIMEOUT = 180.0
"""Seconds for a reload to end: it waits for the first probe of each new server, and a while for names."""

_LOOK = 0.2
"""Seconds from one look at a server that drains to the next."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    reload = commands.add_parser(
        "reload",
        help="put the configuration file in force",
        description="Have the running instance read its configuration file again, and say what has changed, "
        "or what is wrong with it: then the old configuration stays in force as a whole.",
    )
    reload.set_defaults(command=_reload)

    drain = commands.add_parser(
        "drain",
        help="keep new connections away from a server",
        description="Send no new connections to SERVER; those that it has go on. Holds until undrain.",
    )
    drain.add_argument("--wait", action="store_true", help="return when the server has no connections any more")
    drain.set_defaults(command=_drain)

    undrain = commands.add_parser(
        "undrain", help="let a server have new connections again", description="End what drain began."
    )
    undrain.set_defaults(command=_undrain)

    weight = commands.add_parser(
        "weight",
        help="change the weight of a server",
        description="Give SERVER another weight than the configuration does, until that says a new one for it.",
    )
    for parser in (drain, undrain, weight):
        parser.add_argument("server", metavar="SERVER", help="ADDRESS:PORT, or NAME:PORT as in the configuration")
        parser.add_argument("--pool", metavar="POOL", help="in this pool only (default: in every one that has it)")
    weight.add_argument("weight", metavar="N", type=_weight, help="0 to 1000, or 'configured' for what the file says")
    weight.set_defaults(command=_change_weight)

    watch = commands.add_parser(
        "top",
        help="watch listeners and servers",
        description="Show connections, requests and bytes per second until q or Ctrl-C; once if the output is no "
        "terminal.",
    )
    watch.add_argument(
        "--interval", type=_seconds, default=1.0, metavar="SECONDS", help="between two looks (default: 1)"
    )
    watch.set_defaults(command=_top)
    for parser in (reload, drain, undrain, weight, watch):
        add_options(parser)


def _weight(text: str) -> int | None:
    if text == "configured":
        return None
    if not text.isascii() or not text.isdigit() or int(text) > 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of 0 to 1000 nor 'configured'")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0.1 to 3600")
    return seconds


def _reload(arguments: argparse.Namespace) -> int:
    result = ask(arguments, "reload", timeout=_RELOAD_TIMEOUT)
    report = Report.from_json(result)
    if arguments.json:
        print_json(result)
    else:
        tables.show_report(report)
    return OK if report.in_force else FAILED


def _drain(arguments: argparse.Namespace) -> int:
    rows = ServerRow.list_from_json(ask(arguments, "drain", server=arguments.server, pool=arguments.pool))
    if arguments.wait:
        rows = _ended(arguments, rows)
    return _show(arguments, rows)


def _ended(arguments: argparse.Namespace, rows: list[ServerRow]) -> list[ServerRow]:
    """The same servers once they have no connections; one that the configuration has lost is as good."""
    places = {(row.pool, row.address) for row in rows}
    while any(row.connections for row in rows):
        time.sleep(_LOOK)
        status = Status.from_json(ask(arguments, "status"))
        rows = [row for row in status.rows() if (row.pool, row.address) in places]
    return rows


def _undrain(arguments: argparse.Namespace) -> int:
    result = ask(arguments, "undrain", server=arguments.server, pool=arguments.pool)
    return _show(arguments, ServerRow.list_from_json(result))


def _change_weight(arguments: argparse.Namespace) -> int:
    result = ask(arguments, "weight", server=arguments.server, pool=arguments.pool, weight=arguments.weight)
    return _show(arguments, ServerRow.list_from_json(result))


def _show(arguments: argparse.Namespace, rows: list[ServerRow]) -> int:
    if arguments.json:
        print_json([row.to_json() for row in rows])
    else:
        for row in rows:
            tables.say(f"{row.address} in pool {row.pool}: {tables.standing(row)}")
    return OK


def _top(arguments: argparse.Namespace) -> int:
    def take() -> Status:
        return Status.from_json(ask(arguments, "status"))

    if arguments.json:
        print_json(top.sample(take, arguments.interval).to_json())
    else:
        top.watch(take, arguments.interval)
    return OK
