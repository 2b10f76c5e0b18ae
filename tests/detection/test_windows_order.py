"""In whatever order events come within the lateness: what fires is what the naive reference, which keeps all, says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.engine import Engine
from bot.detection.event import Mark, MarkKind, Outcome, Seen, Stage, Verdict
from bot.detection.finding import Finding
from bot.detection.rule import (
    DistinctRule,
    FragmentsRule,
    MatchRule,
    OwnerMismatchRule,
    PatternsRule,
    RatioRule,
    Rule,
    ScannerRule,
    TriggerRule,
)
from tests.detection.reference import answer, block, bypass, fired, fragment, probe, prompt, query, told

MORE = settings(max_examples=80, deadline=None)
USERS = st.sampled_from(["alice", "alice", "alice", "bob"])


def distinct(more_than: int, minutes: int) -> Rule:
    return DistinctRule(
        primitive="distinct", key=("user",), events=("data_query",), distinct_by="result_sha256",
        more_than=more_than, window_minutes=minutes,
    )  # fmt: skip


def ratio(more_than: int, minutes: int, **given: Any) -> Rule:
    return RatioRule(
        primitive="ratio", key=("user",), events=("guardrail",), more_than=more_than, bypass_ratio_more_than=0.2,
        window_minutes=minutes, **given,
    )  # fmt: skip


@st.composite
def shuffled(draw: st.DrawFn, make: Any) -> list[Seen]:
    """Events as they arrive: each up to 60 s after it happened. Few times, users and values, so that edges are hit often."""
    one = st.tuples(st.integers(0, 15), st.integers(0, 6), USERS, st.integers(0, 4))
    came = draw(st.lists(one, min_size=4, max_size=25))
    came.sort(key=lambda each: each[0] + each[1])
    return [make(10 * at, value, user) for at, _, user, value in came]


def keys_of(rule: Rule, events: Sequence[Seen]) -> set[tuple[str, str]]:
    findings = Engine([TriggerRule("t", rule)], most_keys=100).take(events)
    who = (lambda one: one.session_id) if isinstance(rule, FragmentsRule) else (lambda one: one.subject_id)
    return {(one.app or "", who(one) or "") for one in findings}


@MORE
@given(shuffled(lambda at, value, user: query(at, value, user)), st.integers(0, 4), st.integers(1, 2))
def test_distinct_results_fire_for_the_same_keys_whatever_the_order(
    events: list[Seen], more_than: int, minutes: int
) -> None:
    rule = distinct(more_than, minutes)
    assert keys_of(rule, events) == fired(TriggerRule("t", rule), events)


@MORE
@given(shuffled(lambda at, value, user: probe(at, f"kind_{value}", user)), st.integers(0, 3))
def test_kinds_of_probing_fire_for_the_same_keys_whatever_the_order(events: list[Seen], more_than: int) -> None:
    rule = PatternsRule(
        primitive="patterns", key=("user",), events=("llm_call",), patterns=tuple(f"kind_{n}" for n in range(5)),
        more_than=more_than, window_minutes=1,
    )  # fmt: skip
    assert keys_of(rule, events) == fired(TriggerRule("t", rule), events)


@MORE
@given(shuffled(lambda at, value, user: answer(at, fragment(value), session_id=user)), st.integers(1, 4))
def test_fragments_fire_for_the_same_sessions_whatever_the_order(events: list[Seen], at_least: int) -> None:
    rule = FragmentsRule(primitive="fragments", key=("session",), events=("llm_call",), at_least=at_least)
    assert keys_of(rule, events) == fired(TriggerRule("t", rule), events)


def attempt(at: int, value: int, user: str) -> Seen:
    call = f"{user} {at // 40} {value}"  # the same call is told again within 40 s
    return bypass(at, call, user) if value == 0 else block(at, call, user)


def told_once(events: Sequence[Seen]) -> list[Seen]:
    """Each call as it was told first."""
    calls: dict[str | None, Seen] = {}
    for one in events:
        calls.setdefault(one.event.call_id, one)
    return list(calls.values())


FIRES = st.sampled_from([{}, {"fires_on_unknown_bypass": True}, {"up_to_ratio": "held_back"}])
"""Above the rate; also where it is not known; also where it is known and not above it."""


@MORE
@given(shuffled(attempt), st.integers(0, 4), FIRES)
def test_a_ratio_fires_for_the_keys_of_which_a_window_held_when_something_came_whatever_the_order(
    events: list[Seen], more_than: int, fires: dict[str, Any]
) -> None:
    """Not only those that hold in the end: a block that comes late takes back nothing that was told."""
    once, rule = told_once(events), ratio(more_than, 1, **fires)
    trigger = TriggerRule("t", rule)
    held = {key for count in range(1, len(once) + 1) for key in fired(trigger, once[:count])}
    assert keys_of(rule, once) == held >= fired(trigger, once)


@MORE
@given(shuffled(attempt), st.integers(0, 4))
def test_a_ratio_in_order_fires_only_where_a_window_has_held(events: list[Seen], more_than: int) -> None:
    once = sorted(told_once(events), key=lambda one: one.event.at)
    rule = ratio(more_than, 1)
    held = {
        key for count in range(1, len(once) + 1) for key in fired(TriggerRule("t", rule), once[:count])
    }  # at every moment, because a block in the same second may come after it fired
    assert keys_of(rule, once) == held


def judged(at: int, value: int, user: str) -> Seen:
    """A few calls, each told several times."""
    outcome = Outcome.FLAG if value else Outcome.ALLOW
    return answer(at, user=user, call_id=f"call {value}", verdicts=(Verdict("safety", outcome),))


def secret(at: int, value: int, user: str) -> Seen:
    """The first kind is what the user says; it is the same secret as the second."""
    mark = Mark(MarkKind.SECRET, "token", "validated_pattern", str(value or 1))
    return answer(at, mark, user=user) if value else prompt(at, mark, user=user)


def foreign(at: int, value: int, user: str) -> Seen:
    """Their own; one or two strong ones of others; two weak ones of one person, and of two."""
    named = [("account", user)], [("account", "x")], [("account", "x"), ("account", "y")]
    weak = [("name", "x"), ("birth_date", "x")], [("name", "x"), ("birth_date", "y")]
    marks = [
        Mark(MarkKind.IDENTIFIER, name, "strong" if name == "account" else "weak", f"{owner} {name}", owner=owner)
        for name, owner in (*named, *weak)[value]
    ]
    return answer(at, *marks, user=user, requester=user)


SINGLE: dict[str, tuple[Any, Any]] = {
    "match": (judged, MatchRule(primitive="match", key=("user",), events=("llm_call",), where={"flagged": True})),
    "scanner": (
        secret,
        ScannerRule(
            primitive="scanner", key=("user",), events=("llm_call",), secrets=("validated_pattern",),
            exclusions=("in_users_own_input",),
        ),
    ),
    "owner_mismatch": (
        foreign,
        OwnerMismatchRule(
            primitive="owner_mismatch", key=("user",), events=("llm_call",), strong_at_least=2, weak_at_least=2
        ),
    ),
}  # fmt: skip
EACH: dict[str, tuple[Any, Any]] = SINGLE | {
    "distinct": (lambda at, value, user: query(at, value, user), distinct(2, 2)),
    "ratio": (lambda at, value, user: attempt_once(at, value, user), ratio(2, 2)),
    "ratio up to": (lambda at, value, user: attempt_once(at, value, user), ratio(1, 2, up_to_ratio="held_back")),
    "fragments": (
        lambda at, value, user: answer(at, fragment(value), session_id=user),
        FragmentsRule(primitive="fragments", key=("session",), events=("llm_call",), at_least=2, at_most=4),
    ),
    "patterns": (
        lambda at, value, user: probe(at, f"kind_{value}", user),
        PatternsRule(
            primitive="patterns", key=("user",), events=("llm_call",), patterns=tuple(f"kind_{n}" for n in range(5)),
            more_than=1, window_minutes=2,
        ),
    ),
}  # fmt: skip


def attempt_once(at: int, value: int, user: str) -> Seen:
    return (block if value else bypass)(at, f"{user} {at} {value}", user)


@pytest.mark.parametrize("name", SINGLE)
@MORE
@given(data=st.data())
def test_a_single_event_fires_for_the_same_keys_whatever_the_order(name: str, data: st.DataObject) -> None:
    make, rule = SINGLE[name]
    events = data.draw(shuffled(make))
    answers = [one for one in events if one.event.stage is Stage.OUTPUT]
    assert keys_of(rule, answers) == fired(TriggerRule("t", rule), answers)


@pytest.mark.parametrize("name", EACH)
@MORE
@given(data=st.data(), cool_down=st.integers(0, 4))
def test_in_order_each_is_told_when_the_reference_says_so_and_the_first_of_a_cool_down_is_known(
    name: str, data: st.DataObject, cool_down: int
) -> None:
    make, plain = EACH[name]
    rule = plain.model_copy(update={"cool_down_minutes": cool_down})
    moments = data.draw(
        st.lists(st.tuples(st.integers(0, 24), st.integers(0, 4), USERS), min_size=4, max_size=30, unique=True)
    )
    events = [make(20 * at, value, user) for at, value, user in sorted(moments, key=lambda one: one[0])]
    findings = Engine([TriggerRule("t", rule)], most_keys=100).take(events)
    who = (lambda one: one.session_id) if isinstance(rule, FragmentsRule) else (lambda one: one.subject_id)
    given = [(one.app or "", who(one) or "", one.completed_at, one.trigger, one.first) for one in findings]
    assert sorted(given) == told(TriggerRule("t", rule), events)


RULES = [
    TriggerRule("results", distinct(2, 1)),
    TriggerRule("ratio", ratio(2, 1, up_to_ratio="held_back")),
    TriggerRule("more", distinct(4, 3)),
]
MIXED = shuffled(lambda at, value, user: query(at, value, user) if value % 2 else attempt(at, value, user))


@MORE
@given(MIXED, st.lists(st.integers(1, 7), min_size=1, max_size=10), st.integers(1, 4))
def test_how_events_are_cut_into_batches_makes_no_difference(events: list[Seen], sizes: list[int], keys: int) -> None:
    whole = Engine(RULES, most_keys=keys).take(events)
    engine, found, at = Engine(RULES, most_keys=keys), list[Finding](), 0
    while at < len(events):
        size = sizes[at % len(sizes)]
        found += engine.take(events[at : at + size])
        at += size
    assert found == whole


@MORE
@given(MIXED, MIXED, st.data())
def test_a_dump_holds_the_moment_it_began_and_its_future_is_the_same(
    before: list[Seen], after: list[Seen], data: st.DataObject
) -> None:
    engine, twin = Engine(RULES, most_keys=100), Engine(RULES, most_keys=100)
    engine.take(before)
    twin.take(before)
    dump, entries, place = engine.dump(), [], 0
    for entry in dump:  # events flow between its steps
        entries.append(entry)
        count = data.draw(st.integers(0, 5))
        engine.take(after[place : place + count])
        place += count
    loaded = Engine(RULES, most_keys=100)
    loaded.load(entries)
    assert loaded.keys == twin.keys == len({(rule, key) for rule, key, _ in entries})
    assert loaded.take(after) == twin.take(after)
