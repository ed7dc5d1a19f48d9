"""The eBPF fast path: a tc program on the host's interfaces, driven through libbpf."""

from fastpath.ebpf.fastpath import EbpfFastPath

__all__ = ["EbpfFastPath"]
