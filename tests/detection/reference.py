"""The naive reference: keeps everything, looks at every window, and says which keys fire and when. Shares no code with the
engine. And the events that tests feed both with.

Of the eight primitives drift is left out: what is normal is an estimator's arithmetic, and a second one would be the same
page once more. Its behaviour stands in `test_drift` and `test_baseline`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Any

from bot.detection.event import Data, Event, Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, UserKind, Verdict
from bot.detection.rule import (
    DistinctRule,
    FragmentsRule,
    MatchRule,
    OwnerMismatchRule,
    PatternsRule,
    RatioRule,
    RuleBase,
    ScannerRule,
    TriggerRule,
)

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
    by_key = _by_key(trigger, events)
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
        case MatchRule() | ScannerRule() | OwnerMismatchRule():
            return {key for key, all_ in by_key.items() if any(_evidence(rule, one) for one in all_)}
    raise TypeError(rule)


def told(trigger: TriggerRule, events: Sequence[Seen]) -> list[tuple[str, str, float, str, bool]]:
    """Of events in order: application and user (session), when which trigger is told, and whether that begins a cool-down."""
    found = []
    for (app, who), all_ in _by_key(trigger, events).items():
        fired_at = dict[str, float]()
        for at, name in _moments(trigger, all_):
            first = at - fired_at.get(name, -inf) >= trigger.rule.cool_down_minutes * 60
            fired_at[name] = at if first else fired_at[name]
            found.append((app, who, at, name, first))
    return sorted(found)


def _by_key(trigger: TriggerRule, events: Sequence[Seen]) -> dict[Key, list[Seen]]:
    by_key = defaultdict[Key, list[Seen]](list)
    for one in events:
        who = one.event.session_id if isinstance(trigger.rule, FragmentsRule) else one.event.user_id
        if one.event.kind in trigger.rule.events and who is not None:
            by_key[one.event.app or "", who].append(one)
    return by_key


def _moments(trigger: TriggerRule, events: Sequence[Seen]) -> Iterator[tuple[float, str]]:
    """When one key's rule is told, and of which trigger. A window that goes on holding is, with what is new in it, once a
    minute at most; of single events each new piece of evidence is."""
    rule, before, known = trigger.rule, dict[str, float](), dict[str, float]()
    for place, one in enumerate(events):
        at, until = one.event.at, events[: place + 1]
        if isinstance(rule, MatchRule | ScannerRule | OwnerMismatchRule):
            said = _said(rule, one, events[:place])
            new = [
                name
                for name in _evidence(rule, one) - said
                if at - known.get(name, -inf) >= rule.cool_down_minutes * 60
            ]
            known |= dict.fromkeys(new, at)
            if new:
                yield at, trigger.trigger
        elif at - before.get(trigger.trigger, -inf) >= 60:
            name = _new(trigger, until)
            if name is not None and at - before.get(name, -inf) >= 60:
                before[name] = at
                yield at, name


def _new(trigger: TriggerRule, until: Sequence[Seen]) -> str | None:
    """The trigger of which the window that the last of these events ends holds, and did not hold that event's value before."""
    match trigger.rule:
        case DistinctRule() as rule:
            holds = _distinct_new(rule, until, _results)
        case PatternsRule() as rule:
            holds = _distinct_new(rule, until, _patterns(rule))
        case FragmentsRule() as rule:
            before = {mark.name for one in until[:-1] for mark in one.marks}
            now = before | {mark.name for mark in until[-1].marks}
            holds = now > before and rule.at_least <= len(now) <= (rule.at_most or inf)
        case RatioRule() as rule:
            holds = (over := _ratio_over(rule, _window(until, rule.window_minutes))) is True
            if over is False:
                return rule.up_to_ratio
        case _:
            raise TypeError(trigger)
    return trigger.trigger if holds else None


def _distinct_new(rule: DistinctRule | PatternsRule, until: Sequence[Seen], values: Values) -> bool:
    window = _window(until, rule.window_minutes)
    before = {value for one in window[:-1] for value in values(one)}
    now = before | set(values(window[-1]))
    return now > before and len(now) > rule.more_than


def _window(until: Sequence[Seen], minutes: int) -> list[Seen]:
    """The one that the last of these events ends."""
    return [one for one in until if one.event.at >= until[-1].event.at - minutes * 60]


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
    """Of either trigger."""
    over = {_ratio_over(rule, window) for window in _windows(events, rule.window_minutes)}
    return True in over or (rule.up_to_ratio is not None and False in over)


def _ratio_over(rule: RatioRule, window: Sequence[Seen]) -> bool | None:
    """There are enough blocks, and the rate is above what is allowed; False where it is known and not above it."""
    outcomes = defaultdict[str | None, set[Outcome]](set)
    for one in window:
        outcomes[one.event.call_id] |= {verdict.outcome for verdict in one.event.verdicts}
    blocks = sum(Outcome.BLOCK in each for each in outcomes.values())
    passed = sum(Outcome.FLAG in each and Outcome.BLOCK not in each for each in outcomes.values())
    if blocks <= rule.more_than:
        return None
    if not any(Outcome.FLAG in each for each in outcomes.values()):
        return True if rule.fires_on_unknown_bypass else None
    return passed / (blocks + passed) > rule.bypass_ratio_more_than


def _evidence(rule: MatchRule | ScannerRule | OwnerMismatchRule, one: Seen) -> set[str]:
    """Names of what one event shows, of the few conditions that tests set."""
    event = one.event
    if event.stage is not Stage.OUTPUT or event.delivered is not True:
        return set()
    match rule:
        case MatchRule():
            flagged = any(verdict.outcome in {Outcome.FLAG, Outcome.BLOCK} for verdict in event.verdicts)
            return {event.call_id or ""} if flagged else set()
        case ScannerRule():
            return {mark.digest for mark in one.marks if mark.kind is MarkKind.SECRET and mark.grade in rule.secrets}
        case OwnerMismatchRule():
            foreign = [mark for mark in one.marks if mark.owner != one.requester]
            strong = {mark.digest for mark in foreign if mark.grade == "strong"}
            of_one = [
                {mark.digest for mark in foreign if mark.grade == "weak" and mark.owner == owner}
                for owner in ("x", "y")
            ]
            weak = {name for names in of_one if len(names) >= rule.weak_at_least for name in names}
            return (strong if len(strong) >= rule.strong_at_least else set()) | weak


def _said(rule: RuleBase, one: Seen, before: Sequence[Seen]) -> set[str]:
    """What the user had said in this session."""
    if "in_users_own_input" not in rule.exclusions:
        return set()
    asked = [
        each for each in before if each.event.stage is Stage.INPUT and each.event.session_id == one.event.session_id
    ]
    return {mark.digest for each in asked for mark in each.marks}


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
    "told",
    "verdict",
]
