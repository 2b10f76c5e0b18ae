"""Rules that one event decides: what they share. Each hit counts once, and what the user said first is not counted.

Decides which evidence is new: the same evidence of a key within the cool-down is not told again, other evidence is more of
it. Fires whatever the event's lateness: one event is evidence enough, whenever it comes. Leaves what a hit is to each
primitive.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from bot.detection.compiled import Compiled, Timed
from bot.detection.event import Event, Mark, Seen, Stage, UserKind
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, event_name, moment, number
from bot.detection.rule import RuleBase
from bot.detection.signals import signals_of

DAY = 86_400.0
"""Seconds for which it is remembered what the user said in a session."""
MOST = 256
"""Evidence, and things that a user said, that one key remembers: the latest. A hit that was forgotten is told again."""
OWN = "in_users_own_input"


class Hits(Timed, array_like=True, gc=False):
    evidence: dict[int, float] = msgspec.field(default_factory=dict)
    """What was told, and when it happened."""
    said: dict[int, float] | None = None
    """What stood in the user's own inputs, and when it did first."""


class Hit(NamedTuple):
    evidence: Mapping[int, float]
    """By what it is known again; the same number, the same evidence."""
    counts: dict[str, float]
    marks: Sequence[Mark] = ()
    counted: Collection[str] = ()
    """Guardrails that the rule counted itself."""
    wanted: int = 1
    """Independent signals that are needed, where the rule asks for more than `require_signals`."""


class Single(Compiled[Hits]):
    def __init__(self, trigger: str, rule_id: str, rule: RuleBase, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.hears_user = OWN in self.exclusions
        self.idle_after = max(self.cool_down, DAY if self.hears_user else 0.0) + 2 * LATENESS
        self._decode = msgspec.msgpack.Decoder(Hits).decode

    @abstractmethod
    def hit(self, seen: Seen, said: Collection[int]) -> Hit | None:
        """What of the event the rule is about. `said`: `said_as` of what is not counted, because the user said it first."""

    @abstractmethod
    def concerns(self, mark: Mark) -> bool:
        """A mark of the kind that the rule reads."""

    def fresh(self) -> Hits:
        return Hits()

    def unpack(self, packed: bytes) -> Hits:
        return self._decode(packed)

    def key_of(self, seen: Seen) -> str | None:
        if seen.event.stage is Stage.INPUT and self.hears_user:
            if not any(map(self.concerns, seen.marks)) or not by_one(seen.event):
                return None
        elif self.hit(seen, ()) is None:
            return None
        if self.exempt and seen.event.user_id in self.exempt:
            return None
        return self.subject_key(seen) or nobody(seen.event)

    def step(self, state: Hits, seen: Seen) -> Finding | None:
        at = moment(seen)
        if at < state.newest - LATENESS:
            self.late.tell(seen)
        state.newest = max(state.newest, at)
        if seen.event.stage is Stage.INPUT and self.hears_user:
            state.said = hear(state.said, session_of(seen), [mark for mark in seen.marks if self.concerns(mark)], at)
            return None
        hit = self.hit(seen, said_before(state.said, at))
        if hit is None or not self._signalled(seen, hit):
            return None
        return self._tell(state, seen, hit, at)

    def _signalled(self, seen: Seen, hit: Hit) -> bool:
        wanted = max(self.require_signals, hit.wanted)
        return wanted <= 1 or 1 + len(signals_of(seen, hit.counted)) >= wanted

    def _tell(self, state: Hits, seen: Seen, hit: Hit, at: float) -> Finding | None:
        told = state.evidence
        new = [one for one in hit.evidence if one not in told or abs(at - told[one]) >= self.cool_down]
        if not new:
            return None
        for one in new:
            told.pop(one, None)
            told[one] = at
        forget(told)
        name = event_name(seen.event)
        return self.finding(
            seen,
            first=self.opens(state, at),
            started=at,
            counts=hit.counts,
            event_ids=(name,) if name else (),
            marks=hit.marks,
        )


def nobody(event: Event) -> str:
    """Where nothing names a subject, a single event still is evidence: told once a call."""
    return f"{event.app or ''}\0nobody\0{event.session_id or event_name(event)}"


def by_one(event: Event) -> bool:
    """Whoever said it is who is answered: a session, or an end user. Without a session, many stand behind a key or an address."""
    return bool(event.session_id) or event.user_kind is UserKind.END_USER


def session_of(seen: Seen) -> str:
    return seen.event.session_id or ""


def said_as(session: str, mark: Mark) -> int:
    """How a mark is known again within a session."""
    return number(session, mark.kind, mark.digest or mark.name)


def hear(said: dict[int, float] | None, session: str, marks: Sequence[Mark], at: float) -> dict[int, float]:
    """The marks of one input, each with the time it was said first."""
    said = said or {}
    for mark in marks:
        known = said_as(session, mark)
        said[known] = min(at, said.get(known, at))
    forget(said)
    return said


def said_before(said: dict[int, float] | None, at: float) -> Collection[int]:
    """What the user had said by then."""
    return {known for known, when in said.items() if when <= at} if said else ()


def forget(numbers: dict[int, float]) -> None:
    """The oldest above MOST."""
    while len(numbers) > MOST:
        del numbers[next(iter(numbers))]
