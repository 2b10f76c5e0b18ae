"""Files to models: which file holds what, and how pydantic's complaints become problems with a line and a fix.

Decides the folder's layout; a file that nothing reads is refused, because a mistyped name would silently do nothing.
Leaves agreement between files to `check`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.playbook.problem import Problem, did_you_mean
from bot.playbook.yaml_lines import Document, read_yaml

M = TypeVar("M", bound=BaseModel)
SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Part(Generic[M]):
    """A model together with the file it came from, so that later checks can name lines."""

    document: Document
    model: M


class Folder:
    """One read of a playbook's folder. Problems gather here; `parts` are what could be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self._hash = hashlib.sha256()
        self._unread = set(self._present())

    def _present(self) -> Iterator[str]:
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root)
            hidden = any(part.startswith(".") for part in name.parts)  # editors' and ConfigMap mounts' own files
            if path.suffix in SUFFIXES and path.is_file() and not hidden:
                yield name.as_posix()

    def one(self, name: str, model: type[M]) -> Part[M] | None:
        """The file `name`, or None with its problems noted."""
        self._unread.discard(name)
        try:
            raw = (self.root / name).read_bytes()
        except OSError as error:
            reason = error.strerror or "unreadable"
            self.problems.append(Problem(name, 1, f"cannot be read: {reason}", "restore the file"))
            return None
        self._hash.update(f"{name}\0{len(raw)}\0".encode() + raw)
        document = read_yaml(name, raw)
        if isinstance(document, Problem):
            self.problems.append(document)
            return None
        try:
            return Part(document, model.model_validate(document.data))
        except ValidationError as error:
            for detail in _meant(error.errors(include_url=False)):
                self.problems += explain(document, detail)
            return None

    def every(self, folder: str, model: type[M]) -> list[Part[M]]:
        """Every YAML file of a sub-folder, by name."""
        names = sorted(name for name in self._unread if name.startswith(f"{folder}/") and name.endswith(".yaml"))
        if not names:
            self.problems.append(
                Problem(folder, 1, "no .yaml file here", "restore the folder that came with Firsthour")
            )
        parts = [self.one(name, model) for name in names]
        return [part for part in parts if part is not None]

    def finish(self, known: tuple[str, ...], folders: tuple[str, ...]) -> str:
        """Refuse files that nothing read. Returns the digest."""
        for name in sorted(self._unread):
            inside = [f"{folder}/{Path(name).stem}.yaml" for folder in folders] if "/" in name else known
            fix = did_you_mean(name, inside, "remove it")
            self.problems.append(Problem(name, 1, "nothing reads this file", fix))
        return self._hash.hexdigest()


def _meant(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without “is empty” of a list of which pydantic has taken the wrong entries out: those are named."""
    within = {detail["loc"][:end] for detail in details for end in range(len(detail["loc"]))}
    return [detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in within]


def explain(document: Document, detail: ErrorDetails, *, under: tuple[str | int, ...] = ()) -> list[Problem]:
    """One pydantic complaint as problems in the words of the file."""
    where = (*under, *detail["loc"])
    context = detail.get("ctx", {})
    named = where if detail["type"] == "missing" else document.place(where)
    last = next((part for part in reversed(named) if isinstance(part, str)), "the file")
    if detail["type"] == "unknown_keys":
        known = context["known"]
        return [
            document.problem((*where, key), f"unknown key “{key}”", did_you_mean(key, known, "remove it"))
            for key in context["keys"]
        ]
    say = EXPLANATIONS.get(detail["type"])
    if say is not None:
        what, fix = say(last, detail)
        return [document.problem(where, what, fix)]
    message = detail["msg"].removeprefix("Value error, ")
    return [document.problem(where, f"`{last}`: {message}", "change it to what is asked for")]


def _missing(name: str, detail: ErrorDetails) -> tuple[str, str]:
    return f"`{name}` is missing", f"add `{name}:`"


def _enum(name: str, detail: ErrorDetails) -> tuple[str, str]:
    expected = detail.get("ctx", {}).get("expected", "")
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    return f"`{name}`: “{detail['input']}” is not known", did_you_mean(detail["input"], words, "correct it")


def _too_short(name: str, detail: ErrorDetails) -> tuple[str, str]:
    return f"`{name}` is empty", f"give `{name}` at least one entry"


def _too_long(name: str, detail: ErrorDetails) -> tuple[str, str]:
    limit = detail.get("ctx", {}).get("max_length", "")
    return f"`{name}` is longer than Slack shows ({limit} characters)", f"shorten it to {limit} characters"


def _pattern(name: str, detail: ErrorDetails) -> tuple[str, str]:
    pattern = detail.get("ctx", {}).get("pattern", "")
    return f"`{name}`: “{detail['input']}” is not written as it must be", f"write it to match {pattern}"


def _tag(name: str, detail: ErrorDetails) -> tuple[str, str]:
    context = detail.get("ctx", {})
    words = [word.strip(" '") for word in context.get("expected_tags", "").split(",")]
    return f"`primitive`: “{context.get('tag')}” is not known", did_you_mean(context.get("tag"), words, "correct it")


def _no_tag(name: str, detail: ErrorDetails) -> tuple[str, str]:
    return "`primitive` is missing", "add `primitive:`"


Explanation = Callable[[str, ErrorDetails], tuple[str, str]]
EXPLANATIONS: dict[str, Explanation] = {
    "missing": _missing,
    "enum": _enum,
    "literal_error": _enum,
    "too_short": _too_short,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _pattern,
    "union_tag_invalid": _tag,
    "union_tag_not_found": _no_tag,
}
