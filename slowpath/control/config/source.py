"""YAML as plain values that know their lines; strict where YAML is lax."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slowpath.control.config.problems import ConfigError, KeyPath, Problem, path_text

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32

_SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float")}
"""What plain text can stand for; anything else YAML sees in it, such as a date, is text."""


@dataclass(slots=True)
class Source:
    """A file's content as dicts, lists, strings, numbers, booleans and None, and the line of every key path."""

    file: Path
    data: object = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: KeyPath, message: str) -> Problem:
        """A problem at `path`, on the line of the deepest part of it that the file has."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return Problem(self.file, self.lines.get(known, 1), path_text(path), message)


def read(file: Path) -> Source:
    """Read a YAML file; raises ConfigError if it cannot be read or is not YAML.

    Duplicate keys are collected as `problems`, because the rest can be checked all the same.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError([Problem(file, 1, "", f"larger than {MAX_BYTES} bytes")])
        text = content.decode()
        loader = _Loader(text)
        root = loader.get_single_node()
    except OSError as error:
        raise ConfigError([Problem(file, 1, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(file, line, "", "not UTF-8 text")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", f"the character #x{error.character:x} is not allowed")]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = ", ".join(filter(None, (error.context, error.problem)))
        raise ConfigError([Problem(file, mark.line + 1 if mark else 1, "", f"not YAML: {message}")]) from None
    source = Source(file)
    if root is not None:
        source.data = _Builder(source, loader).build(root, ())
    return source


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses what makes YAML more than it looks like, and bounds the nesting.

    One aliased node can stand for billions; tags make a value something else than it is written as.
    """

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, "aliases (*name) are not supported: repeat the value")
        if event.tag is not None:
            self._refuse(event, f"tags ({event.tag}) are not supported")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self._refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        node: Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refuse(self, event: yaml.NodeEvent, problem: str) -> NoReturn:
        # The stubs allow for libyaml's marks, which this loader in Python does not make.
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)  # type: ignore[arg-type]


@dataclass(slots=True)
class _Builder:
    """Turns composed nodes into values."""

    source: Source
    loader: _Loader

    def build(self, node: Node, path: KeyPath) -> object:
        self.source.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: Node) -> object:
        if node.tag not in _SCALARS:
            return node.value
        try:
            return self.loader.construct_object(node)
        except ValueError:
            # YAML 1.1 resolves a few texts to numbers that are none, such as 0x_.
            return node.value

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self.source.problems.append(
                    Problem(self.source.file, line, path_text(path), "a key has to be a plain word")
                )
                continue
            key = key_node.value
            if key in values:
                message = f"given twice, first on line {first[key]}"
                self.source.problems.append(Problem(self.source.file, line, path_text((*path, key)), message))
                continue
            first[key] = self.source.lines[(*path, key)] = line
            values[key] = self.build(value_node, (*path, key))
        return values
