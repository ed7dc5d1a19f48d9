"""What a device remembers between packets: entries, counters, registers."""

from p4model.state.errors import AlreadyExists, InvalidArgument, NoSpace, NotFound, NotSupported, StateError
from p4model.state.state import DeviceState

__all__ = ["AlreadyExists", "DeviceState", "InvalidArgument", "NoSpace", "NotFound", "NotSupported", "StateError"]
