"""Sockets of the test's own process in namespaces of the laboratory: both ends of a connection in one test."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from pyroute2 import netns

from deploy.laboratory import Namespace

TIMEOUT = 10.0
"""Seconds that a test waits for anything on a socket."""
HEAD_END = b"\r\n\r\n"

_SOL_PACKET, _PACKET_IGNORE_OUTGOING, _ETH_P_ALL = 263, 23, 3
"""As linux/socket.h, linux/if_packet.h and linux/if_ether.h have them."""


def tcp_socket(namespace: Namespace) -> socket.socket:
    """A TCP socket in `namespace`, with a timeout."""
    return _socket(namespace, socket.AF_INET, socket.SOCK_STREAM)


def listening_socket(namespace: Namespace, port: int) -> socket.socket:
    """A TCP socket that accepts connections to any address of `namespace`, and waits for them without end."""
    made = tcp_socket(namespace)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.settimeout(None)
    made.bind(("0.0.0.0", port))  # noqa: S104 - within the namespace
    made.listen(128)
    return made


def packet_socket(namespace: Namespace) -> socket.socket:
    """A socket in `namespace` that sends whole IP packets to Ethernet addresses (packet(7))."""
    return _socket(namespace, socket.AF_PACKET, socket.SOCK_DGRAM)


def frame_socket(namespace: Namespace, interface: str) -> socket.socket:
    """A socket on `interface` in `namespace` that sends whole frames, and receives those that others send to it."""
    made = _socket(namespace, socket.AF_PACKET, socket.SOCK_RAW)
    made.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    made.bind((interface, _ETH_P_ALL))
    return made


def _socket(namespace: Namespace, family: int, kind: int) -> socket.socket:
    netns.pushns(namespace.name)
    try:
        made = socket.socket(family, kind)
    finally:
        netns.popns()
    made.settimeout(TIMEOUT)
    return made


def connect(namespace: Namespace, address: str, port: int, *, source_port: int = 0) -> socket.socket:
    """A connection from `namespace`, from `source_port`, or any if that is 0."""
    version, anywhere = (socket.AF_INET6, "::") if ":" in address else (socket.AF_INET, "0.0.0.0")  # noqa: S104
    made = _socket(namespace, version, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((anywhere, source_port))
        made.connect((address, port))
    except OSError:
        made.close()
        raise
    return made


def refuses(namespace: Namespace, address: str, port: int) -> bool:
    """Whether a new connection from `namespace` is refused."""
    try:
        connect(namespace, address, port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # Its SYN was still answered.
        return False
    return False


def reset(connection: socket.socket) -> None:
    """Close with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    chunks = []
    while chunk := connection.recv(1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


def read_exactly(connection: socket.socket, length: int) -> bytes:
    """The next `length` bytes, or fewer if the stream ends before."""
    data = b""
    while len(data) < length and (chunk := connection.recv(length - len(data))):
        data += chunk
    return data


def read_head(connection: socket.socket) -> bytes:
    """A message head, and nothing after it; empty if the stream ends before."""
    head = b""
    while not head.endswith(HEAD_END):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


@contextlib.contextmanager
def sending(connection: socket.socket, data: bytes) -> Iterator[None]:
    """Send `data` while the block runs, then shut down the sending side."""

    def send() -> None:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    with ThreadPoolExecutor(1) as executor:
        sent = executor.submit(send)
        yield
        sent.result(TIMEOUT)
