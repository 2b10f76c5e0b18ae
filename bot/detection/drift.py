"""The drift of an application: refusals, blocks, token use, latency and calls, each against what is normal at that hour.

Decides what is read from an event, who counts as who, and what a finding says. How ten minutes become one value is
`measures`', what is normal, and when it was left, is `baseline`'s. The list of measures is the mission's (preparation:
"model behavior baselines", and "unusual API usage patterns" of its monitoring). What nobody said (`refused` left out, no
verdict) is not known, and counted nowhere.

Measured: six simulated months of applications with 12 to 2,000 users of very different habits, 20 to 500 calls in ten minutes,
more by day than by night and at weekends, refusals, blocks and latency going up and down with the day: no alarm. With 100
users, refusals that double from 5 % are told after 1.2 to 1.5 hours at 400 calls in ten minutes, after 2 to 4 at 150; at 60
they are not told from noise. A step costs 2 to 3 microseconds, a state packed has 8 kB.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log1p
from zlib import crc32

import msgspec

from bot.detection.baseline import Baseline, Change
from bot.detection.compiled import Compiled, Timed
from bot.detection.event import Event, Kind, Outcome, Seen, UserKind
from bot.detection.finding import Finding
from bot.detection.keys import LATENESS, digest, moment
from bot.detection.measures import BUCKET, CELLS, MEASURES, Bucket
from bot.detection.rule import DriftRule
from bot.detection.signals import Ours

MOST = 1e12
"""Tokens or milliseconds; what is more, or is no number, was not measured."""
HOUR, DAY = 3600, 86_400


class State(Timed, array_like=True, gc=False):
    """Of one application: about 8 kB packed, whatever comes."""

    open: list[Bucket] = msgspec.field(default_factory=list)
    baselines: list[Baseline] = msgspec.field(default_factory=lambda: [Baseline() for _ in MEASURES])


class Drift(Compiled[State]):
    def __init__(self, trigger: str, rule_id: str, rule: DriftRule, *, without: Sequence[str] = ()) -> None:
        super().__init__(trigger, rule_id, rule, without=without)
        self.idle_after = 28 * DAY  # what was normal four weeks ago says little
        self.measures = frozenset(rule.measures)
        self.more_than = rule.more_than
        self._ours = Ours(rule.own_guardrails)
        self._decode = msgspec.msgpack.Decoder(State).decode

    def key_of(self, seen: Seen) -> str | None:
        """The application; None where the event names none."""
        event = seen.event
        return None if not event.app or event.user_id in self.exempt else event.app

    def fresh(self) -> State:
        return State()

    def unpack(self, packed: bytes) -> State:
        """One of before a measure was added begins anew: what it holds stands in other places."""
        state = self._decode(packed)
        return state if len(state.baselines) == len(MEASURES) else State()

    def step(self, state: State, seen: Seen) -> Finding | None:
        """A finding comes with the first event that is a minute past the ten minutes it speaks of."""
        event, at = seen.event, moment(seen)
        if at < state.newest - LATENESS:
            self.late.tell(seen)
            return None
        self._bucket(state, at).add(_cell(event), self._values(event))
        if at <= state.newest:
            return None
        state.newest = at
        found: Finding | None = None
        while state.open and state.open[0].start + BUCKET + LATENESS <= at:
            found = self._close(state, state.open.pop(0), event.app or "") or found
        return found

    def _bucket(self, state: State, at: float) -> Bucket:
        for bucket in reversed(state.open):
            if bucket.start <= at < bucket.start + BUCKET:
                return bucket
        made = Bucket(at - at % BUCKET)
        state.open.append(made)
        state.open.sort(key=lambda bucket: bucket.start)
        return made

    def _values(self, event: Event) -> tuple[float | None, ...]:
        """In the order of MEASURES; None where nothing said so."""
        call = event.kind is Kind.LLM_CALL
        return (
            float(event.refused) if call and event.refused is not None else None,
            self._blocked(event),
            log1p(event.tokens) if call and event.tokens is not None and 0 <= event.tokens <= MOST else None,
            log1p(event.latency_ms)
            if call and event.latency_ms is not None and 0 <= event.latency_ms <= MOST
            else None,
            1.0 if call else None,
        )

    def _blocked(self, event: Event) -> float | None:
        """What our own containment holds back is no change of the application; an error is no answer."""
        judged = [
            verdict.outcome is Outcome.BLOCK
            for verdict in event.verdicts
            if verdict.outcome is not Outcome.ERROR and not self._ours[verdict.guardrail]
        ]
        return float(any(judged)) if judged else None

    def _close(self, state: State, bucket: Bucket, app: str) -> Finding | None:
        changes = dict(self._changes(state, bucket))
        if not changes:
            return None
        ended = bucket.start + BUCKET
        return self._finding(app, changes, ended, first=self.opens(state, ended))

    def _changes(self, state: State, bucket: Bucket) -> Iterator[tuple[str, Change]]:
        for index, (name, measure) in enumerate(MEASURES.items()):
            measured = bucket.value(index, measure.form) if name in self.measures else None
            if measured is None:
                continue
            value, noise = measured
            least = max(measure.least, noise)
            change = state.baselines[index].take(slot(bucket.start), value, least=least, more_than=self.more_than)
            if change is not None:
                yield name, change

    def _finding(self, app: str, changes: dict[str, Change], ended: float, *, first: bool) -> Finding:
        seconds = float(max(change.values for change in changes.values()) * BUCKET)
        return Finding(
            trigger=self.trigger,
            subject_kind="application",
            subject_id=app,
            app=app,
            session_id=None,
            id=digest(self.id, app, repr(ended), *sorted(changes)),
            first=first,
            started_at=ended - seconds,
            completed_at=ended,
            counts=dict(_counts(changes)),
            window_seconds=seconds,
            event_ids=(),
            shadow=self.shadow,
        )


def slot(at: float) -> int:
    """The hour of the day, working days and weekends apart (UTC)."""
    weekend = (int(at // DAY) + 3) % 7 >= 5  # 1 January 1970 was a Thursday
    return int(at % DAY // HOUR) + (24 if weekend else 0)


def _cell(event: Event) -> int:
    """Who spoke: the user; the session where only a key or an address is known, since many share it; else the call."""
    user = event.user_id if event.user_kind is UserKind.END_USER else None
    who = user or event.session_id or event.call_id or event.user_id or event.source_event_id or ""
    return crc32(who.encode()) % CELLS


def _counts(changes: dict[str, Change]) -> Iterator[tuple[str, float]]:
    """Direction and size in words: `refusal rate, % rose from` 5.1 and `… to` 10.3."""
    for name, change in changes.items():
        measure, scale = MEASURES[name], 100 if MEASURES[name].form == "rate" else 1
        way = "rose" if change.now > change.before else "fell"
        yield f"{measure.words} {way} from", round(scale * measure.back(change.before), 2)
        yield f"{measure.words} {way} to", round(scale * measure.back(change.now), 2)
