"""YAML text to plain values, remembering the line of every key and item.

Decides which YAML is accepted: mappings, lists, strings, whole and decimal numbers, true/false, null. Refused: duplicate
keys, anchors and aliases, merge keys, tags, keys that are not text. Nothing is ever constructed but plain values, so a
file cannot run anything. Leaves to the models what the values mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from bot.playbook.problem import Problem

CORE = "tag:yaml.org,2002:"
MAX_DEPTH = 40
LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its plain values, and the line of each path into them."""

    file: str
    data: object
    lines: dict[Path, int] = field(default_factory=dict)

    def place(self, path: Path) -> Path:
        """`path` without the parts that the file does not have: a missing key, or a name pydantic gave to a union's member."""
        here: Path = ()
        for part in path:
            if (*here, part) in self.lines:
                here = (*here, part)
        return here

    def line(self, path: Path) -> int:
        """The line of `path`, or of the nearest place above it that exists."""
        return self.lines.get(self.place(path), 1)

    def problem(self, path: Path, what: str, fix: str) -> Problem:
        return Problem(self.file, self.line(path), what, fix)


class _Refused(Exception):
    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.line, self.what, self.fix = line, what, fix


def read_yaml(file: str, raw: bytes) -> Document | Problem:
    """Parse one file. Returns the first problem where the text is not the YAML accepted here."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Problem(file, line, "the file is not UTF-8 text", "save it as UTF-8")
    try:
        node = yaml.compose(text, Loader=LOADER)
        if node is None:
            return Problem(file, 1, "the file is empty", "fill it in, or restore the file that came with Firsthour")
        lines: dict[Path, int] = {}
        return Document(file, _Values(lines).value(node, ()), lines)
    except _Refused as refused:
        return Problem(file, refused.line, refused.what, refused.fix)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        return Problem(
            file,
            mark.line + 1 if mark else 1,
            f"not valid YAML: {what}",
            "mend the YAML; quote text that holds “: ” or starts with a sign",
        )
    except yaml.YAMLError as error:  # the reader's own error for control characters has no mark
        return Problem(file, 1, f"not valid YAML: {str(error).splitlines()[0]}", "remove the control characters")
    except RecursionError:
        return Problem(file, 1, "nested too deeply", f"keep it to {MAX_DEPTH} levels")


class _Values:
    """Walks the composed nodes once."""

    def __init__(self, lines: dict[Path, int]) -> None:
        self.lines = lines
        self.seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> object:
        line: int = node.start_mark.line + 1
        if id(node) in self.seen:
            raise _Refused(line, "anchors and aliases (&, *) are not read here", "write the value out a second time")
        self.seen.add(id(node))
        if len(path) > MAX_DEPTH:
            raise _Refused(line, "nested too deeply", f"keep it to {MAX_DEPTH} levels")
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode) and node.tag == CORE + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == CORE + "seq":
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, line)
        raise _Refused(line, f"the tag “{_short(node.tag)}” is not read here", "remove the tag and write a plain value")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            line: int = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or not str(key_node.tag).startswith(CORE):
                raise _Refused(line, "a key must be plain text", "write the key as one word")
            key = str(key_node.value)
            if key_node.tag == CORE + "merge":
                raise _Refused(line, "merge keys (<<) are not read here", "write the keys out")
            if key in result:
                first = self.lines[(*path, key)]
                raise _Refused(line, f"the key “{key}” is here twice (first on line {first})", "keep one of them")
            self.lines[(*path, key)] = line
            result[key] = self.value(value_node, (*path, key))
        return result


def _scalar(node: yaml.ScalarNode, line: int) -> object:
    """Only YAML's plain core: `yes`, `on`, dates, `1:30` and octal stay text, so nothing changes its meaning unseen."""
    text = str(node.value)
    match _short(node.tag):
        case "null":
            return None
        case "bool" if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        case "int" if re.fullmatch(r"-?(0|[1-9][0-9]*)", text):
            return int(text)
        case "float" if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
            return float(text)
        case "str" | "bool" | "int" | "float" | "timestamp" | "value":
            return text
        case tag:
            raise _Refused(line, f"the tag “{tag}” is not read here", "remove the tag and write a plain value")


def _short(tag: object) -> str:
    return str(tag).removeprefix(CORE)
