"""Fresh SYN cookie secrets as time goes on."""

from __future__ import annotations

import os
from collections.abc import Callable

from fastpath.records import SynCookies

EPOCH_SECONDS = 60.0
"""How long a key makes cookies; they are accepted for one epoch more, so a client may stay silent that long."""

_KEY_LENGTH = 16


def first(urandom: Callable[[int], bytes] = os.urandom) -> SynCookies:
    """The secrets to start with."""
    return SynCookies((urandom(_KEY_LENGTH), urandom(_KEY_LENGTH)), epoch=0)


def next_epoch(cookies: SynCookies, urandom: Callable[[int], bytes] = os.urandom) -> SynCookies:
    """The secrets of the following epoch: a new key, and the one used so far."""
    epoch = cookies.epoch + 1
    fresh, current = urandom(_KEY_LENGTH), cookies.keys[cookies.epoch & 1]
    return SynCookies((current, fresh) if epoch & 1 else (fresh, current), epoch)
