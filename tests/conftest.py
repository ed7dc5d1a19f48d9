"""What all tests share: the seed of their random choices, and no quiet skips in CI."""

from __future__ import annotations

import os
import random
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests import targets

_OPTIONAL = "optional:"
_SEED = "L7LB_TEST_SEED"

_SEED_IN_CI = 1
"""A run that has to pass takes the same choices each time: a cookie's tag lets one stray segment in a thousand pass."""

seed_key = pytest.StashKey[int]()

# How long an example takes says more about the machine than about the code.
settings.register_profile("l7lb", deadline=None)
settings.load_profile("l7lb")


def pytest_configure(config: pytest.Config) -> None:
    usual = _SEED_IN_CI if os.environ.get("CI") else random.SystemRandom().getrandbits(32)
    seed = int(os.environ.get(_SEED) or usual)
    config.stash[seed_key] = seed
    os.environ[_SEED] = str(seed)  # for the processes that share the tests of this run
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = seed


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: repeat this run's random choices with {_SEED}={config.stash[seed_key]}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"targets: {targets.described()}")


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The run's seed, which the header of its output names."""
    return pytestconfig.stash[seed_key]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_skipped(report)
    return report


def _fail_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI, what a test needs has to be there."""
    if os.environ.get("CI") == "true" and report.skipped and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        if not reason.removeprefix("Skipped: ").startswith(_OPTIONAL):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: {reason}: in CI only a reason that starts with {_OPTIONAL!r} may skip"
