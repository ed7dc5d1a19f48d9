"""Reading a configuration file: all of it is right, or it is refused with every mistake named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from slowpath.control.config import source as yaml_source
from slowpath.control.config.problems import ConfigError, Problem
from slowpath.control.config.schema import Config


def load(path: Path) -> Config:
    """Read and check a configuration; raises ConfigError."""
    source = yaml_source.read(path)
    config = None
    problems = list(source.problems)
    try:
        config = Config.validated(source.data, path.parent)
    except ValidationError as error:
        problems += [
            # pydantic marks a mistake in a key, not in its value, with one more step.
            source.problem(tuple(step for step in detail["loc"] if step != "[key]"), detail["msg"])
            for detail in error.errors(include_url=False)
        ]
    if config is not None:
        problems += _problems_of_files(config)
    if config is None or problems:
        raise ConfigError(sorted(problems))
    return config


def _problems_of_files(config: Config) -> Iterator[Problem]:
    """What is wrong with the files that hold servers of pools."""
    for pool in config.pools.values():
        try:
            pool.listed()
        except ConfigError as error:
            yield from error.problems
