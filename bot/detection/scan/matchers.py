"""Many patterns, or many words, over one text at once: hyperscan where it is installed, the standard library otherwise.

Decides only which patterns may match and where, and which words stand in a text. Every hit is then looked at with `re` by who
asked, so both engines lead to the same finds. The choice was measured: `make bench ARGS=scan`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol, TypeVar

try:
    import hyperscan
except ImportError:  # no wheel for this platform: everything works, some twenty times slower
    hyperscan = None  # type: ignore[assignment]

H = TypeVar("H")
SHORTEST = 4
COUNTED = re.compile(r"(\.|[^.])\{(\d+),(\d+)\}")
LARGE = 12
WIDE = 24
"""Of a gap of any characters. Smaller ones cost little, and without them innocent texts are handed to `re` for nothing."""


class Needle(NamedTuple):
    """A pattern in what `re` and hyperscan both know, and words of which one, in lower case, stands in every match."""

    pattern: str
    keywords: tuple[str, ...] = ()
    every: bool = False
    """The end of every match is wanted, not of the first one only. Such a pattern ends in what cannot go on."""
    caseless: bool = False
    """Letters of ASCII match in either case. For `re` the text is made small."""


Ends = Mapping[int, Sequence[int]]
"""Number of each needle that may match → the bytes where matches end; 0 where the engine does not know where."""


class Patterns(Protocol):
    def hits(self, data: bytes) -> Ends:
        """`data` is UTF-8. No needle that matches is left out."""


class Words(Protocol):
    def hits(self, data: bytes) -> Collection[int]:
        """Numbers of the words that stand in the text. Letters of ASCII match in either case."""


class Engine(NamedTuple):
    name: str
    patterns: Callable[[tuple[Needle, ...]], Patterns]
    words: Callable[[Sequence[bytes]], Words]
    """Raises ValueError for words of less than four bytes."""
    sifts: bool
    """Looking for words is quicker than dividing a text into its words."""


def engine(*, fast: bool) -> Engine:
    """The fastest there is, or the standard library's."""
    if fast and hyperscan is not None:
        return Engine("hyperscan", _FastPatterns, _FastWords, sifts=True)
    return Engine("re", _PlainPatterns, _PlainWords, sifts=False)


def runs(text: str, ends: Sequence[int], characters: str, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """Each run of these characters in which a match ends, as an engine has told; where bytes are not characters, or it does not
    know, each match of the pattern, which consists of these characters only."""
    if 0 in ends or not text.isascii():
        return [found.span() for found in pattern.finditer(text)]
    done, spans = 0, []
    for end in ends if len(ends) == 1 else sorted(ends):
        last = end - 1 if text[end - 1] not in characters else end
        start = done + len(text[done:last].rstrip(characters))
        spans.append((start, last))
        done = end
    return spans


def seldom(hits: Callable[[bytes], H], texts: Sequence[bytes]) -> list[H]:
    """Of each text what `hits` tells, where it hardly ever tells anything: one look at all of them begins only once."""
    together = hits(b"\n".join(texts))
    return [hits(text) for text in texts] if together and len(texts) > 1 else [together for _ in texts]


def _note(number: int, _start: int, end: int, _flags: int, ends: dict[int, list[int]]) -> None:
    ends.setdefault(number, []).append(end)


@cache
def _compiled(needles: tuple[Needle, ...]) -> Any:
    """Takes a second for a hundred patterns, and is the same for every scanner."""
    return _database([_loose(needle.pattern).encode() for needle in needles], [_flags(needle) for needle in needles])


def _flags(needle: Needle) -> int:
    first = 0 if needle.every else hyperscan.HS_FLAG_SINGLEMATCH
    return int(first | hyperscan.HS_FLAG_CASELESS if needle.caseless else first)


def _loose(pattern: str) -> str:
    """Without large upper bounds, which cost hyperscan much and only keep out what `re` keeps out afterwards."""

    def unbound(found: re.Match[str]) -> str:
        large = int(found[3]) >= (WIDE if found[1] == "." else LARGE)
        return f"{found[1]}{{{found[2]},}}" if large else found[0]

    return COUNTED.sub(unbound, pattern)


def _database(expressions: list[bytes], flags: list[int] | int, *, literal: bool = False) -> Any:
    database = hyperscan.Database()
    numbers = list(range(len(expressions)))
    database.compile(expressions=expressions, ids=numbers, elements=len(numbers), flags=flags, literal=literal)
    return database


class _FastPatterns:
    def __init__(self, needles: tuple[Needle, ...]) -> None:
        database = _compiled(needles)
        self._scan = database.scan
        self._scratch = database.scratch.clone()

    def hits(self, data: bytes) -> Ends:
        ends: dict[int, list[int]] = {}
        self._scan(data, _note, 0, ends, self._scratch)
        return ends


class _FastWords:
    def __init__(self, words: Sequence[bytes]) -> None:
        _check(words)
        flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS
        self._scan = _database(list(words), flags, literal=True).scan if words else None

    def hits(self, data: bytes) -> Collection[int]:
        ends: dict[int, list[int]] = {}
        if self._scan is not None:
            self._scan(data, _note, 0, ends)
        return ends


class _PlainPatterns:
    def __init__(self, needles: tuple[Needle, ...]) -> None:
        self._keywords = [tuple(word.encode() for word in needle.keywords) for needle in needles]

    def hits(self, data: bytes) -> Ends:
        lower = data.lower()
        return {
            number: (0,)
            for number, keywords in enumerate(self._keywords)
            if not keywords or any(keyword in lower for keyword in keywords)
        }


class _PlainWords:
    """The first bytes of every word in one table: a text's pieces of that width are looked up in it."""

    def __init__(self, words: Sequence[bytes]) -> None:
        _check(words)
        self._width = min(map(len, words), default=0)
        self._words: dict[bytes, list[tuple[int, bytes]]] = {}
        for number, word in enumerate(word.lower() for word in words):
            self._words.setdefault(word[: self._width], []).append((number, word))

    def hits(self, data: bytes) -> Collection[int]:
        if not self._words:
            return set()
        lower, width = data.lower(), self._width
        pieces = {lower[at : at + width] for at in range(len(lower) - width + 1)}
        return {number for piece in pieces & self._words.keys() for number, word in self._words[piece] if word in lower}


def _check(words: Sequence[bytes]) -> None:
    if any(len(word) < SHORTEST for word in words):
        raise ValueError(f"A word to look for needs at least {SHORTEST} bytes.")
