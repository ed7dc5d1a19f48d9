"""The `fastpath` section of a switch that runs the TNA program: a Tofino, or the model of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import PlainValidator, model_validator

from fastpath.switch.network import Port
from slowpath.control.config.switch import PortConfig, SwitchConfig
from slowpath.control.config.values import Name, choice

SPEEDS = ("10G", "25G", "40G", "50G", "100G", "200G", "400G")
FECS = ("none", "firecode", "reed_solomon")


class TofinoPortConfig(PortConfig):
    """A port of a Tofino; one with a `speed` is set up by us, any other is up already."""

    speed: Annotated[str, PlainValidator(choice(*SPEEDS))] | None = None
    fec: Annotated[str, PlainValidator(choice(*FECS))] | None = None

    @model_validator(mode="after")
    def _set_up_or_not(self) -> TofinoPortConfig:
        if self.fec is not None and self.speed is None:
            raise ValueError("fec goes with a speed: give both, or neither for a port that is up already")
        return self

    def port(self, number: int) -> Port:
        """As the fast path takes it."""
        return replace(super().port(number), speed=self.speed, fec=(self.fec or "none") if self.speed else None)


class TofinoConfig(SwitchConfig[TofinoPortConfig]):
    """The BfRt service of the switch, and the name that the program has there."""

    foreign: ClassVar = dict.fromkeys(("interfaces", "name", "capacity", "learning"), "kind ebpf") | dict.fromkeys(
        ("device", "election_id", "p4info", "device_config"), "kind bmv2"
    )

    kind: Annotated[str, PlainValidator(choice("tofino", "model"))]
    program: Name = "l7lb"
