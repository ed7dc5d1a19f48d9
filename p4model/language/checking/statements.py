"""Checking of statements, and of functions and actions, which are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from p4model.language.checking import operators
from p4model.language.checking.expressions import ExpressionChecker
from p4model.language.errors import P4Error
from p4model.language.semantics import expressions, objects, statements
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Expression, Variable
from p4model.language.syntax import statements as syntax
from p4model.language.syntax.declarations import ActionDeclaration


@dataclass(frozen=True, slots=True)
class StatementChecker:
    """Checks statements within a scope; `result` is what `return` gives, and `may_exit` whether `exit` is allowed."""

    expressions: ExpressionChecker
    result: kinds.Type = field(default=kinds.VOID)
    may_exit: bool = True

    def block(self, written: Sequence[syntax.Statement]) -> tuple[statements.Statement, ...]:
        """The checked statements, in a scope of their own."""
        inner = StatementChecker(self.expressions.inner(), self.result, self.may_exit)
        return tuple(checked for statement in written if (checked := inner.check(statement)) is not None)

    def check(self, written: syntax.Statement) -> statements.Statement | None:
        """The checked statement; None for a declaration of a constant. Raises P4Error."""
        position = written.position
        match written:
            case syntax.Assignment(target=target, value=value):
                place = self.expressions.place(target)
                return statements.Assign(position, place, self.expressions.checked_as(value, place.type))
            case syntax.CallStatement(call=call):
                return statements.Evaluate(position, self.expressions.check(call))
            case syntax.If():
                return self._if(written)
            case syntax.Block(statements=inner):
                return statements.Block(position, self.block(inner))
            case syntax.Switch():
                return self._switch(written)
            case syntax.Return(value=value):
                return self._return(written)
            case syntax.Exit():
                if not self.may_exit:
                    raise P4Error(position, "exit is not allowed here")
                return statements.Exit(position)
            case syntax.VariableDeclaration():
                return self.variable(written)
            case syntax.ConstantDeclaration():
                self.constant(written)
                return None
            case syntax.DirectApplication(type=name):
                raise P4Error(position, f"{name}.apply() is not supported; give {name} an instance and apply that")
        raise P4Error(position, "this statement is not supported here")

    def constant(self, written: syntax.ConstantDeclaration) -> None:
        """Declare a constant."""
        kind = self.expressions.type(written.type)
        value = self.expressions.constant_as(written.value, kind)
        self.expressions.scope.declare(written.position, written.name, value)

    def variable(self, written: syntax.VariableDeclaration) -> statements.Declare:
        """Declare a local variable."""
        kind = self.expressions.type(written.type)
        if kind == kinds.INTEGER or isinstance(kind, kinds.Extern | kinds.Block):
            raise P4Error(written.position, f"a variable cannot have type {kind}")
        initial = None if written.initial is None else self.expressions.checked_as(written.initial, kind)
        variable = Variable(written.position, written.name, kind)
        self.expressions.scope.declare(written.position, written.name, variable)
        return statements.Declare(written.position, variable, initial)

    def parameters(self, written: Sequence[syntax.Parameter]) -> tuple[Variable, ...]:
        """Declare parameters."""
        variables = []
        for parameter in written:
            if parameter.default is not None:
                raise P4Error(parameter.position, "default values of parameters are not supported")
            kind = self.expressions.type(parameter.type)
            variable = Variable(parameter.position, parameter.name, kind, parameter.direction)
            self.expressions.scope.declare(parameter.position, parameter.name, variable)
            variables.append(variable)
        return tuple(variables)

    def function(self, written: syntax.Function) -> objects.Function:
        """A function, or an extern's method; its parameters get a scope of their own."""
        result = self.expressions.type(written.result)
        inner = StatementChecker(self.expressions.inner(), result, may_exit=False)
        parameters = inner.parameters(written.parameters)
        body = statements.Block(written.body.position, inner.block(written.body.statements))
        return objects.Function(written.position, written.name, parameters, result, body)

    def action(self, written: ActionDeclaration, *, is_global: bool) -> objects.Action:
        """An action, declared in this scope."""
        inner = StatementChecker(self.expressions.inner())
        parameters = inner.parameters(written.parameters)
        body = statements.Block(written.body.position, inner.block(written.body.statements))
        name = (written.given_name or written.name).removeprefix(".")
        action = objects.Action(written.position, name, parameters, body, is_global)
        self.expressions.scope.declare(written.position, written.name, action)
        return action

    def _if(self, written: syntax.If) -> statements.Statement:
        condition = self.expressions.checked_as(written.condition, kinds.BOOLEAN)
        then = statements.Block(written.then.position, self.block([written.then]))
        otherwise = None
        if written.otherwise is not None:
            otherwise = statements.Block(written.otherwise.position, self.block([written.otherwise]))
        return statements.If(written.position, condition, then, otherwise)

    def _return(self, written: syntax.Return) -> statements.Statement:
        if (written.value is None) != (self.result == kinds.VOID):
            what = "no value" if self.result == kinds.VOID else f"a value of type {self.result}"
            raise P4Error(written.position, f"expected return with {what}")
        value = None if written.value is None else self.expressions.checked_as(written.value, self.result)
        return statements.Return(written.position, value)

    def _switch(self, written: syntax.Switch) -> statements.Statement:
        subject = self.expressions.check(written.subject)
        by_action = isinstance(subject, expressions.ApplyTable) and subject.result == "action_run"
        if not by_action and (not operators.is_scalar(subject.type) or subject.type == kinds.INTEGER):
            raise P4Error(written.subject.position, f"switch over {subject.type} is not supported")
        cases: list[tuple[tuple[int, ...], statements.Block]] = []
        default: statements.Block | None = None
        pending: list[int] = []
        falls_to_default = False
        for case in written.cases:
            if case.label is None:
                falls_to_default = True
            else:
                pending.append(self._label(case, subject))
            if case.body is None:
                continue
            body = statements.Block(case.body.position, self.block(case.body.statements))
            if pending and not falls_to_default:
                cases.append((tuple(pending), body))
            if falls_to_default:
                if case is not written.cases[-1]:
                    raise P4Error(case.position, "default must be the last case")
                default = body
            pending = []
        labels = [label for group, _ in cases for label in group]
        if len(labels) != len(set(labels)):
            raise P4Error(written.position, "a label occurs twice in this switch")
        return statements.Switch(written.position, subject, tuple(cases), default)

    def _label(self, case: syntax.SwitchCase, subject: Expression) -> int:
        assert case.label is not None
        if not isinstance(subject, expressions.ApplyTable):
            value = self.expressions.constant_as(case.label, subject.type).value
            assert isinstance(value, int)
            return value
        name = getattr(case.label, "name", "")
        action = self.expressions.scope.find(case.label.position, name)
        for index, listed in enumerate(subject.table.actions):
            if listed.action is action:
                return index
        raise P4Error(case.label.position, f"{name} is no action of this table")
