"""The command: from source and interfaces to a device that a client can program."""

from __future__ import annotations

import asyncio
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

import bfrt
from p4model.cli import main
from p4model.ports import Port
from tests.unit.ebpf.hosts import Host
from tests.unit.p4model.p4runtime.rig import SOURCE, Client, line

SWAP = Path(__file__).with_name("swap.p4")
ROOT = Path(__file__).parents[4]
FRAME = bytes.fromhex("024c00000001 024c00000002 88b5") + bytes(50)
DECIDED = (1).to_bytes(6) + FRAME[6:]
"""What the table decisions of SOURCE makes of it."""


@contextmanager
def _running(host: Host, *arguments: str) -> Iterator[None]:
    """The command with its ports on left and right, which ends well when it is asked to."""
    command = [sys.executable, "-m", "p4model.cli", *arguments, "--port", "1=left", "--port", "64=right"]
    pipe = subprocess.PIPE
    with host.run(lambda: subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors


async def _connect_ports(address: str) -> None:
    async with await bfrt.Session.open(address, "lines") as session:
        lines = session.table("lines")
        await session.write([lines.insert((1,), "to", (64,)), lines.insert((64,), "to", (1,))])


async def _set_pipeline_and_connect_ports(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        client = Client(channel, device_id=3)
        async with client.controller():
            await client.set_pipeline()
            await client.insert(line(1, 64), line(64, 1))


async def _connect_ports_alone(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        client = Client(channel)
        async with client.controller():
            await client.insert(line(1, 64), line(64, 1))


@pytest.mark.parametrize(
    ("program", "connect", "arrives"),
    [
        ((str(SWAP), "--name", "lines"), _connect_ports, FRAME),
        (("--no-p4", "--device-id", "3"), _set_pipeline_and_connect_ports, DECIDED),
        ((str(SOURCE),), _connect_ports_alone, DECIDED),
    ],
    ids=["TNA", "no program", "v1model"],
)
def test_frames_pass_as_the_tables_say(
    host: Host,
    tmp_path: Path,
    program: tuple[str, ...],
    connect: Callable[[str], Coroutine[None, None, None]],
    arrives: bytes,
) -> None:
    address = f"unix:{tmp_path / 'grpc'}"
    with _running(host, *program, "--grpc", address):
        asyncio.run(connect(address))
        near, far = host.run(lambda: Port(0, "left-far")), host.run(lambda: Port(0, "right-far"))
        for one, other in ((near, far), (far, near)):
            one.send(FRAME)
            assert select.select([other], [], [], 10)[0], "nothing has arrived"
            assert list(other.receive(1)) == [arrives]
        near.close()
        far.close()


def test_what_cannot_be_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.p4"
    wrong.write_text("header {")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for arguments, told in (
            ([str(wrong)], f"{wrong}:1:"),
            ([str(tmp_path / "absent.p4")], "absent.p4"),
            (
                [str(SWAP), "--port", "1=absent0"],
                "port 1: cannot open the interface absent0: no interface with this name",
            ),
            ([str(SWAP), "--grpc", address], f"cannot listen on {address}"),
        ):
            assert main(arguments) == 1
            assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [str(SWAP), "--no-p4"],
        [str(SWAP), "--port", "left"],
        [str(SWAP), "--port", "512=left"],
        [str(SWAP), "-D", "1=2"],
        [str(SWAP), "--device-id", "1"],
        ["--no-p4", "--pipes", "2"],
        ["--no-p4", "--name", "x"],
        ["--no-p4", "-D", "SIZE=1"],
        ["--no-p4", "-I", "."],
        ["--no-p4", "--device-id", "-1"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: p4model" in capsys.readouterr().err
