"""What is said and shipped for bmv2 fits together, and names commands and options that there are."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.laboratory.switches import Bmv2
from p4model import cli as p4model
from p4model import compiler as p4modelc
from slowpath.control import cli as l7lb

ROOT = Path(__file__).parents[3]
_DIRECTORY = ROOT / "deploy" / "bmv2"
_README = (_DIRECTORY / "README.md").read_text()
_DOCKERFILE = (_DIRECTORY / "Dockerfile").read_text()
_COMPOSE: dict[str, Any] = yaml.safe_load((_DIRECTORY / "compose.yaml").read_text())
_FASTPATH: dict[str, Any] = yaml.safe_load((_DIRECTORY / "l7lb.yaml").read_text())["fastpath"]

_MAIN = {"l7lb": l7lb.main, "p4model": p4model.main, "p4modelc": p4modelc.main}
_BLOCKS = "\n".join(re.findall(r"^```\n(.*?)^```", _README, re.S | re.M)).replace("\\\n", " ")
_COMMANDS = re.findall(r"^\$ (.*)", _BLOCKS, re.M)
_IN_THE_LABORATORY = "run --rm laboratory "
"""What follows in a command is for `l7lb`, which is the container's entry point."""


def own() -> list[list[str]]:
    """The page's command lines of this project's commands."""
    lines = [*_COMMANDS, *(f"l7lb {line.partition(_IN_THE_LABORATORY)[2]}" for line in _COMMANDS)]
    return [words for words in map(shlex.split, lines) if words[0] in _MAIN and len(words) > 1]


def started(name: str) -> list[str]:
    """The command line of a service."""
    return shlex.split(_COMPOSE["services"][name]["command"])


def shown(program: str) -> list[str]:
    """The command line of the page that starts with `program`."""
    [line] = [line for line in _COMMANDS if line.startswith(f"{program} ")]
    return shlex.split(line)


@pytest.mark.parametrize("words", own(), ids=" ".join)
def test_its_commands_have_the_options_that_are_used(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = words
    subcommands = re.match(r"(?:(?:run|check|status|demo|experiment|fig3) ?)*", " ".join(arguments))
    assert subcommands is not None
    with pytest.raises(SystemExit) as ended:
        _MAIN[program]([*subcommands[0].split(), "--help"])
    assert ended.value.code == 0
    described = capsys.readouterr().out
    for option in (word for word in arguments if word.startswith("-")):
        assert re.search(rf"(?<!\S){option}\b", described), option


def test_there_are_commands_of_ours() -> None:
    assert len(own()) >= 6


def test_the_images_are_p4_orgs() -> None:
    services = _COMPOSE["services"]
    assert services["switch"]["image"] == "p4lang/behavioral-model:latest"
    assert services["compile"]["image"] == "p4lang/p4c:latest"
    assert re.findall(r"^FROM (\S+)", _DOCKERFILE, re.M)[0] == services["compile"]["image"]


def test_containers_run_what_the_page_says() -> None:
    assert started("switch") == shown("simple_switch_grpc")
    assert started("compile") == shown("p4c")


def test_the_laboratory_is_given_every_package() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert set(re.findall(r"^COPY (\w+) ", _DOCKERFILE, re.M)) == packages
    build = _COMPOSE["services"]["laboratory"]["build"]
    assert (_DIRECTORY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).samefile(_DIRECTORY / "Dockerfile")


def test_the_configuration_goes_with_the_switch() -> None:
    words = started("switch")
    interfaces = dict(re.findall(r"-i (\d+)@(\w+)", " ".join(words)))
    assert set(map(str, _FASTPATH["ports"])) == set(interfaces) - {"64"}
    assert f"ip link add {_FASTPATH['cpu_interface']} type veth peer name {interfaces['64']}" in _README
    assert words[words.index("--grpc-server-addr") + 1] == _FASTPATH["grpc"]
    assert words[words.index("--device-id") + 1] == str(_FASTPATH["device"])


def test_the_configuration_names_what_the_compiler_writes() -> None:
    words = started("compile")
    compiled = ROOT / words[words.index("-o") + 1] / Bmv2.device_config
    assert (_DIRECTORY / _FASTPATH["device_config"]).resolve() == compiled
    assert (_DIRECTORY / _FASTPATH["p4info"]).resolve() == ROOT / words[words.index("--p4runtime-files") + 1]
    assert (ROOT / words[-1]).is_file()
    assert (ROOT / words[words.index("-I") + 1]).is_dir()
