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
from bot.detection.scan.matchers import engine
from bot.detection.scan.normal import normal, original
from bot.detection.scan.own import compile_pattern
from bot.detection.scan.people import People
from bot.detection.scan.probes import Probes
from bot.detection.scan.shingles import spans_of, words_of

FIRST = len(candidates.NEEDLES)
"""Of the credentials' needles, which come after those of the candidates."""
RANDOM = re.compile(r"(?<![\w+/=~-])(?=[\w+/=~-]{0,400}?\d)(?=[\w+/=~-]{0,400}?[^\W\d_])[\w+/=~-]{16,}")
"""Looks like something that a machine made. A credential whose surroundings no issuer's form expects is still not shown."""


class Sought:
    """May be made in any thread; used by one at a time. Raises ValueError for a pattern of the user's that is refused."""

    def __init__(self, knowledge: Knowledge, key: bytes, *, fast: bool = True) -> None:
        made = engine(fast=fast)
        self.engine = made.name
        self.cut_short = 0
        """Texts in which more was hidden than is uncovered."""
        self._shapes = made.patterns(candidates.NEEDLES + credentials.NEEDLES).hits
        self._apart = made.patterns(hidden.APART_NEEDLES).hits
        self._long = made.patterns(hidden.LONG_NEEDLES).hits
        self._asked = made.patterns(probes.NEEDLES).hits
        self._credentials, self._probes = Credentials(), Probes()
        self._canaries = Canaries(knowledge.canaries, made.words)
        hashed = digester(key)
        self._fragments = Fragments(knowledge.prompts, hashed) if knowledge.prompts else None
        self.people = People(knowledge, hashed, fast=fast)
        self._own = [(own.kind, own.name, compile_pattern(own.pattern, fast=fast)) for own in knowledge.own]

    def find(self, text: str, event: Event, requester: str, held: Held) -> list[Found]:
        """All finds, in no order. `text` is visible: no invisible character is left in it."""
        data = text.encode("utf-8", "replace")
        hits = self._shapes(data)
        found = list(self._credentials.find(text, hits, FIRST)) if hits and max(hits) >= FIRST else []
        found += self.people.find(text, hits, requester)
        found += self._canaries.find(text, data)
        if self._fragments is not None and self._fragments.are_of(event.app):
            found += self._quoted(self._fragments, text, event, held)
        if event.stage is Stage.INPUT:
            asked = normal(text)
            found += self._probes.find(text, asked, self._asked(asked.encode("utf-8", "replace")))
        if self._own:
            found += self._owned(text, event)
        apart, long = self._apart(data), self._long(data)
        if apart or long or "%" in text:
            found += self._hidden(hidden.pieces(text, apart, long), len(text))
        return found

    def showable(self, line: str) -> str:
        """A line that is to be shown, without whatever still looks like a credential; nothing where it holds a canary."""
        line = self._credentials.without(line, self._shapes(line.encode("utf-8", "replace")), FIRST)
        line = RANDOM.sub("[redacted]", line)
        return "" if self._canaries.find(line, line.encode("utf-8", "replace")) else line

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
        for canary in self._canaries.find(text, data, how):
            yield canary._replace(start=start, end=end)
        for secret in self._credentials.find(text, hits, FIRST) if hits else ():
            if secret.grade != credentials.GENERIC:
                yield secret._replace(start=start, end=end, how=how)
        inner = hidden.pieces(text, self._apart(data), self._long(data), how)
        deeper += [each._replace(start=start, end=end) for each in inner]
