"""What can go wrong between a client and a BfRt server."""

from rpc.errors import ProtocolError, Refused, SchemaError, Unavailable
from rpc.errors import RpcError as BfrtError

__all__ = ["BfrtError", "ProtocolError", "Refused", "SchemaError", "Unavailable"]
