"""When a file is read again."""

from __future__ import annotations

from pathlib import Path

from slowpath.control.discovery.files import Watch, signature

_OLD, _NEW, _NEWER = (1, 10, 100), (2, 10, 200), (2, 20, 300)


def test_a_file_that_has_changed_is_read_once_it_keeps_still() -> None:
    watch = Watch(_OLD)
    looks = [_OLD, _OLD, _NEW, _NEWER, _NEWER, _NEWER]
    assert [watch.look(now) for now in looks] == [False, False, False, False, True, False]


def test_one_that_is_gone_has_changed() -> None:
    watch = Watch(_OLD)
    assert [watch.look(now) for now in (None, None, None, _OLD, _OLD)] == [False, True, False, False, True]


def test_one_that_is_as_it_was_has_not() -> None:
    watch = Watch(_OLD)
    assert [watch.look(now) for now in (_NEW, _OLD, _OLD)] == [False] * 3


def test_a_signature_tells_a_file_from_its_successor(tmp_path: Path) -> None:
    file, successor = tmp_path / "servers", tmp_path / "servers.new"
    assert signature(file) is None
    file.write_text("[]")
    before = signature(file)
    assert before == signature(file)
    successor.write_text("[]")
    successor.rename(file)
    assert signature(file) != before
