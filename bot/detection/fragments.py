"""The system prompt coming out: different fragments in one session's delivered answers, its canary, or much of it at once.

Decides what is counted and between which bounds it fires. A fragment counts from the first answer that held it, unless the
user had said it before; so whatever the order of events within the lateness, the same are counted in the end. A canary and
a large part are evidence by themselves, also when they come late.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.detection.compiled import EVIDENCE, MARKS, NEVER, Compiled, Timed
from bot.detection.event import Mark, MarkKind, Seen, Stage
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, event_name, moment, number
from bot.detection.rule import FragmentsRule
from bot.detection.signals import enough, remember, signals_of
from bot.detection.single import DAY, OWN, by_one, forget, hear, nobody, said_as, said_before

CANARIES = frozenset({"system_prompt", ""})
"""Kinds of canary that are the prompt's: its own, and those of no kind (domain.md §4.3, 1)."""
MOST = 64
"""Fragments that are told apart in one session, at least."""


class Session(Timed, array_like=True, gc=False):
    found: dict[int, float] = msgspec.field(default_factory=dict)
    """Fragment (`said_as`) and when an answer held it first."""
    said: dict[int, float] | None = None
    told_canaries: dict[int, float] | None = None
    canary: bool = False
    """It came out: from then on this is no partial extraction."""
    signals: dict[str, float] | None = None
    event_ids: list[str] = msgspec.field(default_factory=list)
    marks: list[Mark] = msgspec.field(default_factory=list)


class Fragments(Compiled[Session]):
    facets = MARKS

    def __init__(self, trigger: str, rule_id: str, rule: FragmentsRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self._at_least, self._at_most = rule.at_least, rule.at_most
        self._most = max(MOST, 2 * rule.at_least, rule.at_most or 0)
        self._canary, self._coverage = rule.canary, rule.coverage_at_least
        self._hears_user = OWN in self.exclusions
        self.idle_after = max(DAY, self.cool_down) + 2 * LATENESS
        self._decode = msgspec.msgpack.Decoder(Session).decode

    def fresh(self) -> Session:
        return Session()

    def unpack(self, packed: bytes) -> Session:
        return self._decode(packed)

    def key_of(self, seen: Seen) -> str | None:
        event = seen.event
        said = event.stage is Stage.INPUT
        heard = self._hears_user and by_one(event) if said else event.delivered is True
        if not heard or not any(map(_concerns, seen.marks)):
            return None
        if self.exempt and event.user_id in self.exempt:
            return None
        return self.subject_key(seen) or nobody(event)

    def step(self, state: Session, seen: Seen) -> Finding | None:
        at = moment(seen)
        if at - state.newest > DAY:
            _begin_anew(state)
        late = at < state.newest - LATENESS
        if late:
            self.late.tell(seen)
        state.newest = max(state.newest, at)
        marks = [mark for mark in seen.marks if _concerns(mark)]
        if seen.event.stage is Stage.INPUT:
            state.said = hear(state.said, "", marks, at)
            return None
        names = signals_of(seen) if self.require_signals > 1 else ()
        state.signals = remember(state.signals, names, at)
        marks = self._countable(state, marks, at)
        more = not late and (_count(state, marks, at, self._most) or bool(names))
        alone = self._alone(state, marks, at)
        return self._weigh(state, seen, at, alone=alone, more=more)

    def _countable(self, state: Session, marks: Sequence[Mark], at: float) -> list[Mark]:
        said = said_before(state.said, at)
        return [
            mark
            for mark in marks
            if not (mark.excluded and mark.excluded in self.exclusions) and not (said and said_as("", mark) in said)
        ]

    def _alone(self, state: Session, marks: Sequence[Mark], at: float) -> bool:
        """New evidence that needs no counting."""
        new, signalled = False, enough(self.require_signals, state.signals, NEVER)
        for mark in marks:
            if mark.kind is MarkKind.CANARY:
                state.canary = True
                told = state.told_canaries = state.told_canaries or {}
                known = number(mark.digest or mark.name)
                if self._canary and signalled and abs(at - told.get(known, NEVER)) >= self.cool_down:
                    told[known] = at
                    forget(told)
                    new = True
        large = max((mark.coverage for mark in marks), default=0.0)
        covered = self._coverage is not None and large >= self._coverage
        return new or (covered and abs(at - state.told) >= self.cool_down)

    def _weigh(self, state: Session, seen: Seen, at: float, *, alone: bool, more: bool) -> Finding | None:
        _keep(state, seen, alone=alone, more=more)
        count = sum(when < (state.said or {}).get(known, when + 1) for known, when in state.found.items())
        inside = more and count >= self._at_least and (self._at_most is None or count <= self._at_most)
        if self._at_most is not None and state.canary:
            inside = False
        if not (alone or inside) or not enough(self.require_signals, state.signals, NEVER):
            return None
        first = self.opens(state, at) if alone else self.tells(state, at)
        if first is None:
            return None
        return self.finding(
            seen,
            first=first,
            started=min(state.found.values(), default=at),
            counts=_counts(state, count),
            event_ids=state.event_ids,
            marks=state.marks,
        )


def _count(state: Session, marks: Sequence[Mark], at: float, most: int) -> bool:
    """True where a fragment is new."""
    before = len(state.found)
    for mark in marks:
        if mark.kind is MarkKind.FRAGMENT:
            known = said_as("", mark)
            if known in state.found:
                state.found[known] = min(at, state.found[known])
            elif len(state.found) < most:
                state.found[known] = at
    return len(state.found) > before


def _counts(state: Session, fragments: int) -> dict[str, float]:
    canaries = len(state.told_canaries or ())
    return {"distinct fragments": float(fragments)} | ({"canaries": float(canaries)} if canaries else {})


def _concerns(mark: Mark) -> bool:
    return mark.kind is MarkKind.FRAGMENT or (mark.kind is MarkKind.CANARY and mark.grade in CANARIES)


def _begin_anew(state: Session) -> None:
    """A day of silence ends a session, whatever it is called."""
    state.found, state.said, state.told_canaries = {}, None, None
    state.canary, state.signals, state.event_ids, state.marks = False, None, [], []


def _keep(state: Session, seen: Seen, *, alone: bool, more: bool) -> None:
    if not (alone or more):
        return
    name = event_name(seen.event)
    if name:
        state.event_ids = [*state.event_ids, name][-EVIDENCE:]
    state.marks = [*state.marks, *filter(_concerns, seen.marks)][-EVIDENCE:]
