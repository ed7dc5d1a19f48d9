"""Telling systemd about the state of the service (sd_notify(3)); does nothing where systemd did not start it."""

from __future__ import annotations

import os
import socket


def ready() -> None:
    """Start-up or a reload has finished."""
    _notify("READY=1")


def reloading(monotonic_seconds: float) -> None:
    """A reload begins; `monotonic_seconds` is CLOCK_MONOTONIC."""
    _notify(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic_seconds * 1_000_000)}")


def stopping() -> None:
    """The service begins to stop."""
    _notify("STOPPING=1")


def _notify(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        # unix(7): an abstract name starts with a zero byte, which an environment variable cannot hold.
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier:
        notifier.connect(address)
        notifier.sendall(state.encode())
