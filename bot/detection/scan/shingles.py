"""A system prompt as shingles: every eight words in a row, each kept as a keyed hash only; and as anchors.

Decides what a word is and which shingles of a prompt say something of it (reference: domain.md §4.2: at least eight words, none
that stands in a public text, such as the greeting). Leaves keeping and sealing them to the store and finding them to `fragments`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.detection.scan.digests import Hashed, digester
from bot.detection.scan.normal import Forms, normal, others

WIDTH = 8
PART = 4
ANCHOR = 5
"""Words of an anchor. With one at every fourth place, any eight words hold one; shorter ones stand in innocent texts too."""
SHORT = 16
"""Hexadecimal digits of these hashes, 64 bits: with a million of them, a text of a thousand words is wrong once in 10^10."""
MANY = 30
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
"""Chinese and Japanese put no spaces: each of their characters is a word."""
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
SEPARATORS = bytes(byte for byte in range(128) if not chr(byte).isalnum())
LETTERS = bytes(byte if byte > 127 else ord(chr(byte).lower()) if chr(byte).isalnum() else 32 for byte in range(256))


class Shingled(NamedTuple):
    """What is registered of a prompt. Nothing of it can be read but the anchors: they are for memory, or sealed."""

    shingles: tuple[str, ...]
    """In the prompt's order; empty where a shingle also stands in a public text."""
    words: frozenset[str]
    """Every word of it, and every four in a row: most of any other text is passed over by these."""
    anchors: tuple[str, ...]
    """In the clear and `squeezed`. Whatever quotes the prompt holds at least one of them."""

    def __repr__(self) -> str:
        return f"Shingled({len(self.shingles)} shingles)"


def words_of(text: str) -> list[bytes]:
    """The words in normal form, without punctuation."""
    if text.isascii():
        return text.encode().translate(LETTERS).split()
    return _split(normal(text))


def _split(text: str) -> list[bytes]:
    """As `WORD` divides it. Where no character is a word of its own, splitting bytes is five times quicker."""
    data = text.encode()
    rare = others(data)
    if WIDE.search(rare):
        return [word.encode() for word in WORD.findall(text)]
    return _without_marks(data, rare, b" ").translate(LETTERS).split()


def _without_marks(data: bytes, rare: str, instead: bytes) -> bytes:
    """Without the characters beyond ASCII that stand in no word. `rare`: its `others`. A text has few different ones; of many,
    one pass is quicker."""
    marks = {char for char in rare if not char.isalnum()}
    if len(marks) > MANY:
        return data.decode().translate(dict.fromkeys(map(ord, marks), instead.decode())).encode()
    for mark in marks:
        data = instead.join(data.split(mark.encode()))
    return data


def squeezed(of: Forms) -> bytes:
    """The words of a text with nothing between them: a fifth of what dividing them takes. Letters of ASCII stay in their case
    where it holds no others."""
    if not of.rare:
        return of.even.translate(None, SEPARATORS)
    letters = "".join(filter(str.isalnum, of.rare)).encode()
    marks = "".join(char for char in of.rare if not char.isalnum()).encode()
    if set(letters).isdisjoint(marks):  # as in most texts of Latin letters: no byte of a mark is one of a letter
        return of.even.translate(None, SEPARATORS + marks)
    return _without_marks(of.even, of.rare, b"").translate(None, SEPARATORS)


def spans_of(text: str) -> list[tuple[int, int]]:
    """Where each of the words stands in the text's normal form."""
    return [word.span() for word in WORD.finditer(normal(text))]


def part(words: Sequence[bytes], start: int) -> bytes:
    return b" ".join(words[start : start + PART])


def shingle(words: Sequence[bytes], start: int) -> bytes:
    return b"shingle\0" + b" ".join(words[start : start + WIDTH])


def shingles_of(prompt: str, key: bytes, *, public: Iterable[str] = ()) -> Shingled:
    """The hashes of a prompt. `public`: texts that everybody may see; what also stands there is no secret.

    Raises ValueError where nothing is left to look for.
    """
    hashed = digester(key)
    words = words_of(prompt)
    known = {name for text in public for name in _hashes(words_of(text), hashed)}
    shingles = tuple("" if name in known else name for name in _hashes(words, hashed))
    if not any(shingles):
        raise ValueError(
            f"The prompt has no {WIDTH} words in a row that are not public, so nothing of it can be found."
        )
    parts = (part(words, start) for start in range(len(words) - PART + 1))
    return Shingled(
        shingles, frozenset(word_digest(hashed, each) for each in (*words, *parts)), _anchors(words, shingles)
    )


def _anchors(words: Sequence[bytes], shingles: Sequence[str]) -> tuple[str, ...]:
    """The end of a shingle that is looked for stands in it and in the next ones; after those comes the next anchor. Taking the
    end keeps a public beginning, which innocent texts hold, out of them."""
    places: list[int] = []
    for place, name in enumerate(shingles):
        if name and (not places or places[-1] < place):
            places.append(place + WIDTH - ANCHOR)
    return tuple(dict.fromkeys(b"".join(words[place : place + ANCHOR]).decode() for place in places))


def word_digest(hashed: Hashed, word: bytes) -> str:
    """Of a word, or of a part."""
    return hashed(b"word\0" + word)[:SHORT]


def _hashes(words: Sequence[bytes], hashed: Hashed) -> list[str]:
    return [hashed(shingle(words, start))[:SHORT] for start in range(len(words) - WIDTH + 1)]
