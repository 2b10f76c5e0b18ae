"""One event to one `Seen`: its text is searched and taken away, what was found stays as marks.

Decides what a mark says of a find and how many there are at most. Leaves what is searched for to `sought`, and what the marks
mean to the engine. No clock, no I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from bot.detection.event import Event, Mark, MarkKind, Outcome, Seen, Stage
from bot.detection.scan.digests import digester
from bot.detection.scan.excerpts import LONGEST, Redacted
from bot.detection.scan.found import Found
from bot.detection.scan.ids import Ids
from bot.detection.scan.knowledge import Knowledge
from bot.detection.scan.normal import INVISIBLE, forms, forms_of, visible
from bot.detection.scan.probes import KINDS, probe
from bot.detection.scan.shingles import squeezed
from bot.detection.scan.sought import Asking, Looked, Sought, Text
from bot.detection.scan.streams import Joined, Stream, Streams

MOST_MARKS = 50
"""Of one kind and grade in one text, so that a heap of one sort hides no other."""
LONG = 12
"""A secret of at least so many characters shows its last four."""
SHORT = 8
"""An identifier that ends in digits shows its last four from so many on."""
REQUESTERS = 50_000
"""Users whose keyed hash is kept."""
SMALL = bytes(byte | 0x20 if 65 <= byte <= 90 else byte for byte in range(256))
DIGITS = b"0123456789"
PROBES = frozenset(KINDS)
HELD_BACK = frozenset({Outcome.BLOCK, Outcome.FLAG})


class Scanner:
    """One at a time: two threads need two."""

    def __init__(self, knowledge: Knowledge, key: bytes, *, fast: bool = True, most_streams: int = 10_000) -> None:
        """`key`: at least 16 bytes, the one that the owners and prompts of `knowledge` were hashed with. `fast=False`: with the
        standard library only. Raises ValueError for a pattern of the user's that is refused."""
        self._hashed, self._key, self._fast = digester(key), key, fast
        self._streams = Streams(most_streams)
        self._cut_before = 0
        self._requesters: dict[str, str] = {}
        self._ids = Ids(self._hashed, fast=fast)
        self.named = self._ids.named
        self._sought = self.prepare(knowledge)

    @property
    def engine(self) -> str:
        """What matches: `hyperscan`, or `re` where it is not installed."""
        return self._sought.engine

    @property
    def streams(self) -> int:
        """Answers in pieces that are remembered."""
        return len(self._streams)

    @property
    def streams_evicted(self) -> int:
        return self._streams.evicted

    @property
    def cut_short(self) -> int:
        """Texts with more identifiers than are looked up, or with more hidden in them than is uncovered."""
        return self._cut_before + self._sought.cut_short + self._sought.people.cut_short

    def prepare(self, knowledge: Knowledge) -> Sought:
        """Makes new knowledge ready, for `use`. Safe in another thread: ten thousand canaries take seconds."""
        return Sought(knowledge, self._key, fast=self._fast)

    def use(self, sought: Sought) -> None:
        """Looks for this from the next event on; streams go on."""
        self._cut_before = self.cut_short
        self._sought = sought

    def scan(self, event: Event, arrived: float) -> Seen:
        """`arrived`: Unix seconds of our clock."""
        return self.scan_all((event,), arrived)[0]

    def scan_all(self, events: Sequence[Event], arrived: float) -> list[Seen]:
        """The events of a step, in their order: together each takes a fifth less than by itself."""
        texted = [event for event in events if event.text]
        marks = iter(self._marked(texted) if texted else ())
        return [self._seen(event, next(marks) if event.text else (), arrived) for event in events]

    def _seen(self, event: Event, marks: tuple[Mark, ...], arrived: float) -> Seen:
        requester = self._requester(event.user_id) if event.user_id is not None else ""
        if event.signals:
            marks = (*marks, *self._told(event))
        if event.excerpt_redacted is not None:
            event = msgspec.structs.replace(event, excerpt_redacted=self._showable(event, requester))
        if event.text is None:  # most of them, at a quarter of a million a second
            return Seen(event=event, marks=marks, requester=requester, arrived=arrived)
        asked = event.text if event.stage is Stage.INPUT and not event.resent else None
        held_back = asked and event.verdicts and any(verdict.outcome in HELD_BACK for verdict in event.verdicts)
        return Seen(
            event=msgspec.structs.replace(event, text=None),
            marks=marks,
            requester=requester,
            fingerprint=self._fingerprint(asked) if asked and (held_back or self._sought.fleets) else "",
            text_id=self._hashed(f"text\0{asked}") if held_back else "",
            arrived=arrived,
        )

    def _marked(self, events: Sequence[Event]) -> list[tuple[Mark, ...]]:
        """The marks of each. All have a text."""
        own = [forms(event.text or "") for event in events]
        streams = [None if event.resent else self._streams.of(event) for event in events]
        joined = [Joined(of.text) if to is None else to.joined(of.text) for of, to in zip(own, streams, strict=True)]
        texts = [
            Text(forms_of(all_.text) if all_.ahead else of, event.app, event.stage is Stage.INPUT)
            for event, of, all_ in zip(events, own, joined, strict=True)
        ]
        looked = self._sought.look(texts)
        return [
            self._marks(event, text, to, all_, look) if look is not None else ()
            for event, text, to, all_, look in zip(events, texts, streams, joined, looked, strict=True)
        ]

    def _marks(
        self, event: Event, text: Text, stream: Stream | None, joined: Joined, looked: Looked
    ) -> tuple[Mark, ...]:
        requester = self._requester(event.user_id) if event.user_id is not None else ""
        held = {} if stream is None else stream.quoted(joined)
        found = self._sought.find(text.of, looked, Asking(event, requester, held))
        fresh = found if stream is None or not found else stream.fresh(found, joined)
        if event.resent:
            fresh = [each for each in fresh if each.kind is not MarkKind.PROBE]
        if not fresh:
            return ()
        shown = text.of.text
        redacted = Redacted(shown, found)
        return tuple(self._mark(each, redacted, shown, joined.ahead, event.text or "") for each in _chosen(fresh))

    def _showable(self, event: Event, requester: str) -> str | None:
        """What the source itself made of a text, as far as it may be shown: no longer than an excerpt of ours, and as bare."""
        of = forms_of(visible(event.excerpt_redacted or ""))
        (looked,) = self._sought.look([Text(of, event.app, event.stage is Stage.INPUT)])
        found = self._sought.find(of, looked, Asking(event, requester, {})) if looked is not None else []
        line = Redacted(of.text, found).around(0, min(len(of.text), LONGEST))
        return self._sought.showable(line) or None

    def _mark(self, found: Found, redacted: Redacted, joined: str, ahead: int, raw: str) -> Mark:
        identifier = found.kind is MarkKind.IDENTIFIER
        line = redacted.around(found.start, found.end)
        return Mark(
            kind=found.kind,
            name=found.name,
            grade=found.grade,
            digest=found.identity if identifier else self._hashed(f"{found.kind}\0{found.identity}"),
            last4=found.secret[-4:] if len(found.secret) >= LONG or (identifier and len(found.secret) >= SHORT) else "",
            offset=max(0, found.start - ahead),
            how=_how(found, joined, ahead, raw),
            owner=found.owner,
            coverage=round(found.coverage, 3),
            excluded=found.excluded,
            excerpt=self._sought.showable(line),
        )

    def _requester(self, user_id: str) -> str:
        known = self._requesters.get(user_id)
        if known is None:
            if len(self._requesters) >= REQUESTERS:
                self._requesters.clear()
            known = self._requesters[user_id] = self._hashed(f"user\0{user_id}")
        return known

    def _told(self, event: Event) -> Sequence[Mark]:
        """Kinds of probing that the source noticed by itself."""
        names = dict.fromkeys(signal.name for signal in event.signals if signal.name in PROBES)
        return [
            Mark(
                kind=MarkKind.PROBE,
                name=name,
                digest=self._hashed(f"{MarkKind.PROBE}\0{probe(name).identity}"),
                how="signal",
            )
            for name in names
        ]

    def _fingerprint(self, asked: str) -> str:
        kept = squeezed(forms(asked)).translate(SMALL, DIGITS)
        return self._hashed(b"input\0" + kept) if kept else ""


def _chosen(found: Sequence[Found]) -> list[Found]:
    """Each thing once, the plain place before the hidden one; of each sort so many."""
    chosen: dict[tuple[str, str, str, str], Found] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for each in sorted(found, key=lambda each: (each.how != "plain", each.start)):
        what, sort = (each.kind, each.name, each.identity, each.owner), (each.kind, each.grade, each.excluded)
        if what not in chosen and counts[sort] < MOST_MARKS:
            chosen[what] = each
            counts[sort] += 1
    return list(chosen.values())


def _how(found: Found, joined: str, ahead: int, raw: str) -> str:
    """A find that the text itself does not show was written with characters that nobody sees, or that look like others."""
    if found.how != "plain" or raw.isascii() or found.start < ahead or joined[found.start : found.end] in raw:
        return found.how
    return "zero_width" if INVISIBLE.search(raw) else "look_alike"
