"""The documentation and the configuration say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from slowpath.control.config import (
    AccessLogConfig,
    Bmv2Config,
    Bmv2PortConfig,
    Config,
    EbpfConfig,
    HealthConfig,
    LimitsConfig,
    ListenerConfig,
    PassiveConfig,
    PoolConfig,
    RouteConfig,
    StaticRouteConfig,
    TimeoutsConfig,
    TofinoConfig,
    TofinoPortConfig,
    VxlanConfig,
    load,
)
from slowpath.control.config.edits import RequestHeaders, RewriteConfig
from slowpath.control.config.protection import ListenerLimitsConfig, RateConfig
from slowpath.control.config.replies import RedirectConfig, RespondConfig
from slowpath.control.config.section import Section

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    pytest.param(example, id=f"{page.name}-{number}")
    for page in PAGES
    for number, example in enumerate(re.findall(r"```yaml\n(fastpath:.*?)```", page.read_text(), re.S))
]


@pytest.mark.parametrize("file", sorted((ROOT / "deploy").rglob("l7lb.yaml")), ids=lambda file: file.parent.name)
def test_a_file_to_start_with_is_a_configuration(tmp_path: Path, file: Path) -> None:
    assert load(beside_what_it_names(tmp_path, file.read_text())).listeners


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_configuration(tmp_path: Path, example: str) -> None:
    assert load(beside_what_it_names(tmp_path, example)).listeners


def beside_what_it_names(directory: Path, text: str) -> Path:
    """A configuration file; what a compiler would have written is there, too."""
    directory = directory / "deploy" / "target"
    directory.mkdir(parents=True)
    for compiled in re.findall(r"(?:p4info|device_config): ([^\s,}]+)", text):
        made = directory / compiled
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
    file = directory / "l7lb.yaml"
    file.write_text(text)
    return file


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Top level", Config),
        ("timeouts", TimeoutsConfig),
        ("limits", LimitsConfig),
        ("access_log", AccessLogConfig),
        ("health", HealthConfig),
        ("passive", PassiveConfig),
    ],
)
def test_a_table_lists_the_keys_of_its_section(heading: str, section: type[Section]) -> None:
    assert documented(heading) == set(section.model_fields)


def test_the_tables_of_fastpath_list_the_keys_of_every_kind() -> None:
    switches = (TofinoConfig, TofinoPortConfig, Bmv2Config, Bmv2PortConfig, StaticRouteConfig, VxlanConfig)
    sections: tuple[type[Section], ...] = (EbpfConfig, *switches)
    assert documented("fastpath") == {key for section in sections for key in section.model_fields}


def test_the_tables_of_protection_list_its_keys() -> None:
    assert documented("Protection") == set(ListenerLimitsConfig.model_fields) | set(RateConfig.model_fields)


def test_the_tables_of_listeners_and_pools_list_their_keys() -> None:
    assert documented("listeners") == set(ListenerConfig.model_fields) | set(RouteConfig.model_fields)
    assert set(PoolConfig.model_fields) <= documented("pools")


def test_the_tables_of_edits_and_replies_list_their_keys() -> None:
    assert documented("Header edits") == set(RequestHeaders.model_fields) | set(RewriteConfig.model_fields)
    replies = "Redirects and fixed responses"
    assert documented(replies) == set(RedirectConfig.model_fields) | set(RespondConfig.model_fields)


def documented(heading: str) -> set[str]:
    """The first column of the tables below a heading."""
    page = (ROOT / "docs" / "configuration.md").read_text()
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    keys = set(re.findall(r"^\| `(\w+)`(?:, `\w+`)* \|", section, re.M))
    return keys
