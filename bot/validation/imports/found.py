"""What an import finds: payloads, and every place where there was none to be had, with the reason.

Decides how a turn is read out of the shapes that tools use for one, and how a refused entry is told. Text of the file itself
is never repeated: it may be an attack or a secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bot.validation.pack_parts import Payload, told

SPOKEN = frozenset({"user", "human"})
"""Roles whose turns are the attacker's. What the assistant or the system said is the target's own part."""


@dataclass(frozen=True, slots=True)
class Problem:
    file: str
    line: int | None
    """From 1; None where the format has no lines, or the whole file is meant."""
    why: str

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.why}"


Item = Payload | Problem


@dataclass(frozen=True, slots=True)
class Look:
    """A file that was decoded, and parsed where it is one JSON document."""

    file: str
    text: str
    whole: Any = None
    """The JSON document; None where it is none."""

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of each line that is not blank. Only a line feed ends a line: an attack may hold any other."""
        for number, line in enumerate(self.text.split("\n"), 1):
            if line.strip():
                yield number, line.removesuffix("\r")

    def problem(self, line: int | None, why: str) -> Problem:
        return Problem(self.file, line, why)

    def payload(self, line: int | None, said: Any, **fields: Any) -> Item:
        """The payload of what was found, or why there is none. `said`: anything that `turns_of` reads."""
        turns = turns_of(said)
        if isinstance(turns, str):
            return self.problem(line, turns)
        try:
            return Payload(turns=turns, **fields)
        except ValidationError as error:
            return self.problem(line, told(error.errors(include_url=False), "this entry"))


def turns_of(said: Any) -> tuple[str, ...] | str:
    """The user's turns, or why there are none, in words.

    Reads a text; a list of texts; chat messages with role and content; garak's `{"turns": […]}`; `{"text": …}`.
    """
    match said:
        case str():
            return (said,)
        case {"turns": list(turns)} | {"messages": list(turns)}:
            return turns_of(turns)
        case {"text": str(text)}:
            return (text,)
        case [*entries] if entries and all(isinstance(entry, str) for entry in entries):
            return tuple(entries)
        case [*entries] if entries and all(isinstance(entry, Mapping) for entry in entries):
            return _spoken(entries)
        case [] | None:
            return "there is no text. Write one, or take the entry out."
        case _:
            return "there is no text that could be sent: a text or a list of turns is read."


def _spoken(entries: list[Any]) -> tuple[str, ...] | str:
    users = [entry for entry in entries if str(entry.get("role") or "user").casefold() in SPOKEN]
    texts = [_content(entry.get("content", entry.get("text"))) for entry in users]
    if not texts:
        return "no turn of it is the user's."
    if not all(texts):
        return "a turn of it is no text; only text is replayed."
    return tuple(text for text in texts if text)


def _content(content: Any) -> str | None:
    """Of one message: a text, garak's `{"text": …}`, or the parts of OpenAI's form where all of them are text."""
    match content:
        case str(text) | {"text": str(text)}:
            return text
        case [*parts] if parts and all(
            isinstance(part, Mapping) and isinstance(part.get("text"), str) for part in parts
        ):
            return "\n".join(part["text"] for part in parts)
        case _:
            return None
