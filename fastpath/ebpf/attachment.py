"""Loading the program, attaching it to the host, and undoing it all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastpath.cpu_port import CpuPort
from fastpath.ebpf import layout, links
from fastpath.ebpf.admissions import Admissions
from fastpath.ebpf.blanks import Blanks
from fastpath.ebpf.compile import compiled
from fastpath.ebpf.hashing import SECRETS, TupleHash
from fastpath.ebpf.libbpf import Map, Object
from fastpath.ebpf.paths import Paths
from fastpath.ebpf.pins import Pins
from fastpath.ebpf.precedents import Precedents
from fastpath.ebpf.sizes import Sizes
from fastpath.ebpf.splices import Splices
from fastpath.ebpf.tables import Tables
from fastpath.errors import Unavailable
from fastpath.netlink import in_thread

SOURCE = Path(__file__).with_name("l7lb.bpf.c")
"""The program."""

_LONGEST_NAME = 14
"""A device name has 15 characters."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program in the kernel, and what stands for its maps on this side."""

    maps: Mapping[str, Map]
    tables: Tables
    splices: Splices
    precedents: Precedents
    admissions: Admissions
    blanks: Blanks


@dataclass(frozen=True, slots=True)
class Attached:
    """A program that runs on the host's interfaces."""

    loaded: Loaded
    port: CpuPort
    program_side: str
    """The program's side of the CPU interface."""
    interfaces: Sequence[str]


async def attach(
    stack: AsyncExitStack, interfaces: Sequence[str], name: str, pin_directory: Path, capacity: int
) -> Attached:
    """Attach the program to `interfaces`, as instance `name`; `stack` undoes it. Raises Unavailable or BpfError.

    What an earlier instance of that name has left behind is removed first.
    """
    if not 0 < len(name) <= _LONGEST_NAME:
        raise Unavailable(f"the fast path's name {name!r} is not 1..{_LONGEST_NAME} characters long")
    if not 0 < len(set(interfaces)) == len(interfaces) <= layout.MAX_PORTS:
        raise Unavailable(f"1..{layout.MAX_PORTS} interfaces are needed, each once: {', '.join(interfaces) or 'none'}")
    mark, slow_side, program_side = links.mark_of(name), f"{name}0", f"{name}1"
    ifindexes = await in_thread(partial(links.find, interfaces))
    program = Object(await asyncio.to_thread(compiled, SOURCE))
    stack.callback(program.close)

    await in_thread(partial(links.detach, mark))
    await in_thread(partial(links.remove_pair, mark))
    stack.push_async_callback(in_thread, partial(links.remove_pair, mark))
    slow_ifindex, program_ifindex = await in_thread(partial(links.create_pair, mark, slow_side, program_side))
    loaded = load(program, capacity, program_ifindex)
    stack.callback(loaded.splices.close)
    loaded.tables.set_ports(ifindexes)
    pins = Pins(pin_directory / name)
    stack.callback(pins.remove)
    pins.create(one for one in program.maps.values() if one.name.startswith("l7lb_") and "." not in one.name)
    port = CpuPort(slow_side)
    stack.callback(port.close)

    # The sides of the CPU interface first, so that nothing is punted before it is kept from the kernel.
    programs = {slow_ifindex: program.program("l7lb_drop"), program_ifindex: program.program("l7lb_cpu")}
    programs |= dict.fromkeys(ifindexes, program.program("l7lb_port"))
    stack.callback(links.restore, links.forwarding(interfaces))
    links.forward_ipv4(interfaces)
    added: list[int] = []
    stack.push_async_callback(in_thread, partial(links.detach, mark, added))
    await in_thread(partial(links.attach, mark, programs, added))
    return Attached(loaded, port, program_side, interfaces)


def load(program: Object, capacity: int, cpu_ifindex: int) -> Loaded:
    """Give the program to the kernel, with maps for `capacity` splices; raises BpfError."""
    maps, sizes = program.maps, Sizes(capacity)
    secrets = [int.from_bytes(os.urandom(8), "little") for _ in range(SECRETS)]
    (constants,) = (one for name, one in maps.items() if name.endswith(".rodata"))
    head_key = os.urandom(16)
    constants.initialise(layout.settings(secrets, head_key, sizes.buckets, cpu_ifindex, sizes.blanks // 2))
    for name, entries in sizes.maps.items():
        maps[name].resize(entries)
    program.load()
    tables = Tables(maps)
    precedents = Precedents(maps["l7lb_precedents"], maps["l7lb_followed"], head_key)
    hashing = TupleHash(secrets, sizes.buckets)
    paths = Paths(hashing, tables.set_path, precedents.retire)
    records, slots = maps["l7lb_splices"].memory(), maps["l7lb_index"].memory()
    splices = Splices(sizes, records, slots, hashing, paths)
    blanks = Blanks(splices, maps, sizes.blanks)
    admissions = Admissions(maps["l7lb_admissions"], maps["l7lb_accepted"], head_key, paths, blanks.paths)
    return Loaded(maps, tables, splices, precedents, admissions, blanks)
