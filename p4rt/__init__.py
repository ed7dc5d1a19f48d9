"""An asyncio client for P4Runtime, the control plane of bmv2 and other switches (service p4.v1.P4Runtime).

Of this project it needs `rpc` only: see docs/p4rt.md.
"""

from p4rt.counters import CounterTable
from p4rt.errors import P4rtError, ProtocolError, Refused, SchemaError, Unavailable
from p4rt.notifications import Idle
from p4rt.packer import Packer
from p4rt.pipeline import Pipeline
from p4rt.schema import Action, CounterSchema, DigestSchema, Field, Schema, TableSchema
from p4rt.session import Session
from p4rt.tables import Entry, Table
from p4rt.update import Update
from rpc.failures import Failure, WriteFailed
from rpc.fields import MatchType
from rpc.stream import Stream
from rpc.values import Count, KeyValue, Prefix, Range, Ternary

__all__ = [
    "Action",
    "Count",
    "CounterSchema",
    "CounterTable",
    "DigestSchema",
    "Entry",
    "Failure",
    "Field",
    "Idle",
    "KeyValue",
    "MatchType",
    "P4rtError",
    "Packer",
    "Pipeline",
    "Prefix",
    "ProtocolError",
    "Range",
    "Refused",
    "Schema",
    "SchemaError",
    "Session",
    "Stream",
    "Table",
    "TableSchema",
    "Ternary",
    "Unavailable",
    "Update",
    "WriteFailed",
]
