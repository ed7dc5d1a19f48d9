"""An asyncio client for BfRt gRPC, the control plane of Tofino switches (service bfrt_proto.BfRuntime).

It needs nothing else of this project: see docs/bfrt.md.
"""

from bfrt.attributes import IdleTimeout
from bfrt.counters import Count, CounterTable
from bfrt.errors import BfrtError, ProtocolError, Refused, SchemaError, Unavailable
from bfrt.failures import BatchFailed, Failure, ReadFailed, WriteFailed
from bfrt.notifications import Ageing
from bfrt.packer import Packer
from bfrt.ports import add_port
from bfrt.registers import RegisterTable
from bfrt.schema import Action, Field, Kind, LearnFilter, MatchType, Schema, TableSchema
from bfrt.session import Session
from bfrt.stream import Stream
from bfrt.tables import Entry, Table
from bfrt.update import Update
from bfrt.values import DataValue, KeyValue, Prefix, Range, Ternary

__all__ = [
    "Action",
    "Ageing",
    "BatchFailed",
    "BfrtError",
    "Count",
    "CounterTable",
    "DataValue",
    "Entry",
    "Failure",
    "Field",
    "IdleTimeout",
    "KeyValue",
    "Kind",
    "LearnFilter",
    "MatchType",
    "Packer",
    "Prefix",
    "ProtocolError",
    "Range",
    "ReadFailed",
    "Refused",
    "RegisterTable",
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
    "add_port",
]
