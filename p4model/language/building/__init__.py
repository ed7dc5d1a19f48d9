"""Parse trees to syntax trees: a function per rule of the grammar, bottom up."""

from p4model.language.building import declarations, expressions, parsers, statements, tables, types
from p4model.language.building.rules import RULES

__all__ = ["RULES", "declarations", "expressions", "parsers", "statements", "tables", "types"]
