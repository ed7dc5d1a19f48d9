"""Source text to what the front end makes of it, and the errors that it raises."""

from __future__ import annotations

from pathlib import Path

import pytest

from p4model.language.checking.program import check
from p4model.language.errors import P4Error
from p4model.language.parser import parse
from p4model.language.preprocessor import Preprocessor
from p4model.language.semantics.objects import CheckedProgram
from p4model.language.syntax.declarations import ProgramSyntax
from p4model.program import BUILT_IN

TNA = """\
#include <core.p4>
#include <tna.p4>
header data_h { bit<8> a; bit<8> b; bit<16> c; }
struct headers_t { data_h data; data_h[2] stack; }
struct metadata_t { bit<16> m; bool truth; }
"""


def preprocessed(text: str, *include: Path, **defines: str) -> str:
    """The tokens of a text, one space between them."""
    preprocessor = Preprocessor(include)
    for name, value in defines.items():
        preprocessor.define(name, value)
    return " ".join(token.text for token in preprocessor.text(text, "a.p4"))


def parsed(text: str) -> ProgramSyntax:
    """The syntax tree of a text."""
    return parse(Preprocessor([BUILT_IN]).text(text, "a.p4"))


def checked(text: str) -> CheckedProgram:
    """The checked program of a text."""
    preprocessor = Preprocessor([BUILT_IN])
    preprocessor.define("__TARGET_TOFINO__", "1")
    return check(parse(preprocessor.text(text, "a.p4")))


def refusal(text: str) -> str:
    """The message with which a text is refused."""
    with pytest.raises(P4Error) as raised:
        checked(text)
    return str(raised.value)
