from __future__ import annotations

import pytest

from p4model.language.errors import P4Error
from p4model.language.syntax import declarations, expressions, statements, types
from tests.unit.p4model.language.p4_sources import parsed


def expression(text: str) -> expressions.Expression:
    """The tree of an expression within a program that declares `pair_t`."""
    program = parsed(f"struct pair_t {{ }} const int x = {text};")
    constant = program.declarations[-1]
    assert isinstance(constant, statements.ConstantDeclaration)
    return constant.value


def shape(tree: object) -> object:
    """A tree as nested tuples, with operators as their spelling and without positions."""
    match tree:
        case expressions.Binary(operator=operator, left=left, right=right):
            return operator, shape(left), shape(right)
        case expressions.Unary(operator=operator, operand=operand):
            return operator, shape(operand)
        case expressions.Conditional(condition=condition, then=then, otherwise=otherwise):
            return "?", shape(condition), shape(then), shape(otherwise)
        case expressions.Cast(operand=operand):
            return "cast", shape(operand)
        case expressions.Member(base=base, name=name):
            return ".", shape(base), name
        case expressions.Slice(base=base, high=high, low=low):
            return "[:]", shape(base), shape(high), shape(low)
        case expressions.Call(callee=callee, types=arguments, arguments=given):
            return "()", shape(callee), len(arguments or ()), *(shape(argument.value) for argument in given)
        case expressions.Number(value=value):
            return value
        case expressions.Name(name=name):
            return name
        case expressions.ListExpression(elements=elements):
            return tuple(shape(element) for element in elements)
    raise AssertionError(tree)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b * c", ("+", "a", ("*", "b", "c"))),
        ("a - b - c", ("-", ("-", "a", "b"), "c")),
        ("a ++ b |+| c", ("|+|", ("++", "a", "b"), "c")),
        ("a & b == c", ("&", "a", ("==", "b", "c"))),
        ("a | b ^ c & d", ("|", "a", ("^", "b", ("&", "c", "d")))),
        ("a && b || c && d", ("||", ("&&", "a", "b"), ("&&", "c", "d"))),
        ("a < b", ("<", "a", "b")),
        ("a >> 1 > b", (">", (">>", "a", 1), "b")),
        ("a ? b : c ? d : e", ("?", "a", "b", ("?", "c", "d", "e"))),
        ("!a == ~b", ("==", ("!", "a"), ("~", "b"))),
        ("(bit<8>) a + (pair_t) b", ("+", ("cast", "a"), ("cast", "b"))),
        ("a.b[7:1].c", (".", ("[:]", (".", "a", "b"), 7, 1), "c")),
        ("p.lookahead<bit<(A >> 1)>>()", ("()", (".", "p", "lookahead"), 1)),
        ("f({a, 2}, 0x1F)", ("()", "f", 0, ("a", 2), 31)),
        ("t.apply().hit", (".", ("()", (".", "t", "apply"), 0), "hit")),
        ("8w0b1010 + 1_000", ("+", 10, 1000)),
    ],
)
def test_precedence_and_ambiguity(text: str, tree: object) -> None:
    assert shape(expression(text)) == tree


def test_type_parameters_are_types_within_their_declaration_only() -> None:
    program = parsed("extern Box<T> { Box(T t); T get<D>(in D data); } extern T most<T>(in T a); const int T = 1 < 2;")
    box, most, constant = program.declarations
    assert isinstance(box, declarations.ExternDeclaration)
    assert box.methods[0].type_parameters == ("D",)
    assert isinstance(most, declarations.ExternFunction)
    assert isinstance(constant, statements.ConstantDeclaration)
    assert isinstance(constant.value, expressions.Binary)


def test_a_table_has_its_parts_in_any_order() -> None:
    program = parsed(
        """
        control C(inout bit<8> x) {
            action a(bit<8> v) { x = v; }
            @hidden table t {
                const default_action = a(1);
                @name("all") actions = { @tableonly a; .NoAction; }
                size = 4;
                key = { x : ternary @name("value"); }
                const entries = { 1 &&& 3 : a(2); _ : a(3); }
            }
            apply { t.apply(); }
        }
        """
    )
    (control,) = program.declarations
    assert isinstance(control, declarations.ControlDeclaration)
    table = control.locals[1]
    assert isinstance(table, declarations.TableDeclaration)
    assert [(action.name, action.scope) for action in table.actions] == [("a", "tableonly"), ("NoAction", "")]
    assert table.keys[0].given_name == "value"
    assert table.entries is not None
    assert isinstance(table.entries[0].keyset, expressions.Mask)
    assert isinstance(table.entries[1].keyset, expressions.Anything)
    assert set(table.properties) == {"default_action", "size"}
    assert table.properties["default_action"].constant


def test_words_of_tables_and_states_are_names_elsewhere() -> None:
    program = parsed("struct s { bit<8> key; bit<8> type; bit<8> state; } control C(inout s apply) { apply { } }")
    (struct, _) = program.declarations
    assert isinstance(struct, declarations.StructDeclaration)
    assert [field.name for field in struct.fields] == ["key", "type", "state"]
    assert isinstance(struct.fields[0].type, types.BitType)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("const bit<8> x 3;", "a.p4:1:16: '3' is not expected here, but '='"),
        ("struct s {", "a.p4:1:10: the program ends within a declaration"),
        ("control C() { apply { x = 1 } }", "a.p4:1:29: '}' is not expected here, but "),
        ("}", "a.p4:1:1: '}' closes nothing"),
        ("const bit<4> x = 4w16;", "a.p4:1:18: 4w16: 16 does not fit in 4 bits"),
        ("const int x = 4s1;", "a.p4:1:15: 4s1: signed integers are not supported; bit<N> is"),
        ("header_union u { }", "a.p4:1:1: header_union is not supported"),
        ("control C()(bit<8> x) { apply { } }", "constructor parameters are not supported; use #define or const"),
        ("control C<T>(in T x) { apply { } }", "a.p4:1:1: C has type parameters; only externs, packages"),
        ("control C() { table t { size = 1; } apply { } }", "a.p4:1:15: table t has no actions"),
        ("control C() { table t { size = 1; size = 2; } apply { } }", "a.p4:1:35: table t has a second size"),
        ("control C() { table t { actions = { } entries = { } } apply { } }", "entries without const are not"),
    ],
)
def test_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(P4Error) as raised:
        parsed(text)
    assert message in str(raised.value)
