"""Where a test's server listens."""

from tests.unit.rpc.running import address

__all__ = ["address"]
