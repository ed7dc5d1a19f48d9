"""$PORT: the ports that a control plane has added and enabled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bfrt.proto import bfruntime_pb2 as pb
from p4model.bfruntime.chip import is_port
from p4model.bfruntime.clients import Client
from p4model.bfruntime.codec import decode
from p4model.bfruntime.documents import Json, data_field, field, key_field, number, table
from p4model.bfruntime.tables.base import Journal, ServedTable, View, wanted_fields
from p4model.state.errors import AlreadyExists, InvalidArgument, NotFound

NAME = "$PORT"
ID = 0xFF010001
_SIZE = 288
_DEV_PORT = 1
_MTU = 10240
_LANES = {"BF_SPEED_40G": 4, "BF_SPEED_50G": 2, "BF_SPEED_100G": 4, "BF_SPEED_200G": 4, "BF_SPEED_400G": 8}
"""Serial lanes of a port when $N_LANES is left out; 1 for other speeds."""


class _Field(NamedTuple):
    id: int
    name: str
    kind: str
    default: str | int | bool
    choices: tuple[str, ...] = ()
    writable: bool = True


_SPEEDS = tuple(f"BF_SPEED_{speed}" for speed in ("1G", "10G", "25G", "40G", "50G", "100G", "200G", "400G"))
_FEC = ("BF_FEC_TYP_NONE", "BF_FEC_TYP_FIRECODE", "BF_FEC_TYP_FC", "BF_FEC_TYP_REED_SOLOMON", "BF_FEC_TYP_RS")
_NEGOTIATION = ("PM_AN_DEFAULT", "PM_AN_FORCE_ENABLE", "PM_AN_FORCE_DISABLE")
_LOOPBACK = ("BF_LPBK_NONE", "BF_LPBK_MAC_NEAR", "BF_LPBK_MAC_FAR", "BF_LPBK_PCS_NEAR", "BF_LPBK_SERDES_NEAR")
_FIELDS = (
    _Field(1, "$SPEED", "string", "", _SPEEDS),
    _Field(2, "$FEC", "string", "", _FEC),
    _Field(3, "$N_LANES", "uint32", 1),
    _Field(4, "$PORT_ENABLE", "bool", False),
    _Field(5, "$AUTO_NEGOTIATION", "string", "PM_AN_DEFAULT", _NEGOTIATION),
    _Field(6, "$LOOPBACK_MODE", "string", "BF_LPBK_NONE", _LOOPBACK),
    _Field(7, "$TX_MTU", "uint32", _MTU),
    _Field(8, "$RX_MTU", "uint32", _MTU),
    _Field(21, "$IS_VALID", "bool", True, writable=False),
    _Field(22, "$IS_INTERNAL", "bool", False, writable=False),
    _Field(25, "$PORT_UP", "bool", False, writable=False),
    _Field(26, "$PORT_NAME", "string", "", writable=False),
)
_BY_ID = {one.id: one for one in _FIELDS}
_MANDATORY = ("$SPEED", "$FEC")

Port = dict[str, Any]
"""The values of a port by field name: str, int or bool."""


class PortTable(ServedTable):
    """$PORT. `ports` are there from the start, enabled, as those of a model are; a port is up while it is enabled."""

    transactional = False
    symmetric = False

    def __init__(self, pipes: int, ports: Iterable[int], notify: Callable[[pb.StreamMessageResponse], None]) -> None:
        super().__init__(ID, NAME)
        self._pipes = pipes
        self._notify = notify
        self._notifies = False
        self._ports: dict[int, Port] = {
            port: _new(port, {"$SPEED": "BF_SPEED_10G", "$FEC": "BF_FEC_TYP_NONE", "$PORT_ENABLE": True})
            for port in ports
        }
        self.writers = {
            pb.Update.INSERT: self._insert,
            pb.Update.MODIFY: self._modify,
            pb.Update.DELETE: self._delete,
        }

    def usage(self) -> int:
        """How many ports were added."""
        return len(self._ports)

    def read(self, entry: pb.TableEntry, view: View) -> None:
        """One port or all of them; raises NotFound."""
        wanted = wanted_fields(entry.data)
        for port in (self._known(entry),) if entry.HasField("key") else sorted(self._ports):
            read = view.add(ID)
            _add_key(port, read.key)
            for one in _FIELDS:
                if not wanted or one.id in wanted:
                    _encode(one, self._ports[port][one.name], read.data.fields.add())

    def set_attribute(self, attribute: pb.TableAttribute, client: Client | None) -> None:
        """Switch notifications of ports that go up or down; raises NotSupported for other attributes."""
        if attribute.WhichOneof("attribute") != "port_status_notify":
            super().set_attribute(attribute, client)
        self._notifies = attribute.port_status_notify.enable

    def _insert(self, entry: pb.TableEntry, journal: Journal) -> None:
        port = self._port(entry)
        if port in self._ports:
            raise AlreadyExists(f"{NAME}: port {port} was added already")
        given = _decode(entry.data)
        missing = [name for name in _MANDATORY if name not in given]
        if missing:
            raise InvalidArgument(f"{NAME}: port {port} needs {' and '.join(missing)}")
        self._ports[port] = _new(port, given)
        self._tell(port, was_up=False)

    def _modify(self, entry: pb.TableEntry, journal: Journal) -> None:
        port = self._known(entry)
        values = self._ports[port]
        was_up = values["$PORT_UP"]
        values.update(_decode(entry.data))
        values["$PORT_UP"] = values["$PORT_ENABLE"]
        self._tell(port, was_up=was_up)

    def _delete(self, entry: pb.TableEntry, journal: Journal) -> None:
        for port in (self._known(entry),) if entry.HasField("key") else sorted(self._ports):
            del self._ports[port]

    def _tell(self, port: int, *, was_up: bool) -> None:
        is_up = self._ports[port]["$PORT_UP"]
        if self._notifies and is_up != was_up:
            message = pb.StreamMessageResponse()
            notification = message.port_status_change_notification
            notification.table_entry.table_id, notification.port_up = ID, is_up
            _add_key(port, notification.table_entry.key)
            self._notify(message)

    def _port(self, entry: pb.TableEntry) -> int:
        values = {one.field_id: one.exact.value for one in entry.key.fields}
        if values.keys() != {_DEV_PORT}:
            raise InvalidArgument(f"{NAME}: the key has to be $DEV_PORT (field id {_DEV_PORT})")
        port = decode(f"{NAME}: $DEV_PORT", 32, values[_DEV_PORT])
        if not is_port(port, self._pipes):
            raise InvalidArgument(f"{NAME}: there is no device port {port}")
        return port

    def _known(self, entry: pb.TableEntry) -> int:
        port = self._port(entry)
        if port not in self._ports:
            raise NotFound(f"{NAME}: port {port} was not added")
        return port


def port_document() -> Json:
    """The table in the document of what is not the program's own."""
    data = []
    for one in _FIELDS:
        type_: Json = {"type": one.kind}
        if one.choices:
            type_["choices"] = list(one.choices)
        if one.default != "":
            type_["default_value"] = one.default
        described = field(one.id, one.name, type_)
        data.append(data_field(described, mandatory=one.name in _MANDATORY, read_only=not one.writable))
    key = [key_field(_DEV_PORT, "$DEV_PORT", "Exact", number("uint32"))]
    return table(NAME, ID, "PortConfigure", _SIZE, key=key, data=data, attributes=["port_status_notif_cb"])


def _new(port: int, given: Port) -> Port:
    values: Port = {one.name: one.default for one in _FIELDS}
    values["$N_LANES"] = _LANES.get(given["$SPEED"], 1)
    values["$PORT_NAME"] = f"{port // 4}/{port % 4}"
    values.update(given)
    values["$PORT_UP"] = values["$PORT_ENABLE"]
    return values


def _decode(data: pb.TableData) -> Port:
    given: Port = {}
    for message in data.fields:
        one = _BY_ID.get(message.field_id)
        if one is None or not one.writable:
            raise InvalidArgument(f"{NAME}: has no field of id {message.field_id} to write")
        match one.kind:
            case "bool":
                given[one.name] = message.bool_val
            case "string":
                if message.str_val not in one.choices:
                    choices = ", ".join(one.choices)
                    raise InvalidArgument(f"{NAME}: {one.name} cannot be {message.str_val!r}; it is one of {choices}")
                given[one.name] = message.str_val
            case _:
                given[one.name] = decode(f"{NAME}: {one.name}", 32, message.stream)
    return given


def _encode(one: _Field, value: Any, message: pb.DataField) -> None:  # noqa: ANN401
    message.field_id = one.id
    match one.kind:
        case "bool":
            message.bool_val = value
        case "string":
            message.str_val = value
        case _:
            message.stream = value.to_bytes(4)


def _add_key(port: int, key: pb.TableKey) -> None:
    message = key.fields.add()
    message.field_id, message.exact.value = _DEV_PORT, port.to_bytes(4)
