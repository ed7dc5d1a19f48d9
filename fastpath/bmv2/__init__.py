"""The bmv2 fast path: a v1model program on simple_switch_grpc or in p4model, driven through P4Runtime."""

from fastpath.bmv2.fastpath import Bmv2FastPath

__all__ = ["Bmv2FastPath"]
