"""Canaries in a text, plain or written backwards, in rot13 or without its punctuation.

Decides in which forms a canary is looked for, and in which texts: most of them are random, with a digit before a letter
somewhere, which prose has nowhere. Encodings are decoded first, by `hidden`; tricks of writing are undone by `normal`.
"""

from __future__ import annotations

import re
from codecs import encode
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from bot.detection.event import MarkKind
from bot.detection.scan.found import Found
from bot.detection.scan.knowledge import SHORTEST, Canary
from bot.detection.scan.matchers import Words
from bot.detection.scan.normal import INVISIBLE, normal, original

SEPARATORS = re.compile(r"[^a-z0-9]+")
MIXED = re.compile(r"[0-9][a-z]")


class Form(NamedTuple):
    canary: Canary
    how: str
    text: str
    """In normal form."""
    place: int
    """Among all forms, in the order of the canaries."""


class Canaries:
    def __init__(self, canaries: Sequence[Canary], words: Callable[[Sequence[bytes]], Words]) -> None:
        """`words` makes the matcher."""
        forms: dict[str, Form] = {}
        for canary in canaries:
            for how, text in _forms(canary):
                forms.setdefault(text, Form(canary, how, text, len(forms)))
        self._everywhere = [form for form in forms.values() if not MIXED.search(form.text)]
        self._mixed = [form for form in forms.values() if MIXED.search(form.text)]
        self.everywhere, self._hits_mixed = (
            words([form.text.encode("utf-8", "replace") for form in some]).hits
            for some in (self._everywhere, self._mixed)
        )
        """Of the first: which of those that may stand in any text stand in one that is `evened`."""

    def forms(self, even: bytes, everywhere: Collection[int], *, mixed: bool) -> Sequence[Form]:
        """Which of them stand in a text that is `evened`. `everywhere`: of it. `mixed`: a digit may stand before a letter."""
        among = self._hits_mixed(even) if mixed else ()
        return [*(self._everywhere[number] for number in everywhere), *(self._mixed[number] for number in among)]

    def find(self, text: str, even: bytes, hits: Sequence[Form], how: str = "") -> Iterator[Found]:
        """Each place of each of these. `how`: what the text was decoded from."""
        plain = (even.lower() if text.isascii() else even).decode() if hits else ""
        told: set[str] = set()
        for form in sorted(hits, key=lambda form: (form.how != "plain", form.place)):
            if form.canary.value not in told:
                told.add(form.canary.value)
                yield from _places(form, text, plain, how)


def _forms(canary: Canary) -> Iterator[tuple[str, str]]:
    plain = normal(canary.value)
    yield "plain", plain
    for how, text in (
        ("reversed", plain[::-1]),
        ("rot13", encode(plain, "rot13")),
        ("spaced", SEPARATORS.sub("", plain)),
    ):
        if len(text) >= SHORTEST and text != plain:
            yield how, text


def _places(form: Form, text: str, plain: str, outer: str) -> Iterator[Found]:
    """`plain`: the text in normal form."""
    at = plain.find(form.text)
    while at >= 0:
        end = at + len(form.text)
        start, stop = original(text, at), original(text, end)
        how = form.how if form.how != "plain" else _written(text[start:stop], form.text)
        named = how if not outer else outer if how in ("plain", "spaced") else f"{outer}+{how}"
        value = form.canary.value
        yield Found(MarkKind.CANARY, form.canary.name, start, stop, normal(value), value, form.canary.kind, how=named)
        at = plain.find(form.text, end)


def _written(there: str, plain: str) -> str:
    """By which trick of writing a plain canary was hidden."""
    if there.casefold() == plain:
        return "plain"
    return "zero_width" if INVISIBLE.search(there) else "look_alike"
