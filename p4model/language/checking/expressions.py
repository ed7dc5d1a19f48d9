"""Checking of expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

from p4model.language.checking import calls, operators, types
from p4model.language.checking.scope import Scope
from p4model.language.errors import P4Error, Position
from p4model.language.semantics import expressions
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Constant, Expression, KeyMatch, Place, Variable
from p4model.language.semantics.objects import ExternInstance
from p4model.language.syntax import expressions as syntax
from p4model.language.syntax.types import TypeSyntax


@dataclass(slots=True)
class Names:
    """What is declared once for a whole program: errors by value, and match kinds."""

    errors: list[str] = field(default_factory=list)
    match_kinds: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ExpressionChecker:
    """Checks expressions within a scope."""

    scope: Scope
    names: Names

    def inner(self) -> ExpressionChecker:
        """A checker for a scope within this one."""
        return self.within(self.scope.inner())

    def within(self, scope: Scope) -> ExpressionChecker:
        """A checker for another scope of the same program."""
        return ExpressionChecker(scope, self.names)

    def type(self, written: TypeSyntax) -> kinds.Type:
        """The type that is written."""
        return types.resolve(written, self.scope, self.integer)

    def integer(self, written: syntax.Expression) -> int:
        """The value of a constant number."""
        checked = self.check(written)
        if not isinstance(checked, Constant) or not isinstance(checked.value, int):
            raise P4Error(written.position, "expected a constant number")
        return checked.value

    def checked_as(self, written: syntax.Expression, wanted: kinds.Type) -> Expression:
        """The expression, implicitly cast to `wanted`."""
        if isinstance(written, syntax.Record):
            return self._record(written, wanted)
        return operators.convert(self.check(written), wanted)

    def constant_as(self, written: syntax.Expression, wanted: kinds.Type) -> Constant:
        """The expression, which must be constant, implicitly cast to `wanted`."""
        checked = self.checked_as(written, wanted)
        if not isinstance(checked, Constant):
            raise P4Error(written.position, "expected a constant")
        return checked

    def place(self, written: syntax.Expression) -> Place:
        """What can be assigned to."""
        checked = self.check(written)
        if not isinstance(checked, Place):
            raise P4Error(written.position, "this cannot be assigned to")
        root: Expression = checked
        while isinstance(root, expressions.FieldOf | expressions.ElementOf | expressions.SliceOf):
            root = root.base
        if not isinstance(root, expressions.Read):
            raise P4Error(written.position, "this cannot be assigned to")
        if root.variable.direction == "in":
            raise P4Error(written.position, f"{root.variable.name} is an `in` parameter, which cannot be assigned to")
        return checked

    def check(self, written: syntax.Expression) -> Expression:
        """The checked expression; raises P4Error."""
        position = written.position
        match written:
            case syntax.Number(value=value, width=width):
                return Constant(position, kinds.INTEGER if width is None else kinds.Bit(width), value)
            case syntax.Truth(value=value):
                return Constant(position, kinds.BOOLEAN, value)
            case syntax.Text(value=text):
                return Constant(position, kinds.STRING, text)
            case syntax.Name(name=name):
                return self._name(position, name)
            case syntax.TypeMember(type=name, name=member):
                return self._type_member(position, name, member)
            case syntax.Member():
                return self._member(written)
            case syntax.Index(base=base, index=index):
                return self._index(position, self.check(base), self.integer(index))
            case syntax.Slice(base=base, high=high, low=low):
                return self._slice(position, self.check(base), self.integer(high), self.integer(low))
            case syntax.Unary(operator=symbol, operand=operand):
                return operators.unary(position, symbol, self.check(operand))
            case syntax.Binary(operator=symbol, left=left, right=right):
                return operators.binary(position, symbol, self.check(left), self.check(right))
            case syntax.Conditional():
                return self._conditional(written)
            case syntax.Cast(type=target, operand=operand):
                return operators.cast(self.check(operand), self.type(target))
            case syntax.ListExpression(elements=elements):
                checked = tuple(self.check(element) for element in elements)
                kind = kinds.Tuple(tuple(element.type for element in checked))
                return expressions.Group(position, kind, checked)
            case syntax.Call():
                return calls.check(self, written)
        raise P4Error(position, "this expression is not supported here")

    def _name(self, position: Position, name: str) -> Expression:
        meaning = self.scope.find(position, name)
        if isinstance(meaning, Variable):
            return expressions.Read(position, meaning.type, meaning)
        if isinstance(meaning, Constant):
            return Constant(position, meaning.type, meaning.value)
        if isinstance(meaning, ExternInstance):
            return expressions.Instance(position, meaning.type, meaning)
        raise P4Error(position, f"{name} is no value")

    def _type_member(self, position: Position, name: str, member: str) -> Expression:
        if name == "error":
            if member not in self.names.errors:
                raise P4Error(position, f"error.{member} is not declared")
            return Constant(position, kinds.ERROR, self.names.errors.index(member))
        found = self.scope.find_type(position, name)
        if isinstance(found, kinds.Enum) and member in found.members:
            return Constant(position, found, found.members.index(member))
        if isinstance(found, kinds.SerializableEnum) and member in dict(found.members):
            return Constant(position, found, dict(found.members)[member])
        raise P4Error(position, f"{name} has no member {member}")

    def _member(self, written: syntax.Member) -> Expression:
        result = calls.table_result(self, written)
        if result is not None:
            return result
        base = self.check(written.base)
        kind = kinds.field_type(base.type, written.name)
        if kind is not None:
            return expressions.FieldOf(written.position, kind, base, written.name)
        if isinstance(base.type, kinds.Stack):
            raise P4Error(written.position, f".{written.name} of a header stack is not supported; constant indexes are")
        raise P4Error(written.position, f"{base.type} has no field {written.name}")

    def _index(self, position: Position, base: Expression, index: int) -> Expression:
        if isinstance(base.type, kinds.Stack):
            size = base.type.size
            element: list[kinds.Type] = [base.type.element] * size
        elif isinstance(base.type, kinds.Tuple):
            size, element = len(base.type.elements), list(base.type.elements)
        else:
            raise P4Error(position, f"{base.type} cannot be indexed")
        if not 0 <= index < size:
            raise P4Error(position, f"index {index} is not within {base.type}")
        return expressions.ElementOf(position, element[index], base, index)

    def _slice(self, position: Position, base: Expression, high: int, low: int) -> Expression:
        kind = kinds.underlying(base.type)
        if not isinstance(kind, kinds.Bit):
            raise P4Error(position, f"{base.type} has no bits [{high}:{low}]")
        if not 0 <= low <= high < kind.width:
            raise P4Error(position, f"[{high}:{low}] is not within {kind}; bits are [{kind.width - 1}:0]")
        result = kinds.Bit(high - low + 1)
        if isinstance(base, Constant) and isinstance(base.value, int):
            return Constant(position, result, base.value >> low & ((1 << result.width) - 1))
        return expressions.SliceOf(position, result, base, high, low)

    def _conditional(self, written: syntax.Conditional) -> Expression:
        condition = self.checked_as(written.condition, kinds.BOOLEAN)
        then, otherwise = self.check(written.then), self.check(written.otherwise)
        if then.type == kinds.INTEGER and otherwise.type != kinds.INTEGER:
            then = operators.convert(then, otherwise.type)
        else:
            otherwise = operators.convert(otherwise, then.type)
        if isinstance(condition, Constant):
            return then if condition.value else otherwise
        if then.type == kinds.INTEGER:
            raise P4Error(written.position, "write the width of at least one of the two numbers")
        if not operators.is_scalar(then.type):
            raise P4Error(written.position, f"?: of {then.type} is not supported; scalars are")
        return expressions.Conditional(written.position, then.type, condition, then, otherwise)

    def _record(self, written: syntax.Record, wanted: kinds.Type) -> Expression:
        if not isinstance(wanted, kinds.Struct | kinds.Header):
            raise P4Error(written.position, f"expected {wanted}, not fields with names")
        given = dict(written.fields)
        names = [entry.name for entry in wanted.fields]
        if len(given) != len(written.fields) or set(given) != set(names):
            raise P4Error(written.position, f"{wanted} has the fields {', '.join(names)}, not {', '.join(given)}")
        elements = tuple(self.checked_as(given[entry.name], entry.type) for entry in wanted.fields)
        return expressions.Group(written.position, wanted, elements)

    def key_match(self, written: syntax.Expression, wanted: kinds.Type) -> KeyMatch | None:
        """What one element of a keyset matches; None is anything."""
        match written:
            case syntax.Anything():
                return None
            case syntax.Mask(value=value, mask=mask):
                return KeyMatch(self._key(value, wanted), mask=self._key(mask, wanted))
            case syntax.Range(low=low, high=high):
                first, last = self._key(low, wanted), self._key(high, wanted)
                if first > last:
                    raise P4Error(written.position, f"the range {first} .. {last} is empty")
                return KeyMatch(first, high=last)
        return KeyMatch(self._key(written, wanted))

    def _key(self, written: syntax.Expression, wanted: kinds.Type) -> int:
        value = self.constant_as(written, wanted).value
        assert isinstance(value, int)
        return int(value)

    def key_matches(self, written: syntax.Expression, wanted: tuple[kinds.Type, ...]) -> tuple[KeyMatch | None, ...]:
        """What a keyset matches of subjects of these types; None is anything."""
        if isinstance(written, syntax.Anything):
            return (None,) * len(wanted)
        elements = written.elements if isinstance(written, syntax.TupleKeyset) else (written,)
        if len(elements) != len(wanted):
            raise P4Error(written.position, f"expected {len(wanted)} elements to match, not {len(elements)}")
        return tuple(self.key_match(element, kind) for element, kind in zip(elements, wanted, strict=True))
