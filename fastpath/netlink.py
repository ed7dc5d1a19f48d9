"""rtnetlink for code that runs under any event loop.

pyroute2 waits for the kernel on an event loop of its own, and cannot use uvloop's: call `netlink`
in a thread, by `in_thread`.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from fastpath.errors import Unavailable

_T = TypeVar("_T")


async def in_thread(function: Callable[[], _T]) -> _T:
    """Run `function` in a new thread, which is in the network namespace of the one that starts it."""
    with ThreadPoolExecutor(1) as executor:
        return await asyncio.get_running_loop().run_in_executor(executor, function)


@contextmanager
def netlink() -> Iterator[IPRoute]:
    """A connection to the kernel; what it refuses is raised as Unavailable."""
    loop = asyncio.SelectorEventLoop()
    try:
        with IPRoute(use_event_loop=loop) as ipr:
            yield ipr
    except NetlinkError as error:
        hint = "; it takes root, or CAP_NET_ADMIN" if error.code == errno.EPERM else ""
        raise Unavailable(f"the kernel refuses a change of its network devices: {error}{hint}") from error
    finally:
        loop.close()
