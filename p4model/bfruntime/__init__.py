"""The BfRt service of a device: what bf_switchd offers over gRPC, as far as a client can tell."""

from p4model.service.server import Server, serve

__all__ = ["Server", "serve"]
