"""p4modelc: what a controller gives to a switch, from a program."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

from p4model.compiler import main
from p4model.p4runtime.p4info import p4info
from p4model.program import compile_text
from p4rt.proto.p4info_pb2 import P4Info

SWITCHES = Path(__file__).parent
OBJECTS = SWITCHES.parent / "p4runtime" / "objects.p4"


def test_both_files_are_written(tmp_path: Path) -> None:
    output = tmp_path / "new" / "directory"
    assert main([str(OBJECTS), "-o", str(output)]) == 0
    assert {path.name for path in output.iterdir()} == {"objects.p4info.txtpb", "objects.p4i"}
    program = compile_text((output / "objects.p4i").read_text())
    described = text_format.Parse((output / "objects.p4info.txtpb").read_text(), P4Info())
    assert described == p4info(program.info)


def test_macros_and_directories(tmp_path: Path) -> None:
    (tmp_path / "sizes.p4").write_text("#if SMALL\n#define SIZE 2\n#else\n#define SIZE 9\n#endif\n")
    source = tmp_path / "program.p4"
    source.write_text('#include "sizes.p4"\n' + OBJECTS.read_text().replace("size = 3;", "size = SIZE;"))
    for arguments, size in (((), 9), (("-D", "SMALL"), 2), (("-D", "SMALL=0"), 9)):
        assert main([str(source), "-I", str(tmp_path), *arguments, "-o", str(tmp_path)]) == 0
        info = text_format.Parse((tmp_path / "program.p4info.txtpb").read_text(), P4Info())
        assert [table.size for table in info.tables if table.preamble.alias == "lines"] == [size]


def test_what_cannot_be_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.p4"
    wrong.write_text("\nheader {")
    output = tmp_path / "output"
    for source, told in (
        (wrong, f"{wrong}:2:"),
        (tmp_path / "absent.p4", "absent.p4"),
        (SWITCHES / "swap.p4", "swap.p4:1:1: the program is for tna; P4Runtime is served for v1model only"),
    ):
        assert main([str(source), "-o", str(output)]) == 1
        assert told in capsys.readouterr().err
        assert not output.exists()
    assert main([str(OBJECTS), "-o", str(wrong)]) == 1
    assert str(wrong) in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], [str(OBJECTS), "-D", "1=2"], [str(OBJECTS), "another"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: p4modelc" in capsys.readouterr().err
