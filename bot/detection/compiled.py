"""A rule made ready to count: what every primitive offers to whoever keeps its states, in this process or at another store.

Decides the interface, the cool-down, what a finding says about its subject, and which events a rule is asked about at all.
Leaves to each primitive what its state is and when it fires, and to `engine` or another store where the states live.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from bot.detection.event import Event, Mark, Seen
from bot.detection.finding import Finding
from bot.detection.keys import digest, event_name, keyer, moment, subject
from bot.detection.late import Late
from bot.detection.rule import KeyKind, RuleBase

NEVER = float("-inf")
AGAIN = 60.0
"""Seconds between two findings of one key of a window rule, at least: within its cool-down it goes on telling, quietly."""
EVIDENCE = 20
"""Events, and marks, of the evidence that a finding names at most."""
MEMBERS = 100
"""Those who took part that a finding names at most."""
VERDICTS, MARKS, SIGNALS = 1, 2, 4
"""Facets: the rule is about events that have at least one of these. 0: about all of its kinds."""


class Kept(msgspec.Struct, array_like=True, gc=False):
    """What the engine itself notes on every state. No state holds a cycle, so the collector need not look at it."""

    used: bool = False
    """Since its turn to be evicted came last."""
    epoch: int = 0
    """The dump that it is part of already."""
    touched: float = 0.0
    """When an event of it arrived last, Unix seconds."""


class Timed(Kept, array_like=True, gc=False):
    """What a cool-down needs. Times are event times, Unix seconds."""

    newest: float = NEVER
    fired: float = NEVER
    """The finding that began the cool-down."""
    told: float = NEVER
    """The latest finding."""


S = TypeVar("S", bound=Timed)
Known = Callable[[str], S | None]
"""The state of a key, if there is one."""
Begin = Callable[[str, float], S]
"""A new state for a key, and the time at which the event arrived that asks for it."""
Count = Callable[[Seen], Finding | None]
"""Counts one event, of the rule's kinds and applications, wherever it belongs."""


class Compiled(ABC, Generic[S]):
    """One rule, for the applications that it is for. Its states belong to whoever asked for them with `fresh`."""

    late: Late
    """Counts events that came more than LATENESS behind the newest of their key; an engine gives all its rules the same."""
    facets: int = 0
    idle_after: float
    """Seconds without an event after which a state can no longer change what is found, and may go."""

    def __init__(self, trigger: str, rule_id: str, rule: RuleBase, *, without: Sequence[str] = ()) -> None:
        """`without`: applications that have a rule of their own, under the same id."""
        self.trigger, self.id = trigger, rule_id
        self.late = Late()
        self.kinds = frozenset(rule.events)
        self.apps = frozenset(rule.apps)
        self.without = frozenset(without)
        self.shadow = rule.shadow
        self.require_signals = rule.require_signals
        self.exclusions = frozenset(rule.exclusions)
        self.exempt = frozenset(rule.exempt_users)
        self.cool_down = rule.cool_down_minutes * 60.0
        self.order = rule.key
        self.subject_key = keyer(rule.key)
        self.named: Sequence[KeyKind] = rule.key if "fleet" in rule.key else ("user", *rule.key)
        """Whom a finding names: the end user wherever the event knows one, whatever is counted by (domain.md §4.1)."""
        self.user_first = rule.key[:1] == ("user",)

    def for_app(self, app: str | None) -> bool:
        return app not in self.without and (not self.apps or app in self.apps)

    def key(self, seen: Seen) -> str | None:
        """Whose state the event is counted in; None where the rule is not about it. It may be about it and count nothing."""
        event = seen.event
        return self.key_of(seen) if event.kind in self.kinds and self.for_app(event.app) else None

    @abstractmethod
    def key_of(self, seen: Seen) -> str | None:
        """`key` of an event that is known to be of the rule's kinds and applications."""

    @abstractmethod
    def fresh(self) -> S:
        """The state before the first event."""

    @abstractmethod
    def step(self, state: S, seen: Seen) -> Finding | None:
        """Count one event of the state's key."""

    def counter(self, known: Known[S], begin: Begin[S]) -> Count:
        """`key_of` and `step` in one, for whoever keeps the states in this process. A primitive that most events go to has
        one of its own, which looks at each of them once; what it finds is the same."""

        key_of, step = self.key_of, self.step

        def count(seen: Seen) -> Finding | None:
            key = key_of(seen)
            if key is None:
                return None
            state = known(key)
            if state is None:
                state = begin(key, seen.arrived)
            elif not state.used:
                state.used = True
            state.touched = seen.arrived
            return step(state, seen)

        return count

    def pack(self, state: S) -> bytes:
        return msgspec.msgpack.encode(state)

    @abstractmethod
    def unpack(self, packed: bytes) -> S:
        """Raises msgspec.DecodeError where it is not one of `pack`."""

    def subject_of(self, event: Event) -> tuple[str, str | None]:
        """Kind and id of whom a finding that this event completes is about."""
        return subject(event, self.named) or ("unknown", None)

    def tells(self, state: S, at: float) -> bool | None:
        """A window holds at `at`: True for a finding that opens, False for more of it, None for one too many."""
        if abs(at - state.told) < AGAIN:
            return None
        return self.opens(state, at)

    def opens(self, state: S, at: float) -> bool:
        """There is a finding at `at`: True where no cool-down runs, which begins one. Where events come out of order it
        may be the second of two by their own time."""
        state.told = at
        first = abs(at - state.fired) >= self.cool_down
        if first:
            state.fired = at
        return first

    def finding(
        self,
        seen: Seen,
        *,
        first: bool,
        started: float,
        counts: dict[str, float],
        window: float = 0.0,
        event_ids: Sequence[str] = (),
        marks: Sequence[Mark] = (),
        subjects: Sequence[tuple[str, str]] = (),
        trigger: str | None = None,
    ) -> Finding:
        """What the event `seen` completed. `trigger`: another one than the rule's own."""
        event = seen.event
        kind, who = self.subject_of(event)
        at = moment(seen)
        return Finding(
            trigger=trigger or self.trigger,
            subject_kind=kind,
            subject_id=who,
            app=event.app,
            session_id=event.session_id,
            id=digest(self.id, self.key_of(seen) or "", event.source or "", event_name(event) or repr(at)),
            first=first,
            started_at=min(started, at),
            completed_at=at,
            counts=counts,
            window_seconds=window,
            event_ids=tuple(event_ids[-EVIDENCE:]),
            marks=tuple(marks[-EVIDENCE:]),
            subjects=tuple(subjects[:MEMBERS]),
            told=event.excerpt_redacted,
            text_ref=event.text_ref,
            shadow=self.shadow,
        )
