"""The `l7lb` command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from slowpath.control import admin, tables
from slowpath.control.config import DEFAULT_ADMIN, Config, ConfigError, load
from slowpath.control.status import ConnectionRow, Status

OK, FAILED = 0, 1  # argparse exits with 2 for wrong usage


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 1 (failed) or 2 (usage)."""
    parsed = _parser().parse_args(arguments)
    try:
        status: int = parsed.command(parsed)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201
        return FAILED
    except admin.AdminError as error:
        print(f"l7lb: {error}", file=sys.stderr)  # noqa: T201
        return FAILED
    except ValidationError:
        print("l7lb: the instance that runs is of another version: use its own l7lb, or --json", file=sys.stderr)  # noqa: T201
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would complain again when it flushes at exit.
        sys.stderr.close()
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="l7lb", description="A layer-7 load balancer that splices TCP connections.")
    parser.add_argument("--version", action="version", version=f"l7lb {version('l7lb')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="balance", description="Balance until SIGTERM; SIGHUP reloads CONFIG.")
    run.add_argument("config", type=Path, metavar="CONFIG", help="configuration file")
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="check a configuration", description="Name every mistake in CONFIG.")
    check.add_argument("config", type=Path, metavar="CONFIG", help="configuration file")
    _add_json(check)
    check.set_defaults(command=_check)

    status = commands.add_parser("status", help="show listeners, pools and servers of the running instance")
    _add_socket(status)
    _add_json(status)
    status.set_defaults(command=_status)

    connections = commands.add_parser("connections", help="list the open connections of the running instance")
    _add_socket(connections)
    _add_json(connections)
    connections.set_defaults(command=_connections)

    demo = commands.add_parser(
        "demo",
        help="balance in a laboratory of network namespaces",
        description="Build a laboratory in network namespaces, balance real traffic there and show what happened.",
    )
    demo.add_argument(
        "--fastpath",
        choices=("ebpf", "model"),
        default="ebpf",
        help="ebpf: this kernel (default); model: the TNA program of the switch, interpreted",
    )
    demo.add_argument("--keep", action="store_true", help="leave the laboratory up, and say how to enter it")
    demo.set_defaults(command=_demo)
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_socket(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--admin", type=Path, metavar="PATH", help=f"admin socket (default: {DEFAULT_ADMIN})")
    which.add_argument("--config", type=Path, metavar="FILE", help="configuration file that names the admin socket")


def _run(arguments: argparse.Namespace) -> int:
    # The other commands need neither the kernel nor an event loop.
    from slowpath.control import app  # noqa: PLC0415

    return app.run(arguments.config)


def _demo(arguments: argparse.Namespace) -> int:
    from deploy.laboratory import demo  # noqa: PLC0415

    return demo.main(arguments.fastpath, keep=arguments.keep)


def _check(arguments: argparse.Namespace) -> int:
    try:
        config: Config | None = load(arguments.config)
        problems = []
    except ConfigError as error:
        if not arguments.json:
            raise
        config, problems = None, error.problems
    if arguments.json:
        listed = [
            {"file": str(problem.file), "line": problem.line, "path": problem.path, "message": problem.message}
            for problem in problems
        ]
        _print_json({"ok": config is not None, "problems": listed})
    elif config is not None:
        servers = sum(len(pool.servers) for pool in config.pools.values())
        counts = f"listeners: {len(config.listeners)}, pools: {len(config.pools)}, servers: {servers}"
        tables.say(f"{arguments.config} is right; {counts}")
    return FAILED if problems else OK


def _status(arguments: argparse.Namespace) -> int:
    result = _ask(arguments, "status")
    if arguments.json:
        _print_json(result)
    else:
        tables.show_status(Status.from_json(result))
    return OK


def _connections(arguments: argparse.Namespace) -> int:
    result = _ask(arguments, "connections")
    if arguments.json:
        _print_json(result)
    else:
        tables.show_connections(ConnectionRow.list_from_json(result))
    return OK


def _ask(arguments: argparse.Namespace, command: str) -> object:
    socket = load(arguments.config).admin if arguments.config else arguments.admin or DEFAULT_ADMIN
    return admin.request(socket, command)


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
