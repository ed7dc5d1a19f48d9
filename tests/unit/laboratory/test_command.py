"""Commands end when they are told to, whatever they are doing at that moment."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

JOB = """
import os
import sys
import time

from deploy.laboratory.command import carry_out


class Finalised:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        for _ in range(1000):
            pass


def job():
    try:
        if sys.argv[2] == "finalising":
            Finalised()
        else:
            os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(60)
        return 0
    finally:
        print("cleared away")


sys.exit(carry_out("job", job))
"""


@pytest.mark.parametrize("moment", ["working", "finalising"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_job_and_has_it_cleared_away(number: signal.Signals, moment: str) -> None:
    command = [sys.executable, "-c", JOB, str(int(number)), moment]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number, "cleared away\n", "")
