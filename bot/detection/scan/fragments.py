"""Pieces of registered system prompts in a text.

Decides what one fragment is: one continuous quote of at least eight words. Its id is the place in the prompt where it begins,
in steps of eight words, so that the same quote cut a word later is the same fragment most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from string import ascii_letters, ascii_lowercase, ascii_uppercase
from typing import NamedTuple

from bot.detection.scan.digests import Hashed
from bot.detection.scan.found import PLAIN
from bot.detection.scan.knowledge import Prompt
from bot.detection.scan.matchers import Words, seldom
from bot.detection.scan.shingles import PART, SHORT, WIDTH, part, shingle, word_digest

STEP = 8
REMEMBERED = 100_000
"""Words whose hash is kept, so that common ones are hashed once."""
LONGEST = 24
"""Bytes of a word that may be kept. Longer ones are seldom words, and may be secrets."""
EVERY = WIDTH - PART + 1
"""Of the five parts of four words in any eight, exactly one begins at a multiple of five."""
MOST = 50_000
"""Places of one text that are hashed, a twentieth of a second's work. Whoever quotes more has quoted enough."""
ENDING = 24
"""Bytes of an anchor's end that are looked for. Fewer stand in innocent texts too, more tell nothing more."""
FULL = bytes([1]) * WIDTH
REVERSED, ROT13 = "reversed", "rot13"
WRITTEN = (PLAIN, REVERSED, ROT13)
HALF_ROUND = str.maketrans(
    ascii_letters, ascii_lowercase[13:] + ascii_lowercase[:13] + ascii_uppercase[13:] + ascii_uppercase[:13]
)


class Quote(NamedTuple):
    name: str
    blocks: tuple[int, ...]
    """The places of the prompt that it touches, in steps of eight words. The first one names it."""
    first: int
    last: int
    """First and last word of the text."""
    coverage: float
    """How much of the whole prompt's shingles the text held, with what the same stream held before."""


@dataclass(slots=True)
class Passage:
    """What a stream has quoted of one prompt."""

    places: set[int] = field(default_factory=set)
    block: int = 0
    """Where the quote began that goes on."""


Held = dict[str, Passage]
"""By the prompt's name."""


class _Known(dict[bytes, int]):
    """1 for a word that stands in a prompt, 0 for another, hashed when first met."""

    def __init__(self, words: frozenset[str], hashed: Hashed) -> None:
        super().__init__()
        self._words, self._hashed = words, hashed

    def __missing__(self, word: bytes) -> int:
        known = int(word_digest(self._hashed, word) in self._words)
        if len(word) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[word] = known
        return known


class Fragments:
    def __init__(
        self,
        prompts: Sequence[Prompt],
        hashed: Hashed,
        words: Callable[[Sequence[bytes]], Words],
        *,
        sifts: bool = True,
    ) -> None:
        """`words` makes the matcher of the anchors. Without anchors, or where looking for them takes longer (not `sifts`), every
        text is looked at."""
        self._hashed = hashed
        self._prompts = prompts
        self._apps = {prompt.app for prompt in prompts}
        self._parts = frozenset(chain.from_iterable(prompt.words for prompt in prompts))
        self._known = _Known(self._parts, hashed)
        self._places: dict[str, list[tuple[int, int]]] = {}
        for number, prompt in enumerate(prompts):
            for place, name in enumerate(prompt.shingles):
                if name:
                    self._places.setdefault(name, []).append((number, place))
        self._sizes = [sum(map(bool, prompt.shingles)) for prompt in prompts]
        self._always = not sifts or not all(prompt.anchors for prompt in prompts)
        told = sorted({(_ending(anchor, how), how) for p in prompts for anchor in p.anchors for how in WRITTEN})
        self._hows = [how for _, how in told]
        self._anchors = words([ending for ending, _ in told])

    def are_of(self, app: str | None) -> bool:
        """Whether any prompt is looked for in this application's texts."""
        return app in self._apps or None in self._apps or (app is None and bool(self._prompts))

    def written_in(self, letters: Sequence[bytes]) -> list[Collection[str]]:
        """How a quote may be written in each of these texts, which are `squeezed`: nothing for one that holds no anchor, and so
        no quote."""
        return list(map(self._written, seldom(self._anchors.hits, letters)))

    def _written(self, hits: Collection[int]) -> Collection[str]:
        if not hits:
            return (PLAIN,) if self._always else ()
        hows = {self._hows[number] for number in hits}
        return [how for how in WRITTEN if how in hows or (self._always and how == PLAIN)]

    def find(self, words: Sequence[bytes], app: str | None, held: Held) -> list[Quote]:
        """The quotes of at least eight words; adds to `held` what they cover. A quote that only goes on is told again where
        it covers a tenth of the prompt more."""
        flags = bytes(map(self._known.__getitem__, words))
        return list(self._quotes(words, flags, app, held)) if FULL in flags else []

    def _quotes(self, words: Sequence[bytes], flags: bytes, app: str | None, held: Held) -> Iterator[Quote]:
        runs = [
            run
            for run in self._runs(words, flags, app)
            if _weight(words[run[1] : run[1] + run[3] + WIDTH - 1]) >= WIDTH
        ]
        for number, at, place, size in runs:
            prompt = self._prompts[number]
            passage = held.setdefault(prompt.name, Passage())
            goes_on = place in passage.places or place - 1 in passage.places
            share = len(passage.places) / self._sizes[number]
            passage.places.update(each for each in range(place, place + size) if prompt.shingles[each])
            coverage = len(passage.places) / self._sizes[number]
            if not goes_on:
                passage.block = place // STEP
            elif int(share * 10) == int(coverage * 10):
                continue
            blocks = range(place // STEP, (place + size - 1) // STEP + 1)
            yield Quote(
                prompt.name, tuple(dict.fromkeys((passage.block, *blocks))), at, at + size + WIDTH - 2, coverage
            )

    def _runs(self, words: Sequence[bytes], flags: bytes, app: str | None) -> list[tuple[int, int, int, int]]:
        """Prompt, first word of the text, place in the prompt, and how many shingles in a row."""
        runs: list[tuple[int, int, int, int]] = []
        for at in islice(self._starts(words, flags), MOST):
            places = self._places.get(self._hashed(shingle(words, at))[:SHORT], ())
            here = [place for place in places if app is None or self._prompts[place[0]].app in (None, app)]
            if here:
                self._extend(runs, at, here)
        return runs

    def _starts(self, words: Sequence[bytes], flags: bytes) -> Iterator[int]:
        """Where eight words in a row may be of a prompt: each is, and so are the four that begin at a multiple of five."""
        start = flags.find(FULL)
        while start >= 0:
            end = flags.find(0, start)
            last = (len(flags) if end < 0 else end) - WIDTH
            for place in range(-(-start // EVERY) * EVERY, last + EVERY, EVERY):
                if word_digest(self._hashed, part(words, place)) in self._parts:
                    yield from range(max(start, place - EVERY + 1), min(last, place) + 1)
            start = flags.find(FULL, last + WIDTH)

    @staticmethod
    def _extend(runs: list[tuple[int, int, int, int]], at: int, here: list[tuple[int, int]]) -> None:
        """A repeated phrase stands at several places: the one that goes on with the quote counts, otherwise the first."""
        if runs:
            number, first, place, size = runs[-1]
            if at == first + size and (number, place + size) in here:
                runs[-1] = (number, first, place, size + 1)
                return
        runs.append((here[0][0], at, here[0][1], 1))


def turned(text: str, how: str) -> str:
    """A text as it reads once the trick is undone: either undoes itself."""
    return text[::-1] if how == REVERSED else text.translate(HALF_ROUND) if how == ROT13 else text


def _ending(anchor: str, how: str) -> bytes:
    """Of an anchor that is written so: what is looked for."""
    end = anchor.encode()[-ENDING:].decode("utf-8", "ignore")
    return turned(end, how).encode()


def _weight(words: Sequence[bytes]) -> float:
    """A Chinese or Japanese character is a word of its own and says half as much."""
    return sum(0.5 if len(word) == 3 and 0xE3 <= word[0] <= 0xE9 else 1.0 for word in words)
