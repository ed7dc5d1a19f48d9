"""Declarations, and what they have in common."""

from __future__ import annotations

from p4model.language.building.rules import Children, present, refuse_generic, rule, split, with_name
from p4model.language.errors import P4Error, Position
from p4model.language.syntax import declarations, statements


@rule("start")
def _start(_: Position, children: Children) -> declarations.ProgramSyntax:
    return declarations.ProgramSyntax(tuple(children))


@rule("name", "type_name")
def _name(_: Position, children: Children) -> object:
    return str(children[0])


@rule("type_parameters")
def _type_parameters(_: Position, children: Children) -> object:
    return tuple(child for child in children if isinstance(child, str))


@rule("declaration", "parser_local", "control_local")
def _declaration(_: Position, children: Children) -> object:
    annotations, declared = split(children)
    return with_name(declared[0], annotations)


@rule("constant")
def _constant(position: Position, children: Children) -> statements.ConstantDeclaration:
    return statements.ConstantDeclaration(position, *children)


@rule("error_declaration")
def _error_declaration(position: Position, children: Children) -> declarations.ErrorDeclaration:
    return declarations.ErrorDeclaration(position, present(children))


@rule("match_kind")
def _match_kind(position: Position, children: Children) -> declarations.MatchKindDeclaration:
    return declarations.MatchKindDeclaration(position, present(children))


@rule("header")
def _header(position: Position, children: Children) -> declarations.HeaderDeclaration:
    return declarations.HeaderDeclaration(position, children[0], children[1], tuple(children[2:]))


@rule("struct")
def _struct(position: Position, children: Children) -> declarations.StructDeclaration:
    return declarations.StructDeclaration(position, children[0], children[1], tuple(children[2:]))


@rule("field")
def _field(position: Position, children: Children) -> declarations.FieldDeclaration:
    _, (kind, name) = split(children)
    return declarations.FieldDeclaration(position, kind, name)


@rule("enum")
def _enum(position: Position, children: Children) -> declarations.EnumDeclaration:
    return declarations.EnumDeclaration(position, children[0], present(children[1:]))


@rule("serializable_enum")
def _serializable_enum(position: Position, children: Children) -> declarations.SerializableEnumDeclaration:
    kind, name, *members = children
    return declarations.SerializableEnumDeclaration(position, name, kind, present(members))


@rule("enum_member")
def _enum_member(_: Position, children: Children) -> object:
    return tuple(children)


@rule("typedef")
def _typedef(position: Position, children: Children) -> declarations.TypeAlias:
    return declarations.TypeAlias(position, children[1], children[0], new=False)


@rule("newtype")
def _newtype(position: Position, children: Children) -> declarations.TypeAlias:
    return declarations.TypeAlias(position, children[1], children[0], new=True)


@rule("extern")
def _extern(position: Position, children: Children) -> declarations.ExternDeclaration:
    name, parameters, *methods = children
    constructors = tuple(method for method in methods if method.result is None)
    others = tuple(method for method in methods if method.result is not None)
    return declarations.ExternDeclaration(position, name, parameters, constructors, others)


@rule("constructor")
def _constructor(position: Position, children: Children) -> declarations.MethodDeclaration:
    _, (name, parameters) = split(children)
    return declarations.MethodDeclaration(position, str(name), None, (), parameters)


@rule("method")
def _method(position: Position, children: Children) -> declarations.MethodDeclaration:
    _, (abstract, result, name, type_parameters, parameters) = split(children)
    return declarations.MethodDeclaration(
        position, name, result, type_parameters, parameters, abstract=abstract is not None
    )


@rule("extern_function")
def _extern_function(position: Position, children: Children) -> declarations.ExternFunction:
    result, name, type_parameters, parameters = children
    method = declarations.MethodDeclaration(position, name, result, type_parameters, parameters)
    return declarations.ExternFunction(position, name, method)


@rule("parameters")
def _parameters(_: Position, children: Children) -> object:
    return present(children)


@rule("parameter")
def _parameter(position: Position, children: Children) -> statements.Parameter:
    annotations, (direction, kind, name, default) = split(children)
    optional = "optional" in annotations or default is not None
    return statements.Parameter(position, direction or "", kind, name, optional, default)


@rule("direction")
def _direction(_: Position, children: Children) -> object:
    return str(children[0])


@rule("package")
def _package(position: Position, children: Children) -> declarations.BlockType:
    return declarations.BlockType(position, children[0], "package", children[1], children[2])


@rule("parser_type")
def _parser_type(position: Position, children: Children) -> declarations.BlockType:
    return declarations.BlockType(position, children[0], "parser", children[1], children[2])


@rule("control_type")
def _control_type(position: Position, children: Children) -> declarations.BlockType:
    return declarations.BlockType(position, children[0], "control", children[1], children[2])


@rule("constructor_parameters")
def _constructor_parameters(position: Position, children: Children) -> None:
    if children[0]:
        raise P4Error(position, "constructor parameters are not supported; use #define or const")


@rule("parser")
def _parser(position: Position, children: Children) -> declarations.ParserDeclaration:
    name, type_parameters, parameters, _, *parts = children
    refuse_generic(position, name, type_parameters)
    states = tuple(part for part in parts if isinstance(part, declarations.State))
    local = tuple(part for part in parts if not isinstance(part, declarations.State))
    return declarations.ParserDeclaration(position, name, parameters, local, states)


@rule("control")
def _control(position: Position, children: Children) -> declarations.ControlDeclaration:
    name, type_parameters, parameters, _, *parts, body = children
    refuse_generic(position, name, type_parameters)
    return declarations.ControlDeclaration(position, name, parameters, tuple(parts), body)


@rule("action")
def _action(position: Position, children: Children) -> declarations.ActionDeclaration:
    return declarations.ActionDeclaration(position, *children)


@rule("function")
def _function(position: Position, children: Children) -> statements.Function:
    result, name, type_parameters, parameters, body = children
    refuse_generic(position, name, type_parameters)
    return statements.Function(position, result, name, (), parameters, body)


@rule("instantiation")
def _instantiation(position: Position, children: Children) -> statements.Instantiation:
    kind, arguments, name, methods = children
    return statements.Instantiation(position, kind, arguments, name, methods or ())


@rule("initializer")
def _initializer(_: Position, children: Children) -> object:
    return tuple(children)
