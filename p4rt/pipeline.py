"""A program as a server takes it: its P4Info, and what the compiler made of it for the target."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format

from p4rt.errors import SchemaError
from p4rt.proto import p4info_pb2 as config
from p4rt.proto import p4runtime_pb2 as pb
from p4rt.schema import Schema


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A program; two are the same if their `cookie` is. Raises SchemaError for a P4Info that cannot be used."""

    p4info: config.P4Info
    device_config: bytes
    """For bmv2, the compiler's JSON; for p4model, the preprocessed source."""
    schema: Schema = field(init=False)
    cookie: int = field(init=False)
    """64 bits of a hash, by which a server tells which program it has."""

    def __post_init__(self) -> None:
        if not self.device_config:
            raise SchemaError("the device config is empty: a switch would go on with the program that it has")
        digest = hashlib.sha256(self.p4info.SerializeToString(deterministic=True))
        digest.update(self.device_config)
        object.__setattr__(self, "schema", Schema(self.p4info))
        object.__setattr__(self, "cookie", int.from_bytes(digest.digest()[:8]))

    @classmethod
    def load(cls, p4info: Path, device_config: Path) -> Pipeline:
        """From files: P4Info in protobuf's text format, the device config as it is; raises SchemaError and OSError."""
        try:
            # A newer compiler may tell more.
            info = text_format.Parse(p4info.read_text(), config.P4Info(), allow_unknown_field=True)
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise SchemaError(f"{p4info}: not a P4Info in text format (.p4info.txtpb): {error}") from error
        try:
            return cls(info, device_config.read_bytes())
        except SchemaError as error:
            raise SchemaError(f"{p4info}, {device_config}: {error}") from error

    @property
    def message(self) -> pb.ForwardingPipelineConfig:
        """For the wire."""
        return pb.ForwardingPipelineConfig(
            p4info=self.p4info,
            p4_device_config=self.device_config,
            cookie=pb.ForwardingPipelineConfig.Cookie(cookie=self.cookie),
        )
