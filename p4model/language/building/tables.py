"""Tables."""

from __future__ import annotations

from p4model.language.building.rules import Children, rule, split
from p4model.language.errors import P4Error, Position
from p4model.language.syntax import declarations


@rule("table")
def _table(position: Position, children: Children) -> declarations.TableDeclaration:
    name, *properties = children
    keys: tuple[declarations.KeyElement, ...] = ()
    actions: tuple[declarations.ActionReference, ...] | None = None
    entries: tuple[declarations.TableEntry, ...] | None = None
    others: dict[str, declarations.Property] = {}
    for part in properties:
        if isinstance(part, declarations.Property):
            if part.name in others:
                raise P4Error(part.position, f"table {name} has a second {part.name}")
            others[part.name] = part
        elif part[0] == "keys":
            keys = part[1]
        elif part[0] == "actions":
            actions = part[1]
        else:
            entries = part[1]
    if actions is None:
        raise P4Error(position, f"table {name} has no actions")
    return declarations.TableDeclaration(position, name, keys, actions, entries, others)


@rule("property")
def _property(_: Position, children: Children) -> object:
    return split(children)[1][0]


@rule("keys")
def _keys(_: Position, children: Children) -> object:
    return "keys", tuple(children)


@rule("key")
def _key(position: Position, children: Children) -> declarations.KeyElement:
    annotations, (expression, kind) = split(children)
    return declarations.KeyElement(position, expression, kind, annotations.get("name"))


@rule("action_list")
def _action_list(_: Position, children: Children) -> object:
    return "actions", tuple(children)


@rule("listed_action")
def _listed_action(position: Position, children: Children) -> declarations.ActionReference:
    annotations, (reference,) = split(children)
    scope = next((scope for scope in ("tableonly", "defaultonly") if scope in annotations), "")
    return declarations.ActionReference(reference.position, reference.name, reference.arguments, scope)


@rule("action_reference")
def _action_reference(position: Position, children: Children) -> declarations.ActionReference:
    name, arguments = children
    return declarations.ActionReference(position, name, arguments or ())


@rule("entries")
def _entries(position: Position, children: Children) -> object:
    constant, *entries = children
    if constant is None:
        raise P4Error(position, "entries without const are not supported; the control plane can add them")
    return "entries", tuple(entries)


@rule("entry")
def _entry(position: Position, children: Children) -> declarations.TableEntry:
    annotations, (keyset, action) = split(children)
    if "priority" in annotations:
        raise P4Error(position, "@priority is not supported; the first entry that matches wins")
    return declarations.TableEntry(position, keyset, action)


@rule("assignment_property")
def _assignment_property(position: Position, children: Children) -> declarations.Property:
    constant, name, value = children
    return declarations.Property(position, str(name), value, constant is not None)
