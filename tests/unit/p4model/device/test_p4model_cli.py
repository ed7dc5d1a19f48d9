"""The command: from source and interfaces to a device that a client can program."""

from __future__ import annotations

import asyncio
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import bfrt
from p4model.cli import main
from p4model.ports import Port
from tests.unit.ebpf.hosts import Host

SWAP = Path(__file__).with_name("swap.p4")
ROOT = Path(__file__).parents[4]
FRAME = bytes.fromhex("024c00000001 024c00000002 88b5") + bytes(50)


def _started(host: Host, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "p4model.cli", str(SWAP), *arguments]
    return host.run(
        lambda: subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )


async def _connect_ports(address: str) -> None:
    async with await bfrt.Session.open(address, "lines") as session:
        lines = session.table("lines")
        await session.write([lines.insert((1,), "to", (64,)), lines.insert((64,), "to", (1,))])


def test_frames_pass_as_the_tables_say(host: Host, tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'bfrt'}"
    options = ("--name", "lines", "--port", "1=left", "--port", "64=right", "--grpc", address)
    with _started(host, *options) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.stderr and process.stderr.read()
        asyncio.run(_connect_ports(address))
        near, far = host.run(lambda: Port(0, "left-far")), host.run(lambda: Port(0, "right-far"))
        for one, other in ((near, far), (far, near)):
            one.send(FRAME)
            assert select.select([other], [], [], 10)[0], "nothing has arrived"
            assert list(other.receive(1)) == [FRAME]
        near.close()
        far.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 0, errors


def test_what_cannot_be_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.p4"
    wrong.write_text("header {")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for arguments, told in (
            ([str(wrong)], f"{wrong}:1:"),
            ([str(tmp_path / "absent.p4")], "absent.p4"),
            ([str(SWAP), "--port", "1=absent0"], "port 1: cannot open the interface absent0"),
            ([str(SWAP), "--grpc", address], f"cannot listen on {address}"),
        ):
            assert main(arguments) == 1
            assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], [str(SWAP), "--port", "left"], [str(SWAP), "--port", "512=left"], [str(SWAP), "-D", "1=2"]]
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: p4model" in capsys.readouterr().err
