"""The naive reference: keeps everything, looks at every window, and says which keys fire. Shares no code with the engine.

And the events that tests feed both with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bot.detection.event import Data, Event, Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, UserKind, Verdict
from bot.detection.rule import DistinctRule, FragmentsRule, PatternsRule, RatioRule, TriggerRule

START = 1_772_442_000.0
"""A Monday in 2026."""


def seen(kind: Kind, at: float, user: str | None = "alice", **event: Any) -> Seen:
    """An event `at` seconds after START. `marks`, `requester`, `fingerprint` and `text_id` are the scan's."""
    names = ("marks", "requester", "fingerprint", "text_id", "arrived")
    scan = {name: event.pop(name) for name in names if name in event}
    return Seen(event=Event(kind=kind, occurred_at=START + at, user_id=user, **event), **scan)


def query(at: float, result: object, user: str | None = "alice", **event: Any) -> Seen:
    return seen(Kind.DATA_QUERY, at, user, **{"data": Data(result_sha256=f"{result:>064}", ok=True), **event})


def verdict(outcome: Outcome, at: float, call: str, user: str | None = "alice", **event: Any) -> Seen:
    delivered = outcome is not Outcome.BLOCK
    verdicts = (Verdict(guardrail="content-filter", outcome=outcome),)
    given = {"delivered": delivered, "stage": Stage.INPUT, "verdicts": verdicts, **event}
    return seen(Kind.GUARDRAIL, at, user, call_id=call, **given)


def block(at: float, call: object, user: str | None = "alice", **event: Any) -> Seen:
    return verdict(Outcome.BLOCK, at, str(call), user, **event)


def bypass(at: float, call: object, user: str | None = "alice", **event: Any) -> Seen:
    return verdict(Outcome.FLAG, at, str(call), user, **event)


def probe(at: float, name: str, user: str | None = "alice", **event: Any) -> Seen:
    return seen(Kind.LLM_CALL, at, user, **{"stage": Stage.INPUT, "signals": (Signal(name),), **event})


def answer(at: float, *marks: Mark, user: str | None = "alice", **event: Any) -> Seen:
    given = {"stage": Stage.OUTPUT, "delivered": True, "session_id": "s", **event}
    return seen(Kind.LLM_CALL, at, user, marks=marks, **given)


def prompt(at: float, *marks: Mark, user: str | None = "alice", **event: Any) -> Seen:
    return seen(Kind.LLM_CALL, at, user, marks=marks, **{"stage": Stage.INPUT, "session_id": "s", **event})


def fragment(name: object) -> Mark:
    return Mark(MarkKind.FRAGMENT, name=f"fragment {name}", digest=f"d{name}", coverage=0.05)


Key = tuple[str, str]
Values = Callable[[Seen], Iterable[str]]


def fired(trigger: TriggerRule, events: Sequence[Seen]) -> set[Key]:
    """Application and user (session, for fragments) of every key that some window fires for."""
    rule = trigger.rule
    by_key = defaultdict[Key, list[Seen]](list)
    for one in events:
        who = one.event.session_id if isinstance(rule, FragmentsRule) else one.event.user_id
        if one.event.kind in rule.events and who is not None:
            by_key[one.event.app or "", who].append(one)
    match rule:
        case DistinctRule():
            return {key for key, all_ in by_key.items() if _distinct(rule, all_, _results)}
        case PatternsRule():
            return {key for key, all_ in by_key.items() if _distinct(rule, all_, _patterns(rule))}
        case FragmentsRule():
            return {
                key for key, all_ in by_key.items() if len({m.name for one in all_ for m in one.marks}) >= rule.at_least
            }
        case RatioRule():
            return {key for key, all_ in by_key.items() if _ratio(rule, all_)}
    raise TypeError(rule)


def _windows(events: Sequence[Seen], minutes: int) -> Iterable[list[Seen]]:
    for end in {one.event.at for one in events}:
        yield [one for one in events if end - minutes * 60 <= one.event.at <= end]


def _distinct(rule: DistinctRule | PatternsRule, events: Sequence[Seen], values: Values) -> bool:
    return any(
        len({value for one in window for value in values(one)}) > rule.more_than
        for window in _windows(events, rule.window_minutes)
    )


def _results(one: Seen) -> Iterable[str]:
    data = one.event.data
    return [data.result_sha256] if data and data.ok and data.result_sha256 else []


def _patterns(rule: PatternsRule) -> Values:
    return lambda one: [signal.name for signal in one.event.signals if signal.name in rule.patterns]


def _ratio(rule: RatioRule, events: Sequence[Seen]) -> bool:
    for window in _windows(events, rule.window_minutes):
        outcomes = defaultdict[str | None, set[Outcome]](set)
        for one in window:
            outcomes[one.event.call_id] |= {verdict.outcome for verdict in one.event.verdicts}
        blocks = sum(Outcome.BLOCK in each for each in outcomes.values())
        passed = sum(Outcome.FLAG in each and Outcome.BLOCK not in each for each in outcomes.values())
        if blocks > rule.more_than and passed / (blocks + passed) > rule.bypass_ratio_more_than:
            return True
    return False


__all__ = [
    "START",
    "UserKind",
    "answer",
    "block",
    "bypass",
    "fired",
    "fragment",
    "probe",
    "prompt",
    "query",
    "seen",
    "verdict",
]
