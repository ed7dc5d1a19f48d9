"""The parts of libbpf that the loader and its tests use, through ctypes: objects, programs, maps.

Calls that fail raise BpfError. Keys and values are bytes in the layout of the C structs.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

_LOG_LINES = 400
_BATCH = 4096
_LIBRARY = "libbpf.so.1"
_PER_CPU_ALIGNMENT = 8


class BpfError(OSError):
    """A call into libbpf or the kernel's BPF failed; `log` is what libbpf said, the verifier's log included."""

    def __init__(self, number: int, what: str, log: str = "") -> None:
        super().__init__(number, f"{what}: {os.strerror(number)}" + (f"\n{log}" if log else ""))
        self.log = log


class _Library:
    """libbpf.so.1 with the types of its functions, and its log."""

    def __init__(self) -> None:
        try:
            self.dll = ctypes.CDLL(_LIBRARY, use_errno=True)
        except OSError as error:
            raise BpfError(errno.ENOENT, f"cannot load {_LIBRARY} (Debian: libbpf1)", str(error)) from None
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        printer = CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
        self._print = printer(self._logged)
        self.dll.libbpf_set_print(self._print)
        for name, result, arguments in _FUNCTIONS:
            function = getattr(self.dll, name)
            function.restype, function.argtypes = result, arguments

    def _logged(self, level: int, form: bytes, arguments: int) -> int:
        if level <= _LOG_INFO:
            # Whatever a va_list is on an ABI, it is one argument of a pointer's size.
            buffer = ctypes.create_string_buffer(65536)
            _VSNPRINTF(buffer, len(buffer), form, c_void_p(arguments))
            self.log.append(buffer.value.decode(errors="replace").rstrip())
        return 0


_LOG_INFO = 1
_VSNPRINTF = ctypes.CDLL(None).vsnprintf
_COUNT = POINTER(c_uint32)
_FUNCTIONS: tuple[tuple[str, type | None, list[type]], ...] = (
    ("bpf_object__open_file", c_void_p, [c_char_p, c_void_p]),
    ("bpf_object__load", c_int, [c_void_p]),
    ("bpf_object__close", None, [c_void_p]),
    ("bpf_object__next_map", c_void_p, [c_void_p, c_void_p]),
    ("bpf_object__find_program_by_name", c_void_p, [c_void_p, c_char_p]),
    ("bpf_program__fd", c_int, [c_void_p]),
    ("bpf_map__name", c_char_p, [c_void_p]),
    ("bpf_map__fd", c_int, [c_void_p]),
    ("bpf_map__type", c_int, [c_void_p]),
    ("bpf_map__key_size", c_uint32, [c_void_p]),
    ("bpf_map__value_size", c_uint32, [c_void_p]),
    ("bpf_map__max_entries", c_uint32, [c_void_p]),
    ("bpf_map__set_max_entries", c_int, [c_void_p, c_uint32]),
    ("bpf_map__set_initial_value", c_int, [c_void_p, c_void_p, c_size_t]),
    ("bpf_map__pin", c_int, [c_void_p, c_char_p]),
    ("bpf_map_lookup_elem", c_int, [c_int, c_void_p, c_void_p]),
    ("bpf_map_update_elem", c_int, [c_int, c_void_p, c_void_p, c_uint64]),
    ("bpf_map_update_batch", c_int, [c_int, c_void_p, c_void_p, _COUNT, c_void_p]),
    ("bpf_map_delete_batch", c_int, [c_int, c_void_p, _COUNT, c_void_p]),
    ("bpf_map_lookup_batch", c_int, [c_int, c_void_p, c_void_p, c_void_p, c_void_p, _COUNT, c_void_p]),
    ("libbpf_num_possible_cpus", c_int, []),
)

_PER_CPU_TYPES = frozenset({5, 6, 10})
"""BPF_MAP_TYPE_PERCPU_HASH, PERCPU_ARRAY and LRU_PERCPU_HASH."""

_loaded: list[_Library] = []


def library() -> _Library:
    """The library, loaded at the first call; raises BpfError if it is not installed."""
    if not _loaded:
        _loaded.append(_Library())
    return _loaded[0]


def _check(result: int, what: str) -> int:
    """libbpf 1.x returns -errno; `result` if it is none."""
    if result < 0:
        raise BpfError(-result, what)
    return int(result)


class Map:
    """A map of a loaded object, or one of an object that is still to be loaded and can be resized."""

    def __init__(self, handle: int) -> None:
        dll = library().dll
        self._handle, self._dll = handle, dll
        self.name: str = dll.bpf_map__name(handle).decode()
        self._key_size: int = dll.bpf_map__key_size(handle)
        self._value_size: int = dll.bpf_map__value_size(handle)
        if dll.bpf_map__type(handle) in _PER_CPU_TYPES:
            aligned = -self._value_size % _PER_CPU_ALIGNMENT + self._value_size
            self._value_size = aligned * _check(dll.libbpf_num_possible_cpus(), "libbpf_num_possible_cpus")

        self.max_entries = 0
        """The capacity, once the object is loaded; of a ring buffer, in bytes."""
        self.fd = -1
        """The map's file descriptor, once the object is loaded."""

    def resize(self, max_entries: int) -> None:
        """Set the capacity before the object is loaded."""
        _check(self._dll.bpf_map__set_max_entries(self._handle, max_entries), f"resize map {self.name}")

    def initialise(self, value: bytes) -> None:
        """Set the value of a data section (.rodata) before the object is loaded."""
        result = self._dll.bpf_map__set_initial_value(self._handle, value, len(value))
        _check(result, f"initialise map {self.name}")

    def opened(self) -> None:
        """The object has been loaded."""
        self.fd = _check(self._dll.bpf_map__fd(self._handle), f"map {self.name}")
        self.max_entries = self._dll.bpf_map__max_entries(self._handle)

    def pin(self, path: Path) -> None:
        """Make the map outlive this process as `path` on a bpffs."""
        _check(self._dll.bpf_map__pin(self._handle, os.fsencode(path)), f"pin map {self.name} to {path}")

    def memory(self) -> memoryview[int]:
        """The values of an array with BPF_F_MMAPABLE, as both sides see them, until the last view is released."""
        length = self.max_entries * self._value_size
        try:
            return memoryview(mmap.mmap(self.fd, -(-length // mmap.PAGESIZE) * mmap.PAGESIZE))[:length]
        except OSError as error:
            raise BpfError(error.errno or errno.EINVAL, f"map the memory of map {self.name}") from error

    def lookup(self, key: bytes) -> bytes | None:
        """The value of `key`, or None; of a per-CPU map the values of all CPUs, each padded to 8 bytes."""
        value = ctypes.create_string_buffer(self._value_size)
        result = self._dll.bpf_map_lookup_elem(self.fd, key, value)
        if result == -errno.ENOENT:
            return None
        _check(result, f"look up in map {self.name}")
        return value.raw

    def update(self, key: bytes, value: bytes) -> None:
        """Add or replace an element."""
        _check(self._dll.bpf_map_update_elem(self.fd, key, value, 0), f"update map {self.name}")

    def push(self, value: bytes) -> None:
        """Put an element at the end of a queue."""
        _check(self._dll.bpf_map_update_elem(self.fd, None, value, 0), f"push to map {self.name}")

    def update_batch(self, elements: Mapping[bytes, bytes]) -> None:
        """Add or replace elements in order; if one fails the ones before it have been written."""
        count = c_uint32(len(elements))
        keys, values = b"".join(elements), b"".join(elements.values())
        if elements:
            result = self._dll.bpf_map_update_batch(self.fd, keys, values, byref(count), None)
            _check(result, f"update {len(elements)} elements of map {self.name}")

    def delete_batch(self, keys: Iterable[bytes]) -> None:
        """Delete elements; one that is not there is passed over."""
        rest = list(keys)
        while rest:
            count = c_uint32(len(rest))
            result = self._dll.bpf_map_delete_batch(self.fd, b"".join(rest), byref(count), None)
            if result != -errno.ENOENT:
                _check(result, f"delete {len(rest)} elements of map {self.name}")
                return
            rest = rest[count.value + 1 :]

    def read_batch(self, size: int, cursor: bytes | None = None) -> tuple[bytes, bytes, bytes | None]:
        """Up to `size` elements of a hash map from `cursor` (None: the beginning) on.

        Returns the keys and the values, each one after the other, and where to go on, None at the end.
        """
        keys = ctypes.create_string_buffer(size * self._key_size)
        values = ctypes.create_string_buffer(size * self._value_size)
        count, following = c_uint32(size), ctypes.create_string_buffer(4)
        result = self._dll.bpf_map_lookup_batch(self.fd, cursor, following, keys, values, byref(count), None)
        if result != -errno.ENOENT:
            _check(result, f"read map {self.name}")
        read = count.value
        rest = None if result else following.raw
        return keys.raw[: read * self._key_size], values.raw[: read * self._value_size], rest

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All elements of a hash map: key and value."""
        cursor: bytes | None = None
        while True:
            keys, values, cursor = self.read_batch(_BATCH, cursor)
            for index in range(len(keys) // self._key_size):
                key, value = index * self._key_size, index * self._value_size
                yield keys[key : key + self._key_size], values[value : value + self._value_size]
            if cursor is None:
                return


class Object:
    """A BPF object file, opened; `load` gives it to the kernel."""

    def __init__(self, path: Path) -> None:
        self._library = library()
        self._dll = self._library.dll
        self._library.log.clear()
        ctypes.set_errno(0)
        self._handle: int | None = self._dll.bpf_object__open_file(os.fsencode(path), None)
        if not self._handle:
            raise BpfError(ctypes.get_errno(), f"cannot open BPF object {path}", "\n".join(self._library.log))
        self._path = path
        self.maps: dict[str, Map] = {}
        handle = self._dll.bpf_object__next_map(self._handle, None)
        while handle:
            found = Map(handle)
            self.maps[found.name] = found
            handle = self._dll.bpf_object__next_map(self._handle, handle)

    def load(self) -> None:
        """Create the maps and have the verifier accept the programs."""
        self._library.log.clear()
        result = self._dll.bpf_object__load(self._handle)
        if result < 0:
            raise BpfError(-result, f"the kernel refuses {self._path}", "\n".join(self._library.log))
        for one in self.maps.values():
            one.opened()

    def program(self, name: str) -> int:
        """The file descriptor of a loaded program."""
        handle = self._dll.bpf_object__find_program_by_name(self._handle, name.encode())
        if not handle:
            raise BpfError(errno.ENOENT, f"{self._path} has no program {name}")
        return _check(self._dll.bpf_program__fd(handle), f"program {name}")

    def close(self) -> None:
        """Close every descriptor; what is attached or pinned stays. Idempotent."""
        if self._handle:
            self._dll.bpf_object__close(self._handle)
            self._handle = None
