"""The `fastpath` section of a switch that runs the v1model program behind P4Runtime: bmv2, or the model of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, PlainValidator, ValidationInfo, model_validator

from slowpath.control.config.context import Context
from slowpath.control.config.section import mistakes
from slowpath.control.config.switch import PortConfig, SwitchConfig
from slowpath.control.config.values import choice

_DROP_PORT = 511
"""v1model's: what is sent there is dropped."""
_UINT64_MAX, _UINT128_MAX = (1 << 64) - 1, (1 << 128) - 1


def _readable_file(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not the name of a file")
    path = Context.of(info).directory / value
    try:
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; the P4 compiler writes it") from None
    return path


_ReadableFile = Annotated[Path, PlainValidator(_readable_file)]
"""Relative to the configuration file."""


class Bmv2PortConfig(PortConfig):
    """A port of bmv2: an interface that was given to it when it started."""

    foreign: ClassVar = dict.fromkeys(("speed", "fec"), "a port of kind tofino or model")


class Bmv2Config(SwitchConfig[Bmv2PortConfig]):
    """The P4Runtime service of the switch, and what the compiler made of the program."""

    foreign: ClassVar = dict.fromkeys(("interfaces", "name", "capacity", "learning"), "kind ebpf") | {
        "program": "kinds tofino and model"
    }

    kind: Annotated[str, PlainValidator(choice("bmv2"))]
    device: Annotated[int, Field(strict=True, ge=0, le=_UINT64_MAX)] = 0
    election_id: Annotated[int, Field(strict=True, ge=1, le=_UINT128_MAX)] = 1
    p4info: _ReadableFile
    device_config: _ReadableFile

    @model_validator(mode="after")
    def _no_port_drops(self) -> Bmv2Config:
        if _DROP_PORT in self.ports:
            what = f"{_DROP_PORT} is the port that drops what is sent to it: bmv2's ports are 0 to {_DROP_PORT - 1}"
            raise mistakes(type(self).__name__, [(("ports", str(_DROP_PORT)), what)])
        return self
