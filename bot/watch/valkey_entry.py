"""What lies in Valkey under one key of one rule: the rule's packed state, and which events are in it already.

Decides that an event counts once in each state, whichever replica it is handed to and however often, and that a second
delivery gets the first one's finding. Nothing here talks to Valkey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from bot.detection.compiled import NEVER, Compiled
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, moment
from bot.watch.states import identity

FEW = 64
"""That one key knows again whatever their age: more than a rule of single events sees in a cool-down."""
MOST_IDS = 4096
"""That one key knows again: nine bytes each. An event that it does not know is counted once more when it is delivered again,
unless what it counts is distinct anyway."""
MOST_ANSWERS = 20
"""Findings that a second delivery gets again, of one key: the latest, and those that open an incident before those that are
more of it."""


class Entry(msgspec.Struct, array_like=True):
    """One value."""

    state: bytes = b""
    applied: dict[int, set[int]] = {}
    """Which events are in it, by the minute in which each happened."""
    answers: dict[int, Finding] = {}
    """What an event completed."""

    def knows(self, number: int) -> bool:
        return any(number in numbers for numbers in self.applied.values()) or number in self.answers

    def remember(self, number: int, minute: int, finding: Finding | None) -> None:
        numbers = self.applied.setdefault(minute, set())
        if len(numbers) < MOST_IDS:
            numbers.add(number)
        if finding is not None:
            self.answers[number] = finding
            if len(self.answers) > MOST_ANSWERS:
                more = (known for known, answer in self.answers.items() if not answer.first)
                del self.answers[next(more, next(iter(self.answers)))]

    def forget(self, newest: float) -> None:
        """The oldest above FEW, as far as they would be late by now: no window counts those, whether they are known or not."""
        since = _minute(newest - LATENESS) if newest != NEVER else max(self.applied, default=0) - 1
        count = sum(map(len, self.applied.values()))
        while count > FEW and (oldest := min(self.applied)) < since:
            count -= len(self.applied.pop(oldest))
        while count > MOST_IDS and len(self.applied) > 1:
            count -= len(self.applied.pop(min(self.applied)))


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class Outcome(msgspec.Struct):
    """What one batch did to one entry."""

    packed: bytes | None
    """What the entry is now; None where every event of the batch was in it already."""
    findings: list[tuple[int, Finding]]
    """With the place in the batch of the event that completed each."""
    known: int
    """Events that had been counted before."""


def applied(stored: bytes | None, rule: Compiled[Any], events: Sequence[tuple[int, int, Seen]]) -> Outcome:
    """The events (place in the batch, `number`, event) on top of what is stored; None is a fresh entry.

    Raises msgspec.DecodeError or ValidationError where what is stored was not written by this version.
    """
    entry = Entry() if stored is None else _decode(stored)
    state = rule.unpack(entry.state) if entry.state else rule.fresh()
    outcome = Outcome(None, [], 0)
    for place, number, seen in events:
        if entry.knows(number):
            outcome.known += 1
            finding = entry.answers.get(number)
        else:
            finding = rule.step(state, seen)
            entry.remember(number, _minute(moment(seen)), finding)
        if finding is not None:
            outcome.findings.append((place, finding))
    if outcome.known < len(events):
        entry.forget(state.newest)
        entry.state = rule.pack(state)
        outcome.packed = _encode(entry)
    return outcome


def numbers_of(batch: Sequence[Seen]) -> list[int]:
    """What each event is known by again: 64 bits of a hash of its identity.

    An event without an id is known by all that it holds and by when it came, and, of those that are the same in that too, by
    its place among them: handed in again by us it is known, delivered again it counts again.
    """
    twins = Counter[bytes]()
    numbers = []
    for seen in batch:
        known = identity(seen.event)
        if known is not None:
            named = "\0".join(known).encode(errors="surrogatepass")
        else:
            named = _encode(seen)
            twins[named] += 1
            named += b"%d" % twins[named]
        numbers.append(int.from_bytes(blake2b(named, digest_size=8).digest()))
    return numbers


def _minute(at: float) -> int:
    return int(at // 60)
