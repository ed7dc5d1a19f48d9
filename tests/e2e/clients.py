"""Real clients in the client's namespace, and what they report."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deploy.laboratory import VIP, Laboratory
from deploy.laboratory.namespace import LaboratoryError

_SLACK = 30.0
"""Seconds that a load generator may take beyond what it was asked to."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request; `server` and `client` are its X-Server and X-Client fields or empty.

    `seconds` is curl's time_total.
    """

    status: int
    server: str
    client: str
    seconds: float


def curl(laboratory: Laboratory, path: str, *options: str, address: str = VIP) -> Answer:
    """One request in a connection of its own; raises LaboratoryError if there was no whole answer within 10 s."""
    output = laboratory.client.run(
        [
            *("curl", "-sS", "-m", "10", "-o", "/dev/null", "-D", "-", "-w", "\ntime %{time_total}\n"),
            *options,
            f"http://{address}{path}",
        ]
    )
    status = re.findall(r"^HTTP/\S+ (\d+)", output, re.M)
    server, client = (re.search(rf"^X-{name}: (\S+)", output, re.M) for name in ("Server", "Client"))
    seconds = re.search(r"^time (\S+)", output, re.M)
    assert status and seconds, output
    return Answer(int(status[-1]), server[1] if server else "", client[1] if client else "", float(seconds[1]))


def ab(
    laboratory: Laboratory, path: str, *, requests: int, concurrency: int, address: str = VIP, host: str = VIP
) -> int:
    """Requests for `host` without keep-alive; returns how many failed."""
    argv = ["ab", "-q", "-n", str(requests), "-c", str(concurrency), "-H", f"Host: {host}", f"http://{address}{path}"]
    output = laboratory.client.run(argv, timeout=2 * _SLACK)
    figures = dict(re.findall(r"^(Complete requests|Failed requests|Non-2xx responses): +(\d+)", output, re.M))
    if int(figures["Complete requests"]) != requests:
        raise LaboratoryError(f"ab did not finish: {output}")
    return int(figures["Failed requests"]) + int(figures.get("Non-2xx responses", 0))


def wrk(laboratory: Laboratory, path: str, *, concurrency: int, seconds: int, address: str = VIP) -> list[str]:
    """Requests with keep-alive; returns wrk's complaints."""
    argv = ["wrk", "-t1", f"-c{concurrency}", f"-d{seconds}", f"http://{address}{path}"]
    output = laboratory.client.run(argv, timeout=seconds + _SLACK)
    served = re.search(r"(\d+) requests in", output)
    if not served or not int(served[1]):
        raise LaboratoryError(f"wrk served nothing: {output}")
    return [line.strip() for line in output.splitlines() if "Socket errors" in line or "Non-2xx" in line]


def timeouts(laboratory: Laboratory) -> int:
    """Retransmission timeouts of the client and the servers so far."""
    hosts = [laboratory.client, *(server.namespace for server in laboratory.servers)]
    return sum(host.counter("TcpExtTCPTimeouts") for host in hosts)
