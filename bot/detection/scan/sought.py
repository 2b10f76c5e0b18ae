"""Everything that is looked for, made ready: the scanner's own patterns and what it was told.

Decides which detectors look at a text and in which order, and which at what was hidden in it: all but the weak ones, a generic
credential, a name, a date, which a decoded text holds by chance. It keeps nothing of any text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from bot.detection.event import Event, MarkKind, Stage
from bot.detection.scan import credentials, hidden, probes
from bot.detection.scan.canaries import Canaries, Form
from bot.detection.scan.credentials import Credentials
from bot.detection.scan.digests import digester
from bot.detection.scan.found import PLAIN, Found
from bot.detection.scan.fragments import Fragments, Held, turned
from bot.detection.scan.hidden import DEEPEST, MOST, MOST_PIECES, Piece
from bot.detection.scan.knowledge import Knowledge
from bot.detection.scan.looked import ALL, ASKED, CREDENTIALS, ESCAPED, FIRST, HIDDEN, LETTERED, MADE, TURNED
from bot.detection.scan.matchers import Ends, engine, seldom
from bot.detection.scan.normal import Forms, forms, original
from bot.detection.scan.own import compile_pattern
from bot.detection.scan.people import People
from bot.detection.scan.probes import Probes
from bot.detection.scan.shingles import spans_of, squeezed, words_of

RANDOM = re.compile(
    r"(?<![\w+/=~-])(?=[\w+/=~-]{16})(?=[\w+/=~-]{0,400}?\d)(?=[\w+/=~-]{0,400}?[^\W\d_])[\w+/=~-]{16,}"
)
"""Looks like something that a machine made. A credential whose surroundings no issuer's form expects is still not shown."""


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What may stand in a text. Where exactly, and whether it does, is looked at by who knows it."""

    hits: Ends
    """Of `looked.ALL` and the signs of probing, by number."""
    canaries: Sequence[Form]
    quoted: Collection[str]
    """How a quote of a prompt is written."""
    apart: bool
    """Letters stand apart."""
    probing: Ends
    """Of `probes.NEEDLES`, in an input."""


class Text(msgspec.Struct, frozen=True, gc=False):
    of: Forms
    app: str | None
    asked: bool = False
    """It is an input."""


class Asking(msgspec.Struct, frozen=True, gc=False):
    """Who asked, and what the stream had quoted."""

    event: Event
    requester: str
    held: Held


class Sought:
    """May be made in any thread; used by one at a time. Raises ValueError for a pattern of the user's that is refused."""

    def __init__(self, knowledge: Knowledge, key: bytes, *, fast: bool = True) -> None:
        matching = engine(fast=fast)
        self.engine = matching.name
        self.cut_short = 0
        """Texts in which more was hidden than is uncovered."""
        self._all = matching.patterns(ALL).hits
        self._all_asked = matching.patterns(ALL + probes.SIGNS).hits
        self._apart = matching.patterns(hidden.APART_NEEDLES).hits
        self._kinds_apart = matching.patterns(hidden.KINDS_APART).hits
        self._long = matching.patterns(hidden.LONG_NEEDLES).hits
        self._asked = matching.patterns(probes.NEEDLES).hits
        self._credentials, self._probes = Credentials(), Probes()
        self._canaries = Canaries(knowledge.canaries, matching.words)
        hashed = digester(key)
        self._fragments = Fragments(knowledge.prompts, hashed, matching.words, sifts=matching.sifts)
        self.people = People(knowledge, hashed, fast=fast)
        self.fleets = knowledge.fleets
        self._own = [(own.kind, own.name, compile_pattern(own.pattern, fast=fast)) for own in knowledge.own]
        self._always = self.people.everywhere or bool(self._own)
        """Something is looked for that nothing announces."""

    def look(self, texts: Sequence[Text]) -> list[Looked | None]:
        """None for each where nothing stands in it, as in most, which cost the searches alone. One search goes over all of them
        before the next begins: what it needs is then still in the processor's cache."""
        if not texts:  # nothing more came out of what was hidden
            return []
        flat = [probes.flat(text.of) if text.asked else b"" for text in texts]
        hits = [
            self._all_asked(signed) if signed else self._all(text.of.data)
            for text, signed in zip(texts, flat, strict=True)
        ]
        apart = seldom(self._apart, [text.of.data for text in texts])
        canaries = seldom(self._canaries.everywhere, [text.of.even for text in texts])
        return list(map(self._looked, texts, flat, hits, apart, canaries, self._quoted(texts)))

    def _looked(
        self, text: Text, flat: bytes, hits: Ends, apart: Ends, everywhere: Collection[int], quoted: Collection[str]
    ) -> Looked | None:
        shown, data, even = text.of.text, text.of.data, text.of.even
        told = hits or apart or everywhere or quoted or self._always or "@" in shown or "%" in shown
        if not told and even is data:
            return None
        mixed = LETTERED in hits or (even is not data and even != data.lower())
        canaries = self._canaries.forms(even, everywhere, mixed=mixed) if mixed or everywhere else ()
        probing = self._asked(even) if text.asked and (not flat or max(hits, default=0) >= ASKED) else {}
        if told or canaries or probing:
            return Looked(hits, canaries, quoted, bool(apart), probing)
        return None

    def _quoted(self, texts: Sequence[Text]) -> list[Collection[str]]:
        are_of = self._fragments.are_of
        written = iter(self._fragments.written_in([squeezed(text.of) for text in texts if are_of(text.app)]))
        return [next(written) if are_of(text.app) else () for text in texts]

    def find(self, of: Forms, looked: Looked, asking: Asking) -> list[Found]:
        """All finds, in no order."""
        text, even, hits = of.text, of.even, looked.hits
        found = [] if CREDENTIALS.isdisjoint(hits) else list(self._credentials.find(text, hits, FIRST))
        found += self.people.find(text, hits, asking.requester)
        if looked.canaries:
            found += self._canaries.find(text, even, looked.canaries)
        if looked.quoted:
            found += self._quotes(text, looked.quoted, asking)
        if looked.probing:
            found += self._probes.find(text, even, looked.probing)
        if self._own:
            found += self._owned(text, asking.event)
        if looked.apart or not HIDDEN.isdisjoint(hits) or "%" in text:
            found += self._within(of, looked, asking)
        return found

    def _within(self, of: Forms, looked: Looked, asking: Asking) -> Iterator[Found]:
        """Whatever is written from its end, or hidden."""
        text = of.text
        long = self._long_runs(of, looked)
        if long:
            yield from self._backwards(text, long)
        layer = self._pieces(of, looked, long)
        if layer:
            yield from self._hidden(layer, len(text), asking)

    def _long_runs(self, of: Forms, looked: Looked) -> list[tuple[int, int]]:
        if MADE.isdisjoint(looked.hits):
            return []
        return hidden.long_runs(of.text, self._long(of.data), turned=TURNED in looked.hits)

    def _pieces(self, of: Forms, looked: Looked, long: Sequence[tuple[int, int]], how: str = "") -> list[Piece]:
        apart = self._kinds_apart(of.data) if looked.apart or ESCAPED in looked.hits else {}
        return hidden.pieces(of.text, long, apart, how)

    def showable(self, line: str) -> str:
        """A line that is to be shown, without whatever still looks like a credential; nothing where it holds a canary."""
        hits = self._all(line.encode("utf-8", "replace"))
        line = RANDOM.sub("[redacted]", self._credentials.without(line, hits, FIRST))
        of = forms(line)
        mixed = LETTERED in hits or of.even is not of.data
        return "" if self._canaries.forms(of.even, self._canaries.everywhere(of.even), mixed=mixed) else line

    def _owned(self, text: str, event: Event) -> Iterator[Found]:
        for kind, name, pattern in self._own:
            if kind is MarkKind.PROBE and event.stage is not Stage.INPUT:
                continue
            for start, end in pattern.spans(text):
                secret = text[start:end] if kind is MarkKind.SECRET else ""
                yield Found(kind, name, start, end, secret or name, secret, credentials.VALIDATED if secret else "")

    def _quotes(self, text: str, hows: Iterable[str], asking: Asking) -> Iterator[Found]:
        """In an input, every place of the prompt that a quote touches: whoever pasted it all has pasted each part."""
        event = asking.event
        for how in hows:
            quotes = self._fragments.find(words_of(turned(text, how)), event.app, asking.held)
            spans = spans_of(text) if quotes and how == PLAIN else []
            for quote in quotes:
                start, end = 0, len(text)
                if how == PLAIN:
                    start, end = original(text, spans[quote.first][0]), original(text, spans[quote.last][1])
                for block in quote.blocks if event.stage is Stage.INPUT else quote.blocks[:1]:
                    name = f"{quote.name}#{block + 1}"
                    yield Found(MarkKind.FRAGMENT, name, start, end, name, how=how, coverage=quote.coverage)

    def _backwards(self, text: str, long: Sequence[tuple[int, int]]) -> Iterator[Found]:
        """Credentials. Canaries, prompts and people are looked for by who knows them."""
        for piece in hidden.backwards(text, long):
            yield from self._secrets(piece, self._all(piece.text.encode("utf-8", "replace")))

    def _secrets(self, piece: Piece, hits: Ends) -> Iterator[Found]:
        for secret in () if CREDENTIALS.isdisjoint(hits) else self._credentials.find(piece.text, hits, FIRST):
            if secret.grade != credentials.GENERIC:
                yield secret._replace(start=piece.start, end=piece.end, how=piece.how)

    def _hidden(self, layer: list[Piece], size: int, asking: Asking) -> Iterator[Found]:
        """Layer by layer, until nothing more comes out, it is too deep, or too much."""
        left, count = MOST * size, MOST_PIECES
        for _ in range(DEEPEST):
            left -= sum(len(piece.text) for piece in layer)
            if left < 0 or len(layer) > count:
                self.cut_short += 1
                layer = layer[:count] if left >= 0 else []
            count -= len(layer)
            deeper: list[Piece] = []
            texts = [Text(forms(piece.text), asking.event.app) for piece in layer]
            for piece, text, looked in zip(layer, texts, self.look(texts), strict=True):
                if looked is not None:
                    yield from self._uncovered(piece, text.of, looked, deeper, asking)
            layer = deeper

    def _uncovered(
        self, piece: Piece, of: Forms, looked: Looked, deeper: list[Piece], asking: Asking
    ) -> Iterator[Found]:
        text, even = of.text, of.even
        piece = piece._replace(text=text)
        _, how, start, end = piece
        for canary in self._canaries.find(text, even, looked.canaries, how):
            yield canary._replace(start=start, end=end)
        yield from self._secrets(piece, looked.hits)
        theirs = self.people.find(text, looked.hits, asking.requester, hidden=True)
        for each in (*theirs, *self._quotes(text, looked.quoted, asking)):
            inner_how = how if each.how == PLAIN else f"{how}+{each.how}"
            yield each._replace(start=start, end=end, how=inner_how)
        inner = self._pieces(of, looked, self._long_runs(of, looked), how)
        deeper += [each._replace(start=start, end=end) for each in inner]
