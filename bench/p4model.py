"""Packets a second through p4_tofino in the model: a spliced data packet, translated and sent to its server.

The packet that leaves is compared with the reference rewrite first, so that the figure is that of the whole work.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib

import p4_tofino
from fastpath.records import Flow, Splice
from fastpath.rewrite import translate
from p4model.program import Architecture, Pipeline, compile_program
from p4model.state import DeviceState
from slowpath.wire import tcp
from slowpath.wire.endpoint import Endpoint
from slowpath.wire.options import Options

_MAIN = {Architecture.TNA.value: p4_tofino.TOFINO, Architecture.V1MODEL.value: p4_tofino.V1MODEL}
_GROUP, _PATH, _NEXT_HOP = 1, 1, 1
_CLIENT_PORT, _SERVER_PORT = 1, 2
_OURS, _ROUTER, _SERVER = b"\2\1\0\0\1L", b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
_SPLICE = Splice(
    Flow(Endpoint.parse("198.51.100.7:40000"), Endpoint.parse("203.0.113.1:80")),
    server=Endpoint.parse("10.0.0.20:8080"),
    server_id=1,
    source=Endpoint.parse("198.51.100.7:40000"),
    delta=0x1234_5678,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=sorted(_MAIN), default="tna", help="default: %(default)s")
    parser.add_argument("--packets", type=int, default=20_000, help="packets of each round (default: 20000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the best counts (default: 3)")
    parser.add_argument("--payload", type=int, default=1000, help="bytes of payload (default: 1000)")
    arguments = parser.parse_args()
    pipeline = spliced(arguments.architecture)
    frame, expected = packets(arguments.payload)
    result = pipeline.process(_CLIENT_PORT, frame)
    if result.outputs != [(_SERVER_PORT, expected)] or result.findings:
        print(f"the program sent {result}, not {expected.hex()} to port {_SERVER_PORT}", file=sys.stderr)
        return 1
    fastest = min(seconds(pipeline, frame, arguments.packets) for _ in range(arguments.rounds))
    print(f"{arguments.packets / fastest:.0f} packets/s, {fastest / arguments.packets * 1e6:.1f} us each")
    return 0


def seconds(pipeline: Pipeline, frame: bytes, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        pipeline.process(_CLIENT_PORT, frame)
    return time.perf_counter() - start


def packets(payload: int) -> tuple[bytes, bytes]:
    """A frame of the client's, and what its server gets of it."""
    client, vip = _SPLICE.flow
    segment = tcp.Segment(client, vip, 1000, 2000, tcp.ACK, 500, Options(), bytes(payload))
    packet = tcp.build(segment)
    to_server, _ = _SPLICE.translations()
    return _OURS + _ROUTER + b"\x08\0" + packet, _SERVER + _OURS + b"\x08\0" + translate(packet, to_server)


def spliced(architecture: str) -> Pipeline:
    """The program with one splice."""
    program = compile_program(_MAIN[architecture], include=[p4_tofino.DIRECTORY])
    state = DeviceState(program.info)
    client, vip = _SPLICE.flow
    identity = client.address + client.port.to_bytes(2, "big") + _GROUP.to_bytes(2, "big")
    ours, server = int.from_bytes(_OURS), int.from_bytes(_SERVER)
    listener = (int.from_bytes(vip.address), vip.port)
    place = (int.from_bytes(_SPLICE.server.address), _SPLICE.server.port)
    for name, key, action, arguments in (
        ("ports", (_CLIENT_PORT,), "known", ()),
        ("addresses", (_CLIENT_PORT, ours), "ours", ()),
        ("vips", listener, "listener", (_GROUP,)),
        ("servers", place, "server", (_GROUP,)),
        ("connections", (zlib.crc32(identity),), "spliced", (_SPLICE.delta, 0, _PATH)),
        ("paths_to_server", (_PATH, *listener), "to_server", (*place, _NEXT_HOP)),
        ("next_hops", (_NEXT_HOP,), "direct", (_SERVER_PORT, ours, server)),
    ):
        (table,) = (table for full, table in state.tables.items() if full.endswith(f".{name}"))
        names = [listed.name.rpartition(".")[2] for listed in table.info.actions]
        table.insert(key, names.index(action), arguments)
    return program.pipeline(state)


if __name__ == "__main__":
    sys.exit(main())
