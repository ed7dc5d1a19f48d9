"""What can go wrong between a client and a P4Runtime server."""

from rpc.errors import ProtocolError, Refused, SchemaError, Unavailable
from rpc.errors import RpcError as P4rtError

__all__ = ["P4rtError", "ProtocolError", "Refused", "SchemaError", "Unavailable"]
