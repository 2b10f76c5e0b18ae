"""Payloads out of other tools' files, known by their content and not by their name.

Decides which format a file has, and that one bad entry is named and costs only itself. Reads bytes that it is given; files,
and what becomes of the payloads, are the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bot.incident.errors import Invalid
from bot.validation.imports import deepteam, garak, lines, promptfoo, pyrit, table, text
from bot.validation.imports.decode import Unreadable, decode
from bot.validation.imports.found import Item, Look, Problem
from bot.validation.pack import MOST_PAYLOADS, Origin, Pack, Payload

__all__ = ["FORMATS", "Imported", "Problem", "read"]


class Format(NamedTuple):
    name: str
    recognises: Callable[[Look], bool]
    read: Callable[[Look], Iterator[Item]]


FORMATS = (
    Format("promptfoo results", promptfoo.recognises, promptfoo.read),
    Format("deepteam test cases", deepteam.recognises, deepteam.read),
    Format("garak hit log", garak.recognises, garak.read),
    Format("JSONL", lines.recognises, lines.read),
    Format("PyRIT seed prompts", pyrit.recognises, pyrit.read),
    Format("CSV", table.recognises, table.read),
    Format("text", text.recognises, text.read),
)
"""The first that recognises a file reads it. Text takes whatever is left."""
JSON_HEAD = re.compile(r"\s*(?:\[\s*(?:[\[{\"]|$)|\{\s*(?:\"|$))", re.MULTILINE)
"""How JSON begins, and hardly any sentence does."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What one file gave."""

    format: str
    """A name of FORMATS, `pack`, or empty where the file could not be read at all."""
    payloads: tuple[Payload, ...]
    """In the file's order, each once."""
    problems: tuple[Problem, ...] = ()
    repeated: int = 0
    """Entries that were left out because the same stood there before."""
    pack: Pack | None = None
    """The whole pack, with indicators and controls, where the file was one."""


def read(file: str, raw: bytes, origin: Origin | None = None) -> Imported:
    """Everything that can be had of a file. `file` is what it is called in problems; `origin` is set on all payloads.

    Raises nothing: a file that cannot be read at all is one problem and no payload.
    """
    try:
        look = Look(file, decode(raw))
    except Unreadable as error:
        return Imported("", (), (Problem(file, None, str(error)),))
    if not look.text.strip():
        return Imported("", (), (look.problem(None, "it is empty."),))
    if look.text.lstrip()[0] in "{[":
        look = Look(file, look.text, lines.parsed(look.text))
        if look.whole is None and lines.first(look) is None and JSON_HEAD.match(look.text):
            return Imported("", (), (look.problem(None, "it begins as JSON and cannot be read as such. Mend it."),))
    if isinstance(look.whole, dict) and str(look.whole.get("format", "")).startswith("firsthour-pack/"):
        return _pack(look, origin)
    found = next(one for one in FORMATS if one.recognises(look))
    return _gathered(look, found, origin)


def _pack(look: Look, origin: Origin | None) -> Imported:
    try:
        pack = Pack.from_bytes(look.text.encode("utf-8", "surrogateescape"))
    except Invalid as error:
        return Imported("pack", (), (look.problem(None, str(error)),))
    if origin is not None:
        pack = pack.model_copy(update={"payloads": tuple(_as(origin, one) for one in pack.payloads)})
    return Imported("pack", pack.payloads, pack=pack)


def _as(origin: Origin | None, payload: Payload) -> Payload:
    return payload if origin is None else payload.model_copy(update={"origin": origin})


def _gathered(look: Look, form: Format, origin: Origin | None) -> Imported:
    kept: dict[str, Payload] = {}
    problems: list[Problem] = []
    repeated = 0
    for item in form.read(look):
        if isinstance(item, Problem):
            problems.append(item)
        elif item.id in kept:
            repeated += 1
        elif len(kept) == MOST_PAYLOADS:
            problems.append(
                look.problem(None, f"it has more than {MOST_PAYLOADS:,} payloads; the rest is left out. Split it.")
            )
            break
        else:
            kept[item.id] = _as(origin, item)
    if not kept and not problems:
        problems.append(look.problem(None, f"as {form.name}, it holds no payload."))
    return Imported(form.name, tuple(kept.values()), tuple(problems), repeated)
