"""The `fastpath` section: one of several, by its `kind`."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field, PlainValidator, ValidationInfo, field_validator

from slowpath.control.config.bmv2 import Bmv2Config
from slowpath.control.config.context import Context
from slowpath.control.config.section import Section, mistakes
from slowpath.control.config.switch import SwitchConfig
from slowpath.control.config.tofino import TofinoConfig
from slowpath.control.config.values import InstanceName, Interface, choice


class EbpfConfig(Section):
    """The kernel of this host: the interfaces that the program is attached to."""

    foreign: ClassVar = (
        dict.fromkeys(("grpc", "cpu_interface", "ports", "routes"), "kinds tofino, model and bmv2")
        | {"program": "kinds tofino and model"}
        | dict.fromkeys(("device", "election_id", "p4info", "device_config"), "kind bmv2")
    )

    kind: Annotated[str, PlainValidator(choice("ebpf"))] = "ebpf"
    name: InstanceName = "l7lb"
    interfaces: Annotated[tuple[Interface, ...], Field(min_length=1)]
    capacity: Annotated[int, Field(strict=True, ge=1024, le=16_777_216)] = 1_048_576
    learning: Annotated[bool, Field(strict=True)] = True

    @field_validator("interfaces")
    @classmethod
    def _once(cls, interfaces: tuple[str, ...]) -> tuple[str, ...]:
        for index, interface in enumerate(interfaces):
            if interface in interfaces[:index]:
                raise ValueError(f"{interface} is listed twice")
        return interfaces


FastPathConfig: TypeAlias = EbpfConfig | TofinoConfig | Bmv2Config

KINDS: dict[str, type[FastPathConfig]] = {
    "ebpf": EbpfConfig,
    "tofino": TofinoConfig,
    "model": TofinoConfig,
    "bmv2": Bmv2Config,
}

_kind = choice(*KINDS)


def fastpath(value: object, info: ValidationInfo) -> FastPathConfig:
    """The section that its `kind` asks for, ebpf if it names none."""
    section: type[FastPathConfig] = EbpfConfig
    if isinstance(value, dict) and "kind" in value:
        try:
            section = KINDS[_kind(value["kind"])]
        except ValueError as error:
            raise mistakes("fastpath", [(("kind",), str(error))]) from None
    read = section.model_validate(value, context=info.context)
    if isinstance(read, SwitchConfig):
        Context.of(info).network, Context.of(info).ipv6 = read.network(), False
    return read


FastPathSection = Annotated[FastPathConfig, PlainValidator(fastpath)]
