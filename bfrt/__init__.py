"""An asyncio client for BfRt gRPC, the control plane of Tofino switches (service bfrt_proto.BfRuntime).

Of this project it needs `rpc` only: see docs/bfrt.md.
"""

from bfrt.attributes import IdleTimeout
from bfrt.counters import CounterTable
from bfrt.errors import BfrtError, ProtocolError, Refused, SchemaError, Unavailable
from bfrt.notifications import Ageing
from bfrt.packer import Packer
from bfrt.ports import add_port
from bfrt.registers import RegisterTable
from bfrt.schema import Action, Field, Kind, LearnFilter, Schema, TableSchema
from bfrt.session import Session
from bfrt.tables import Entry, Table
from bfrt.update import Update
from bfrt.values import DataValue
from rpc.failures import BatchFailed, Failure, ReadFailed, WriteFailed
from rpc.fields import MatchType
from rpc.stream import Stream
from rpc.values import Count, KeyValue, Prefix, Range, Ternary

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
