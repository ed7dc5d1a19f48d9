"""The `l7lb` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from pydantic import ValidationError

from slowpath.control import admin, operations, searching, tables
from slowpath.control.client import FAILED, OK, add_json, add_options, ask, print_json
from slowpath.control.config import Config, ConfigError, load
from slowpath.control.status import ConnectionList, Status


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
    add_json(check)
    check.set_defaults(command=_check)

    status = commands.add_parser("status", help="show listeners, pools and servers of the running instance")
    add_options(status)
    status.set_defaults(command=_status)

    connections = commands.add_parser(
        "connections",
        help="list the open connections of the running instance",
        description="List the open connections that fit all the options, the oldest first.",
    )
    connections.add_argument("--client", metavar="NETWORK", help="from this address or network")
    connections.add_argument("--server", metavar="SERVER", help="to this ADDRESS:PORT")
    connections.add_argument("--pool", metavar="POOL", help="to a server of this pool")
    connections.add_argument("--state", choices=searching.STATES, metavar="STATE", help=", ".join(searching.STATES))
    connections.add_argument(
        "--limit",
        type=int,
        default=searching.LIMIT,
        metavar="N",
        help=f"list no more than N, at most {searching.MAX_LIMIT} (default: %(default)s)",
    )
    add_options(connections)
    connections.set_defaults(command=_connections)

    operations.add(commands)

    demo = commands.add_parser(
        "demo",
        help="balance in a laboratory of network namespaces",
        description="Build a laboratory in network namespaces, balance real traffic there and show what happened.",
    )
    _add_fastpath(demo)
    demo.add_argument("--keep", action="store_true", help="leave the laboratory up, and say how to enter it")
    demo.set_defaults(command=_demo)

    experiment = commands.add_parser("experiment", help="measure in a laboratory of network namespaces")
    _add_fig3(experiment.add_subparsers(title="experiments", metavar="EXPERIMENT", required=True))
    _add_bench(commands)
    return parser


def _add_fig3(experiments: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fig3 = experiments.add_parser(
        "fig3",
        help="packets in the main namespace by transfer size",
        description="Repeat the experiment of the L7LB paper, figure 3: count the packets of many downloads in the "
        "main namespace, without L7LB and with it, and write a table, a plot and what they were made with.",
    )
    _add_fastpath(fig3)
    fig3.add_argument("--output", type=Path, metavar="DIR", required=True, help="where fig3.* are written")
    fig3.add_argument("--sizes", metavar="LIST", help="sizes of the responses, such as 1k,30k,10M (default: nine)")
    fig3.add_argument("--clients", type=int, default=4, metavar="N", help="clients, each an ab (default: 4)")
    fig3.add_argument("--servers", type=int, default=4, metavar="N", help="servers (default: 4)")
    fig3.add_argument(
        "--requests",
        type=int,
        metavar="N",
        help="requests of each client for each size (default: what takes a few seconds)",
    )
    fig3.set_defaults(command=_fig3)


def _add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    bench = commands.add_parser(
        "bench",
        help="compare with other balancers in a laboratory of network namespaces",
        description="Measure direct routing, L7LB, HAProxy, nginx and Envoy in turn, with the same clients and the "
        "same server, and write tables, plots and the samples. The figures do not change the exit status.",
    )
    bench.add_argument("--output", type=Path, metavar="DIR", required=True, help="where benchmarks* are written")
    bench.add_argument("--quick", action="store_true", help="one short round, without SNAT: under two minutes")
    bench.add_argument("--rounds", type=int, metavar="N", help="turns of everyone (default: 5)")
    bench.add_argument("--seconds", type=int, metavar="N", help="of each measurement (default: 4)")
    bench.add_argument("--only", metavar="LIST", help="loads such as bulk,latency; DIR keeps what it has of the others")
    bench.set_defaults(command=_bench)


def _add_fastpath(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fastpath",
        choices=("ebpf", "model", "v1model", "bmv2"),
        default="ebpf",
        help="ebpf: this kernel (default); model, v1model: p4model with the program for Tofino or for bmv2; "
        "bmv2: P4.org's software switch",
    )


def _run(arguments: argparse.Namespace) -> int:
    # The other commands need neither the kernel nor an event loop.
    from slowpath.control import app  # noqa: PLC0415

    return app.run(arguments.config)


def _demo(arguments: argparse.Namespace) -> int:
    from deploy.laboratory import demo  # noqa: PLC0415

    return demo.main(arguments.fastpath, keep=arguments.keep)


def _fig3(arguments: argparse.Namespace) -> int:
    from deploy.experiment import fig3  # noqa: PLC0415

    return fig3.main(
        arguments.fastpath,
        arguments.output,
        sizes=arguments.sizes,
        clients=arguments.clients,
        servers=arguments.servers,
        requests=arguments.requests,
    )


def _bench(arguments: argparse.Namespace) -> int:
    from deploy.comparison import command  # noqa: PLC0415

    return command.main(
        arguments.output,
        quick=arguments.quick,
        rounds=arguments.rounds,
        seconds=arguments.seconds,
        only=arguments.only,
    )


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
        print_json({"ok": config is not None, "problems": listed})
    elif config is not None:
        servers = sum(len(pool.listed()) for pool in config.pools.values())
        counts = f"listeners: {len(config.listeners)}, pools: {len(config.pools)}, servers: {servers}"
        tables.say(f"{arguments.config} is right; {counts}")
    return FAILED if problems else OK


def _status(arguments: argparse.Namespace) -> int:
    result = ask(arguments, "status")
    if arguments.json:
        print_json(result)
    else:
        tables.show_status(Status.from_json(result))
    return OK


def _connections(arguments: argparse.Namespace) -> int:
    filters = {name: getattr(arguments, name) for name in ("limit", "client", "server", "pool", "state")}
    listed = ConnectionList.from_json(ask(arguments, "connections", **filters))
    if arguments.json:
        print_json([row.to_json() for row in listed.rows])
    else:
        tables.show_connections(listed.rows)
    if listed.left_out:
        print(f"{listed.left_out} of {listed.matching} connections are left out: see --limit", file=sys.stderr)  # noqa: T201
    return OK


if __name__ == "__main__":
    sys.exit(main())
