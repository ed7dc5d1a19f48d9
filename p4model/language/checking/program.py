"""Checking of a whole program, declaration by declaration."""

from __future__ import annotations

from collections.abc import Sequence

from p4model.language.checking import blocks
from p4model.language.checking.expressions import ExpressionChecker, Names
from p4model.language.checking.scope import Scope
from p4model.language.checking.statements import StatementChecker
from p4model.language.errors import P4Error, Position
from p4model.language.semantics import objects
from p4model.language.semantics import types as kinds
from p4model.language.semantics.expressions import Constant
from p4model.language.semantics.objects import CheckedProgram, PackageInstance
from p4model.language.syntax import declarations as syntax
from p4model.language.syntax import expressions as written_expressions
from p4model.language.syntax import statements as written_statements
from p4model.language.syntax.types import NamedType

_MAIN = "main"


def check(program: syntax.ProgramSyntax) -> CheckedProgram:
    """The checked program; raises P4Error at the first thing that is wrong."""
    checker = _ProgramChecker()
    for declaration in program.declarations:
        checker.declare(declaration)
    main = checker.scope.names.get(_MAIN)
    if not isinstance(main, PackageInstance):
        position = program.declarations[-1].position if program.declarations else Position("<nothing>", 1, 1)
        raise P4Error(position, "the program has no package instance main")
    constants = {
        name: meaning.value
        for name, meaning in checker.scope.names.items()
        if isinstance(meaning, Constant) and isinstance(meaning.value, int)
    }
    return CheckedProgram(main, constants, tuple(checker.names.errors))


class _ProgramChecker:
    def __init__(self) -> None:
        self.scope = Scope()
        self.names = Names()
        self._expressions = ExpressionChecker(self.scope, self.names)
        self._statements = StatementChecker(self._expressions)

    def declare(self, declared: written_statements.Statement) -> None:
        position = declared.position
        match declared:
            case written_statements.ConstantDeclaration():
                self._statements.constant(declared)
            case syntax.ErrorDeclaration(names=names):
                self.names.errors.extend(name for name in names if name not in self.names.errors)
            case syntax.MatchKindDeclaration(names=names):
                self.names.match_kinds.update(names)
            case syntax.ExternDeclaration(name=name) | syntax.BlockType(name=name):
                self.scope.declare_type(position, name, declared)
            case syntax.ExternFunction(name=name):
                self.scope.declare(position, name, declared)
            case syntax.ParserDeclaration(name=name):
                self.scope.declare_type(position, name, blocks.parser(self._expressions, declared))
            case syntax.ControlDeclaration(name=name):
                self.scope.declare_type(position, name, blocks.control(self._expressions, declared))
            case syntax.ActionDeclaration():
                self._statements.action(declared, is_global=True)
            case written_statements.Function(name=name):
                self.scope.declare(position, name, self._statements.function(declared))
            case written_statements.Instantiation(name=name):
                self.scope.declare(position, name, self._package(declared))
            case syntax.Declaration(name=name):
                self.scope.declare_type(position, name, self._type(declared))
            case _:
                raise P4Error(position, "this declaration is not supported")

    def _type(self, declared: syntax.Declaration) -> kinds.Type:
        match declared:
            case syntax.HeaderDeclaration() | syntax.StructDeclaration():
                return self._compound(declared)
            case syntax.EnumDeclaration(name=name, members=members):
                return kinds.Enum(name, members)
            case syntax.SerializableEnumDeclaration(name=name, type=written, members=numbered):
                base = self._expressions.type(written)
                if not isinstance(base, kinds.Bit):
                    raise P4Error(declared.position, f"an enum of {base} is not supported; bit<N> is")
                values = tuple((member, self._number(value, base)) for member, value in numbered)
                return kinds.SerializableEnum(name, base, values)
            case syntax.TypeAlias(name=name, type=written, new=new):
                aliased = self._expressions.type(written)
                return kinds.New(name, aliased) if new else aliased
        raise AssertionError(declared)

    def _number(self, written: written_expressions.Expression, base: kinds.Bit) -> int:
        value = self._expressions.constant_as(written, base).value
        assert isinstance(value, int)
        return value

    def _compound(self, declared: syntax.HeaderDeclaration | syntax.StructDeclaration) -> kinds.Type:
        if declared.type_parameters:
            raise P4Error(declared.position, f"{declared.name} has type parameters, which is not supported")
        fields: list[kinds.Field] = []
        for entry in declared.fields:
            kind = self._expressions.type(entry.type)
            if any(known.name == entry.name for known in fields):
                raise P4Error(entry.position, f"{declared.name} has a second field {entry.name}")
            fields.append(kinds.Field(entry.name, kind))
            if (
                isinstance(declared, syntax.HeaderDeclaration)
                and not isinstance(kinds.underlying(kind), kinds.Bit)
                and kind != kinds.BOOLEAN
            ):
                raise P4Error(entry.position, f"a header field of type {kind} is not supported; bit<N> is")
        if isinstance(declared, syntax.StructDeclaration):
            return kinds.Struct(declared.name, tuple(fields))
        return kinds.Header(declared.name, tuple(fields))

    def _package(self, declared: written_statements.Instantiation) -> PackageInstance:
        position, name = declared.position, declared.type.name
        package = self.scope.find_type(position, name)
        if not isinstance(package, syntax.BlockType) or package.keyword != "package":
            raise P4Error(position, f"{name} is no package; other instances are declared within controls and parsers")
        given = [self._block(argument) for argument in declared.arguments]
        required = sum(not parameter.optional for parameter in package.parameters)
        if not required <= len(given) <= len(package.parameters):
            raise P4Error(position, f"{name} takes {required} to {len(package.parameters)} arguments, not {len(given)}")
        arguments = {}
        for parameter, argument in zip(package.parameters, given, strict=False):
            self._matches(parameter, argument)
            arguments[parameter.name] = argument
        return PackageInstance(position, declared.name, name, arguments)

    def _block(self, argument: written_expressions.Argument) -> objects.Parser | objects.Control | PackageInstance:
        match argument.value:
            case written_expressions.Construction(position=position, type=NamedType(name=name), arguments=()):
                found = self.scope.find_type(position, name)
                if isinstance(found, objects.Parser | objects.Control):
                    return found
            case written_expressions.Name(position=position, name=name):
                known = self.scope.find(position, name)
                if isinstance(known, PackageInstance):
                    return known
        raise P4Error(argument.position, "expected a parser, a control or a package, without arguments")

    def _matches(
        self, parameter: written_statements.Parameter, given: objects.Parser | objects.Control | PackageInstance
    ) -> None:
        """Refuse a block that has not the parameters that the architecture wants; optional ones may be missing."""
        assert isinstance(parameter.type, NamedType)
        wanted = self.scope.find_type(parameter.position, parameter.type.name)
        assert isinstance(wanted, syntax.BlockType)
        if isinstance(given, PackageInstance):
            if given.package != wanted.name:
                raise P4Error(given.position, f"{parameter.name}: expected a {wanted.name}, not a {given.package}")
            return
        if (wanted.keyword == "parser") != isinstance(given, objects.Parser):
            raise P4Error(given.position, f"{parameter.name}: expected a {wanted.keyword}, which {given.name} is not")
        _block_parameters(self._expressions, wanted, given)


def _block_parameters(
    checker: ExpressionChecker, wanted: syntax.BlockType, given: objects.Parser | objects.Control
) -> None:
    scope = Scope(checker.scope)
    scope.types.update({name: kinds.Variable(name) for name in wanted.type_parameters})
    inner = checker.within(scope)
    available: Sequence[written_statements.Parameter] = wanted.parameters
    for own in given.parameters:
        while available:
            parameter, available = available[0], available[1:]
            kind = inner.type(parameter.type)
            if isinstance(kind, kinds.Variable) or kind == own.type:
                if parameter.direction == own.direction:
                    break
                raise P4Error(own.position, f"{own.name} must be `{parameter.direction}` as in {wanted.name}")
            if not parameter.optional:
                raise P4Error(own.position, f"{own.name}: {wanted.name} has {kind} here, not {own.type}")
        else:
            raise P4Error(own.position, f"{own.name}: {wanted.name} has no further parameter of {own.type}")
    if any(not parameter.optional for parameter in available):
        raise P4Error(given.position, f"{given.name} has fewer parameters than {wanted.name}")
