"""The Tofino fast path: a TNA program on a switch or in its model, driven through BfRt."""

from fastpath.tofino.fastpath import TofinoFastPath

__all__ = ["TofinoFastPath"]
