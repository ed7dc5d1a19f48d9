"""The BfRt service of a device: what bf_switchd offers over gRPC, as far as a client can tell."""

from p4model.bfruntime.server import Server, serve

__all__ = ["Server", "serve"]
