"""Checking of tables (P4_16 section 14.2)."""

from __future__ import annotations

from p4model.language.checking import calls, operators
from p4model.language.checking.expressions import ExpressionChecker
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions, objects
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Expression, KeyMatch
from p4model.language.syntax import declarations as syntax
from p4model.language.syntax import expressions as written_expressions
from p4model.objects import ActionScope, MatchKind

_DEFAULT_SIZE = 512
_SCOPES = {
    "": ActionScope.TABLE_AND_DEFAULT,
    "tableonly": ActionScope.TABLE_ONLY,
    "defaultonly": ActionScope.DEFAULT_ONLY,
}
_IDLE_TIMEOUT = ("idle_timeout", "support_timeout")
"""Of TNA and of v1model."""
_DIRECT_COUNTERS = frozenset({"DirectCounter", "direct_counter"})
_PROPERTIES = frozenset({"size", "default_action", "counters", *_IDLE_TIMEOUT})
_NO_ACTION = "NoAction"


def check(checker: ExpressionChecker, written: syntax.TableDeclaration) -> objects.Table:
    """The checked table; raises P4Error."""
    for name, given in written.properties.items():
        if name not in _PROPERTIES:
            raise P4Error(given.position, f"table property {name} is not supported; {_listed(_PROPERTIES)} are")
    keys = tuple(_key(checker, key) for key in written.keys)
    if len({key.name for key in keys}) != len(keys):
        raise P4Error(written.position, f"two keys of {written.name} have the same name; use @name")
    if sum(key.kind is MatchKind.LPM for key in keys) > 1:
        raise P4Error(written.position, f"{written.name} has more than one lpm key")
    actions = [_action(checker, reference) for reference in written.actions]
    default = _default(checker, written, actions)
    names = [listed.action.control_name for listed in actions]
    if len(set(names)) != len(names):
        raise P4Error(written.position, f"{written.name} lists an action twice")
    return objects.Table(
        written.position,
        (written.given_name or written.name).removeprefix("."),
        keys,
        tuple(actions),
        _size(checker, written),
        default,
        "default_action" in written.properties and written.properties["default_action"].constant,
        _entries(checker, written, keys, actions),
        _counter(checker, written),
        _idle_timeout(checker, written),
        frozenset(written.properties),
    )


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _key(checker: ExpressionChecker, written: syntax.KeyElement) -> objects.TableKey:
    if written.kind not in checker.names.match_kinds:
        raise P4Error(written.position, f"match_kind {written.kind} is not declared")
    try:
        kind = MatchKind(written.kind)
    except ValueError:
        supported = ", ".join(kind.value for kind in MatchKind)
        raise P4Error(written.position, f"match kind {written.kind} is not supported; {supported} are") from None
    expression = checker.check(written.expression)
    if not operators.is_scalar(expression.type) or expression.type == kinds.INTEGER:
        raise P4Error(written.position, f"a key cannot have type {expression.type}")
    name = written.given_name or _spelled(written.expression)
    return objects.TableKey(expression, kind, name, kinds.width(expression.type))


def _spelled(written: written_expressions.Expression) -> str:
    """A key's name: its expression, `$valid$` for isValid()."""
    match written:
        case written_expressions.Name(name=name):
            return name
        case written_expressions.Member(base=base, name=name):
            return f"{_spelled(base)}.{name}"
        case written_expressions.Index(base=base, index=written_expressions.Number(value=index)):
            return f"{_spelled(base)}[{index}]"
        case written_expressions.Slice(
            base=base, high=written_expressions.Number(value=high), low=written_expressions.Number(value=low)
        ):
            return f"{_spelled(base)}[{high}:{low}]"
        case written_expressions.Call(callee=written_expressions.Member(base=base, name="isValid")):
            return f"{_spelled(base)}.$valid$"
    raise P4Error(written.position, "this key needs a @name")


def _action(checker: ExpressionChecker, reference: syntax.ActionReference) -> objects.TableAction:
    """A listed action: its parameters with a direction are bound here, the others by the control plane."""
    action = _found(checker, reference)
    directed = [parameter for parameter in action.parameters if parameter.direction]
    if tuple(directed) != action.parameters[: len(directed)]:
        raise P4Error(reference.position, f"{reference.name}: parameters with a direction must come first")
    for parameter in action.parameters[len(directed) :]:
        if not operators.is_scalar(parameter.type):
            raise P4Error(reference.position, f"{reference.name}: {parameter.name} is a {parameter.type}, no scalar")
    arguments = calls.bind(checker, reference.position, directed, reference.arguments, reference.name)
    return objects.TableAction(action, arguments, _SCOPES[reference.scope])


def _found(checker: ExpressionChecker, reference: syntax.ActionReference) -> objects.Action:
    action = checker.scope.find(reference.position, reference.name)
    if not isinstance(action, objects.Action):
        raise P4Error(reference.position, f"{reference.name} is no action")
    return action


def _default(
    checker: ExpressionChecker, written: syntax.TableDeclaration, actions: list[objects.TableAction]
) -> tuple[int, tuple[int, ...]]:
    """The default action; a table that names none gets NoAction."""
    given = written.properties.get("default_action")
    if given is None:
        no_action = checker.scope.find(written.position, _NO_ACTION)
        assert isinstance(no_action, objects.Action)
        for index, listed in enumerate(actions):
            if listed.action is no_action:
                return index, ()
        actions.append(objects.TableAction(no_action, (), ActionScope.DEFAULT_ONLY))
        return len(actions) - 1, ()
    match given.value:
        case written_expressions.Name(name=name):
            reference = syntax.ActionReference(given.position, name, ())
        case written_expressions.Call(callee=written_expressions.Name(name=name), arguments=arguments):
            reference = syntax.ActionReference(given.position, name, arguments)
        case _:
            raise P4Error(given.position, "default_action needs an action")
    index, values = _invoked(checker, reference, actions)
    if actions[index].scope is ActionScope.TABLE_ONLY:
        raise P4Error(given.position, f"{reference.name} is @tableonly")
    return index, values


def _invoked(
    checker: ExpressionChecker, reference: syntax.ActionReference, actions: list[objects.TableAction]
) -> tuple[int, tuple[int, ...]]:
    """The index of an action that is named in the source, and the constants that it gets."""
    action = _found(checker, reference)
    index = next((index for index, listed in enumerate(actions) if listed.action is action), None)
    if index is None:
        raise P4Error(reference.position, f"{reference.name} is not among the actions of this table")
    given = [parameter for parameter in action.parameters if not parameter.direction]
    directed = len(action.parameters) - len(given)
    own = reference.arguments[directed:] if len(reference.arguments) > len(given) else reference.arguments
    arguments = calls.bind(checker, reference.position, given, own, reference.name)
    return index, tuple(_number(argument, reference) for argument in arguments)


def _number(argument: Expression | None, reference: syntax.ActionReference) -> int:
    if not isinstance(argument, expressions.Constant) or not isinstance(argument.value, int):
        raise P4Error(reference.position, f"the arguments of {reference.name} must be constants here")
    return int(argument.value)


def _entries(
    checker: ExpressionChecker,
    written: syntax.TableDeclaration,
    keys: tuple[objects.TableKey, ...],
    actions: list[objects.TableAction],
) -> tuple[objects.ConstantEntry, ...] | None:
    if written.entries is None:
        return None
    entries = []
    for entry in written.entries:
        matches = checker.key_matches(entry.keyset, tuple(key.expression.type for key in keys))
        for key, found in zip(keys, matches, strict=True):
            _fits(entry, key, found)
        index, arguments = _invoked(checker, entry.action, actions)
        entries.append(objects.ConstantEntry(entry.position, matches, index, arguments))
    return tuple(entries)


def _fits(entry: syntax.TableEntry, key: objects.TableKey, found: KeyMatch | None) -> None:
    """Refuse a match that a key of this kind cannot hold."""
    allowed = {
        MatchKind.EXACT: found is not None and found.mask is None and found.high is None,
        MatchKind.TERNARY: found is None or found.high is None,
        MatchKind.LPM: found is None or (found.high is None and _is_prefix(found.mask, key.width)),
        MatchKind.RANGE: found is None or found.mask is None,
    }
    if not allowed[key.kind]:
        raise P4Error(entry.position, f"key {key.name} is {key.kind.value} and cannot match this")


def _is_prefix(mask: int | None, width: int) -> bool:
    rest = 0 if mask is None else ((1 << width) - 1) ^ mask
    return rest & (rest + 1) == 0


def _size(checker: ExpressionChecker, written: syntax.TableDeclaration) -> int:
    given = written.properties.get("size")
    if given is None:
        return max(_DEFAULT_SIZE, len(written.entries or ())) if written.entries is None else len(written.entries)
    size = checker.integer(given.value)
    if size < max(1, len(written.entries or ())):
        raise P4Error(given.position, f"size {size} is too small")
    return size


def _counter(checker: ExpressionChecker, written: syntax.TableDeclaration) -> objects.ExternInstance | None:
    given = written.properties.get("counters")
    if given is None:
        return None
    checked = checker.check(given.value)
    if not isinstance(checked, expressions.Instance) or checked.instance.type.name not in _DIRECT_COUNTERS:
        raise P4Error(given.position, "counters needs a direct counter")
    return checked.instance


def _idle_timeout(checker: ExpressionChecker, written: syntax.TableDeclaration) -> bool:
    given = (written.properties[name] for name in _IDLE_TIMEOUT if name in written.properties)
    return any(checker.constant_as(property.value, kinds.BOOLEAN).value for property in given)
