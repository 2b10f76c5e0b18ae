"""Everything that is looked for, made ready: the scanner's own patterns and what it was told.

Decides which detectors look at a text and in which order. It keeps nothing of any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.detection.event import Event, MarkKind, Stage
from bot.detection.scan import candidates, credentials, hidden, probes
from bot.detection.scan.canaries import Canaries
from bot.detection.scan.credentials import Credentials
from bot.detection.scan.digests import digester
from bot.detection.scan.found import Found
from bot.detection.scan.fragments import Fragments, Held
from bot.detection.scan.hidden import DEEPEST, MOST, MOST_PIECES, Piece
from bot.detection.scan.knowledge import Knowledge
from bot.detection.scan.matchers import Ends, engine
from bot.detection.scan.normal import evened, original, visible
from bot.detection.scan.own import compile_pattern
from bot.detection.scan.people import People
from bot.detection.scan.probes import Probes
from bot.detection.scan.shingles import spans_of, squeezed, words_of

SHAPES = candidates.NEEDLES + credentials.NEEDLES
FIRST = len(candidates.NEEDLES)
"""Of the credentials' needles, which come after those of the candidates."""
ASKED = len(SHAPES)
"""First of the needles of probing, where all are looked for at once."""
RANDOM = re.compile(
    r"(?<![\w+/=~-])(?=[\w+/=~-]{16})(?=[\w+/=~-]{0,400}?\d)(?=[\w+/=~-]{0,400}?[^\W\d_])[\w+/=~-]{16,}"
)
"""Looks like something that a machine made. A credential whose surroundings no issuer's form expects is still not shown."""


Forms = tuple[str, str, bytes]
"""One text as it is looked at: `visible`; that, `evened`; that, `squeezed`, or nothing where nobody needed it yet. Whoever has a
form hands it on: making one takes as long as searching it."""


class Sought:
    """May be made in any thread; used by one at a time. Raises ValueError for a pattern of the user's that is refused."""

    def __init__(self, knowledge: Knowledge, key: bytes, *, fast: bool = True) -> None:
        made = engine(fast=fast)
        self.engine = made.name
        self.cut_short = 0
        """Texts in which more was hidden than is uncovered."""
        self._shapes = made.patterns(SHAPES).hits
        self._shapes_asked = made.patterns(SHAPES + probes.NEEDLES).hits
        self._apart = made.patterns(hidden.APART_NEEDLES).hits
        self._long = made.patterns(hidden.LONG_NEEDLES).hits
        self._long_at_all = made.patterns(hidden.LONG_AT_ALL).hits
        self._asked = made.patterns(probes.NEEDLES).hits
        self._credentials, self._probes = Credentials(), Probes()
        self._canaries = Canaries(knowledge.canaries, made.words)
        hashed = digester(key)
        sift = made.words if made.sifts else None
        self._fragments = Fragments(knowledge.prompts, hashed, sift) if knowledge.prompts else None
        self.people = People(knowledge, hashed, fast=fast)
        self._own = [(own.kind, own.name, compile_pattern(own.pattern, fast=fast)) for own in knowledge.own]

    def find(self, forms: Forms, event: Event, requester: str, held: Held) -> list[Found]:
        """All finds, in no order."""
        text, plain, letters = forms
        data = text.encode("utf-8", "replace")
        even = data if plain is text else plain.encode("utf-8", "replace")
        hits, asked = self._looked(data, even, event.stage)
        found = list(self._credentials.find(text, hits, FIRST)) if hits and max(hits) >= FIRST else []
        found += self.people.find(text, hits, requester)
        found += self._canaries.find(text, plain, even)
        prompts = self._fragments
        if prompts is not None and prompts.are_of(event.app) and prompts.may_stand_in(letters or squeezed(plain)):
            found += self._quoted(prompts, text, event, held)
        if asked:
            found += self._probes.find(text, plain, asked)
        if self._own:
            found += self._owned(text, event)
        apart, long = self._apart(data), self._long(data) if self._long_at_all(data) else {}
        if apart or long or "%" in text:
            found += self._hidden(hidden.pieces(text, apart, long), len(text))
        return found

    def _looked(self, data: bytes, even: bytes, stage: Stage) -> tuple[Ends, Ends]:
        """The hits of `SHAPES`, and of probing where somebody asks. In one look where both see the same."""
        if stage is not Stage.INPUT:
            return self._shapes(data), {}
        if even is not data:
            return self._shapes(data), self._asked(even)
        hits = self._shapes_asked(data)
        if not hits or max(hits) < ASKED:
            return hits, {}
        shapes = {number: ends for number, ends in hits.items() if number < ASKED}
        return shapes, {number - ASKED: ends for number, ends in hits.items() if number >= ASKED}

    def showable(self, line: str) -> str:
        """A line that is to be shown, without whatever still looks like a credential; nothing where it holds a canary."""
        line = self._credentials.without(line, self._shapes(line.encode("utf-8", "replace")), FIRST)
        line = RANDOM.sub("[redacted]", line)
        plain = evened(visible(line))
        return "" if self._canaries.find(line, plain, plain.encode("utf-8", "replace")) else line

    def _owned(self, text: str, event: Event) -> Iterator[Found]:
        for kind, name, pattern in self._own:
            if kind is MarkKind.PROBE and event.stage is not Stage.INPUT:
                continue
            for start, end in pattern.spans(text):
                secret = text[start:end] if kind is MarkKind.SECRET else ""
                yield Found(kind, name, start, end, secret or name, secret, credentials.VALIDATED if secret else "")

    def _quoted(self, fragments: Fragments, text: str, event: Event, held: Held) -> Iterator[Found]:
        """In an input, every place of the prompt that a quote touches: whoever pasted it all has pasted each part."""
        quotes = fragments.find(words_of(text), event.app, held)
        spans = spans_of(text) if quotes else []
        for quote in quotes:
            start, end = original(text, spans[quote.first][0]), original(text, spans[quote.last][1])
            for block in quote.blocks if event.stage is Stage.INPUT else quote.blocks[:1]:
                name = f"{quote.name}#{block + 1}"
                yield Found(MarkKind.FRAGMENT, name, start, end, identity=name, coverage=quote.coverage)

    def _hidden(self, layer: list[Piece], size: int) -> Iterator[Found]:
        """Layer by layer, until nothing more comes out, it is too deep, or too much."""
        left, count = MOST * size, MOST_PIECES
        for _ in range(DEEPEST):
            left -= sum(len(piece.text) for piece in layer)
            if left < 0 or len(layer) > count:
                self.cut_short += 1
                layer = layer[:count] if left >= 0 else []
            count -= len(layer)
            deeper: list[Piece] = []
            for piece in layer:
                yield from self._uncovered(piece, deeper)
            layer = deeper

    def _uncovered(self, piece: Piece, deeper: list[Piece]) -> Iterator[Found]:
        text, how, start, end = piece
        data = text.encode("utf-8", "replace")
        hits = self._shapes(data)
        plain = evened(visible(text))
        for canary in self._canaries.find(text, plain, plain.encode("utf-8", "replace"), how):
            yield canary._replace(start=start, end=end)
        for secret in self._credentials.find(text, hits, FIRST) if hits else ():
            if secret.grade != credentials.GENERIC:
                yield secret._replace(start=start, end=end, how=how)
        inner = hidden.pieces(text, self._apart(data), self._long(data), how)
        deeper += [each._replace(start=start, end=end) for each in inner]
