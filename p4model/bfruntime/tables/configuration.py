"""tfN.dev.device_configuration: what a control plane has to know of the chip."""

from __future__ import annotations

from typing import NamedTuple

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.chip import Chip
from p4model.bfruntime.documents import Json, data_field, field, number, table
from p4model.bfruntime.tables.base import ServedTable, View, wanted_fields
from p4model.state.errors import InvalidArgument

_ID = 0xFF060001


class _Field(NamedTuple):
    id: int
    name: str
    value: int | tuple[int, ...]


class DeviceConfiguration(ServedTable):
    """A table that can only be read, and has one entry without a key."""

    transactional = False
    symmetric = False

    def __init__(self, chip: Chip, pipes: int, learn_timeout: int) -> None:
        super().__init__(_ID, f"{chip.prefix}.dev.device_configuration")
        self._fields = (
            _Field(1, "num_pipes", pipes),
            _Field(2, "num_stages", chip.stages),
            _Field(3, "pcie_cpu_port", chip.pcie_cpu_port),
            _Field(4, "eth_cpu_port_list", chip.ethernet_cpu_ports),
            _Field(5, "recirc_port_list", chip.recirculation_ports),
            _Field(6, "flow_learn_timeout_usec", learn_timeout),
        )

    def read(self, entry: pb.TableEntry, view: View) -> None:
        """The one entry; raises InvalidArgument if a key is given."""
        if entry.key.fields:
            raise InvalidArgument(f"{self.name}: has no key")
        wanted = wanted_fields(entry.data)
        read = view.add(self.id)
        read.is_default_entry = True
        for one in self._fields:
            if not wanted or one.id in wanted:
                message = read.data.fields.add()
                message.field_id = one.id
                if isinstance(one.value, tuple):
                    message.int_arr_val.val.extend(one.value)
                else:
                    message.stream = one.value.to_bytes(4)

    def document(self) -> Json:
        """The table in the document of what is not the program's own."""
        data = [
            data_field(field(one.id, one.name, number("uint32"), repeated=isinstance(one.value, tuple)), read_only=True)
            for one in self._fields
        ]
        return table(self.name, self.id, "DevConfigure", 1, data=data)
