"""What every rule may set, for every primitive: second signals, exempt users, what one application sets otherwise.

Each row is a story that fires, so that whoever ignores a setting makes a test fail. Drift has its own in `test_drift`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
from pydantic import TypeAdapter, ValidationError

from bot.detection.engine import Engine
from bot.detection.event import Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, Tool, UserKind, Verdict
from bot.detection.finding import Finding
from bot.detection.rule import Rule, TriggerRule
from tests.detection.reference import answer, block, bypass, fragment, probe, query, seen

RULE: TypeAdapter[Rule] = TypeAdapter(Rule)
MINE, OTHER = "mine", "other"
TOKEN = Mark(MarkKind.SECRET, "github_token", "validated_pattern", "token", "5678")
BOBS = (Mark(MarkKind.IDENTIFIER, "account", "strong", "a", owner="bob"),)


class Case(NamedTuple):
    settings: dict[str, Any]
    events: Sequence[Seen]
    """All of alice, in one session; the rule fires with the last."""
    override: dict[str, Any]
    """With it the same story is quiet."""


def told(score: float) -> Seen:
    verdict = Verdict("safety", Outcome.FLAG, score=score)
    return seen(Kind.GUARDRAIL, 0, stage=Stage.OUTPUT, session_id="s", verdicts=(verdict,))


def ran(at: float, **said: Any) -> Seen:
    return seen(Kind.TOOL_CALL, at, tool=Tool("pay", "c", **said))


ALLOWED = Verdict("filter", Outcome.BLOCK, categories=("profanity",))
CASES: dict[str, Case] = {
    "match": Case(
        {"events": ["guardrail"], "where": {"flagged": True, "score": {"at_least": 0.5}}}, [told(0.5)],
        {"where": {"score": {"at_least": 0.6}}},
    ),
    "match of a tool": Case(
        {"events": ["tool_call"], "where": {"authorized": False, "completed": True}},
        [ran(0, authorized=False), ran(1, completed=True)],
        {"where": {"tool": "other"}},
    ),
    "distinct": Case(
        {"events": ["data_query"], "distinct_by": "result_sha256", "more_than": 2, "window_minutes": 60},
        [query(n, n) for n in range(3)], {"more_than": 3},
    ),
    "ratio": Case(
        {"events": ["guardrail"], "more_than": 2, "bypass_ratio_more_than": 0.1, "window_minutes": 30},
        [*(block(n, n) for n in range(3)), bypass(3, "passed")], {"bypass_ratio_more_than": 0.25},
    ),
    "fragments": Case(
        {"events": ["llm_call"], "at_least": 2}, [answer(n, fragment(n)) for n in range(2)], {"at_least": 3}
    ),
    "fragments by canary": Case(
        {"events": ["llm_call"], "at_least": 9, "canary": True}, [answer(0, Mark(MarkKind.CANARY, "c", "", "c"))],
        {"shadow": True},
    ),
    "patterns": Case(
        {"events": ["llm_call"], "patterns": ["a", "b", "c"], "more_than": 2, "window_minutes": 30},
        [probe(n, name) for n, name in enumerate("abc")], {"window_minutes": 1, "more_than": 3},
    ),
    "scanner": Case({"events": ["llm_call"], "secrets": ["validated_pattern"]}, [answer(0, TOKEN)], {"shadow": True}),
    "owner_mismatch": Case(
        {"events": ["llm_call"], "strong_at_least": 1, "weak_at_least": 2}, [answer(0, *BOBS, requester="alice")],
        {"strong_at_least": 2},
    ),
}  # fmt: skip


def rule(name: str, **changed: Any) -> Rule:
    return RULE.validate_python(
        {"primitive": name.split()[0], "key": ["user", "session"], **CASES[name].settings, **changed}
    )


def of(events: Sequence[Seen], **changed: Any) -> list[Seen]:
    """The same story, with something of each event changed."""
    return [msgspec.structs.replace(one, event=msgspec.structs.replace(one.event, **changed)) for one in events]


def opens(given: Rule, events: Sequence[Seen]) -> list[Finding]:
    return [one for one in Engine([TriggerRule("t", given)], most_keys=100).take(events) if not one.shadow]


every = pytest.mark.parametrize("name", CASES)


@every
def test_a_second_signal_is_waited_for_where_it_is_asked_for_and_another_guardrail_is_one(name: str) -> None:
    events = CASES[name].events
    assert opens(rule(name), events) and opens(rule(name, require_signals=1), events)
    second = rule(name, require_signals=2)
    assert not opens(second, events)
    assert opens(second, [*events[:-1], *of(events[-1:], signals=(*events[-1].event.signals, Signal("new_account")))])
    dlp = (*events[-1].event.verdicts, Verdict("dlp", Outcome.MASK))
    assert opens(second, [*events[:-1], *of(events[-1:], verdicts=dlp)])
    assert not opens(rule(name, require_signals=3), [*events[:-1], *of(events[-1:], verdicts=dlp)])


@every
def test_the_events_of_an_exempt_user_are_not_read(name: str) -> None:
    events = CASES[name].events
    assert not opens(rule(name, exempt_users=["alice"]), events)
    assert opens(rule(name, exempt_users=["bob"]), events)
    assert opens(rule(name, exempt_users=["alice"], overrides={MINE: {"exempt_users": ["bob"]}}), of(events, app=MINE))


@every
def test_what_an_application_sets_otherwise_holds_there_and_nowhere_else(name: str) -> None:
    events, override = CASES[name].events, CASES[name].override
    given = rule(name, overrides={MINE: override})
    assert not opens(given, of(events, app=MINE))
    assert opens(given, of(events, app=OTHER)) and opens(given, events)
    two = rule(name, overrides={MINE: {"require_signals": 2}})
    assert not opens(two, of(events, app=MINE)) and opens(two, of(events, app=OTHER))


def cool_downs(given: Rule, later: Callable[[float], Sequence[Seen]], app: str) -> list[bool]:
    return [one.first for one in Engine([TriggerRule("t", given)], most_keys=100).take(of(later(600.0), app=app))]


STORIES: dict[str, Callable[[float], Sequence[Seen]]] = {
    "match": lambda after: [told(0.9), seen(Kind.GUARDRAIL, after, stage=Stage.OUTPUT, verdicts=told(0.9).event.verdicts)],
    "distinct": lambda after: [query(n if n < 3 else after + n, n) for n in range(6)],
    "ratio": lambda after: [*CASES["ratio"].events, *(block(after + n, f"more {n}") for n in range(2))],
    "fragments": lambda after: [answer(0, fragment(0), fragment(1)), answer(after, fragment(2))],
    "patterns": lambda after: [probe(n if n < 3 else after + n, "abcd"[n]) for n in range(4)],
    "scanner": lambda after: [answer(0, TOKEN), answer(after, msgspec.structs.replace(TOKEN, digest="another"))],
    "owner_mismatch": lambda after: [
        answer(0, *BOBS, requester="alice"),
        answer(after, msgspec.structs.replace(BOBS[0], digest="b"), requester="alice"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_the_cool_down_is_the_rules_or_the_applications_own(name: str) -> None:
    more = {"patterns": ["a", "b", "c", "d"]} if name == "patterns" else {}
    given = rule(name, overrides={MINE: {"cool_down_minutes": 5}}, **more)
    assert cool_downs(given, STORIES[name], OTHER)[:1] == [True]
    assert not any(cool_downs(given, STORIES[name], OTHER)[1:])
    assert any(cool_downs(given, STORIES[name], MINE)[1:])


@pytest.mark.parametrize(
    ("override", "events"),
    [
        ({"more_than": 3}, CASES["ratio"].events),
        ({"window_minutes": 1}, [block(0, 1), block(1, 2), block(61, 3), bypass(61, "passed")]),
        ({"subjects_at_least": 2}, CASES["ratio"].events),
        ({"allowed_categories": ["profanity"]}, [block(0, 0, verdicts=(ALLOWED,)), *CASES["ratio"].events[1:]]),
    ],
)  # fmt: skip
def test_each_setting_of_a_ratio_may_differ_by_application(override: dict[str, Any], events: Sequence[Seen]) -> None:
    given = rule("ratio", overrides={MINE: override})
    assert opens(given, of(events, app=OTHER))
    assert not opens(given, of(events, app=MINE))


def test_signals_of_a_fragment_rule_count_whenever_an_answer_of_the_session_brought_them() -> None:
    second = rule("fragments", require_signals=2)
    two = CASES["fragments"].events
    signalled = of([answer(9, fragment(0))], signals=(Signal("new_account"),))
    assert opens(second, [*signalled, *two[1:]])
    assert opens(second, [*two, *signalled]), "what completes it may be the signal"
    a_day_later = of([answer(90_000, fragment(0))], signals=(Signal("new_account"),))
    assert not opens(second, [*a_day_later, answer(180_000, fragment(1)), answer(180_001, fragment(2))])


def test_what_our_own_gate_blocks_is_no_second_signal_of_a_campaign() -> None:
    own = block(4, "ours", verdicts=(Verdict("Firsthour-gate", Outcome.BLOCK),))
    *blocks, passed = CASES["ratio"].events
    assert not opens(rule("ratio", require_signals=2), [*blocks, own, passed])


def test_a_canary_that_came_without_its_second_signal_is_told_once_it_has_one() -> None:
    second, (alone,) = rule("fragments by canary", require_signals=2), CASES["fragments by canary"].events
    assert opens(second, [alone, *of([alone], signals=(Signal("new_account"),))])


@pytest.mark.parametrize("kind", UserKind)
def test_other_peoples_data_is_a_leak_to_an_end_user_only(kind: UserKind) -> None:
    """An API key or an address may stand for all users of an application: to whom it went, nobody knows."""
    (given,) = CASES["owner_mismatch"].events
    found = opens(rule("owner_mismatch"), of([given], user_kind=kind))
    assert bool(found) is (kind is UserKind.END_USER)


@pytest.mark.parametrize(("behind", "counts"), [(60.0, True), (60.001, False)])
@pytest.mark.parametrize("name", ["distinct", "ratio", "patterns"])
def test_a_minute_late_is_not_too_late(name: str, behind: float, counts: bool) -> None:
    *others, last = CASES[name].events
    late = msgspec.structs.replace(last.event, occurred_at=last.event.at + 100.0 - behind)
    now = [msgspec.structs.replace(one.event, occurred_at=last.event.at + 100.0) for one in others]
    engine = Engine([TriggerRule("t", rule(name))], most_keys=10)
    assert bool(engine.take([Seen(event=one) for one in (*now, late)])) is counts
    assert engine.late == int(not counts)


@pytest.mark.parametrize("name", ["Firsthour-PDP", "FIRSTHOUR", "firsthour"])
def test_our_own_gate_is_known_however_its_name_is_written(name: str) -> None:
    ours = [block(n, n, verdicts=(Verdict(name, Outcome.BLOCK),)) for n in range(60)]
    assert not opens(rule("ratio", fires_on_unknown_bypass=True), ours)
    named = rule("ratio", fires_on_unknown_bypass=True, own_guardrails=["FirstHour"])
    assert not opens(named, ours)
    assert opens(named, [block(n, n) for n in range(60)])


@pytest.mark.parametrize("where", [{"require_signals": 2}, {"overrides": {MINE: {"require_signals": 2}}}])
def test_an_applications_drift_has_no_second_signal_and_says_so(where: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        RULE.validate_python({"primitive": "drift", "events": ["llm_call"], **where})
