"""Memory as /proc has it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deploy.comparison import memory


def test_a_field_is_at_the_beginning_of_a_line() -> None:
    text = "Pss_Anon: 7 kB\nPss:     1234 kB\nSwapPss: 9 kB\n"
    assert memory.field(text, "Pss") == 1234
    with pytest.raises(ValueError, match="there is no Rss"):
        memory.field(text, "Rss")


def test_processes_are_those_of_a_session() -> None:
    command = [sys.executable, "-c", "import os, sys; child = os.fork(); sys.stdin.read(); child and os.wait()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        while len(memory.processes(process.pid)) < 2:
            assert process.poll() is None
        assert process.pid in memory.processes(process.pid)
        assert os.getpid() not in memory.processes(process.pid)
        process.communicate()
    assert memory.processes(process.pid) == []


def test_memory_of_processes_is_counted() -> None:
    pid = os.getpid()
    ballast = os.urandom(32_000_000)
    assert memory.process_memory([pid]) > len(ballast)
    assert memory.process_memory([]) == 0
    assert memory.map_memory([pid]) == 0
    assert memory.kernel_memory() > 0


def test_mapped_ebpf_maps_are_no_memory_of_the_process() -> None:
    smaps = """\
55d0c0000000-55d0c0021000 rw-p 00000000 00:00 0                          [heap]
Rss:                 200 kB
Pss:                 100 kB
Pss_Dirty:            50 kB
7f0000000000-7f0008000000 rw-s 00000000 00:0e 2060                       anon_inode:bpf-map
Pss:              131072 kB
7f0009000000-7f0009001000 r--p 00000000 fe:00 1234                       /usr/lib/libc.so.6
Pss:                   4 kB
"""
    assert memory.proportional_set_size(smaps) == 104 * 1024
