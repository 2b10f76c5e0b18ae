"""The quick way by which an engine counts, held against `key_of` and `step`, by which another store does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detection.compile import compiled
from bot.detection.engine import Engine
from bot.detection.event import Data, Event, Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, Tool, UserKind, Verdict
from bot.detection.finding import Finding
from bot.detection.keys import known_as_digest
from bot.detection.latest import Latest, size
from bot.detection.rule import DistinctRule, PatternsRule, RatioRule, Rule, TriggerRule
from bot.detection.window import Window

T = 1_790_000_000.0
SHARED: dict[str, Any] = {"key": ("user", "session", "api_key"), "window_minutes": 1, "exempt_users": ("batch",)}
RULES: tuple[Rule, ...] = tuple(
    rule
    for signals in (1, 2)
    for rule in (
        DistinctRule(
            primitive="distinct", events=("data_query", "tool_result"), distinct_by="result_sha256", more_than=1,
            require_signals=signals, **SHARED,
        ),
        DistinctRule(
            primitive="distinct", events=("data_query",), distinct_by="session_id", more_than=1, require_signals=signals,
            **SHARED,
        ),
        RatioRule(
            primitive="ratio", events=("guardrail",), more_than=1, bypass_ratio_more_than=0.3, up_to_ratio="other",
            allowed_categories=("jokes",), require_signals=signals, **SHARED,
        ),
        PatternsRule(
            primitive="patterns", events=("llm_call",), patterns=("encoding", "role_play"), more_than=1,
            require_signals=signals, **SHARED,
        ),
    )
)  # fmt: skip
PROBES = st.sampled_from(["encoding", "role_play", "unheard_of"])
VERDICTS = st.builds(
    Verdict,
    st.sampled_from(["filter", "filter", "Firsthour-gate"]),
    st.sampled_from([Outcome.BLOCK, Outcome.BLOCK, Outcome.FLAG, Outcome.ALLOW]),
    categories=st.sampled_from([(), (), ("jokes",), ("jokes", "hate")]),
)
RESULTS = st.sampled_from(["a" * 64, "b" * 64, "c" * 64, "d" * 64, "z" * 64, "short", None])
MARKS = st.lists(st.builds(Mark, st.just(MarkKind.PROBE), PROBES), max_size=1).map(tuple)


@st.composite
def events(draw: st.DrawFn, kinds: Sequence[Kind]) -> Seen:
    """Mostly what is counted, and mostly of one user: so that there is something to find."""
    event = Event(
        kind=draw(st.sampled_from(kinds)),
        occurred_at=T + draw(st.integers(0, 100)),
        user_id=draw(st.sampled_from(["ann", "ann", "batch", "batch", None])),
        user_kind=draw(st.sampled_from([UserKind.END_USER, UserKind.END_USER, UserKind.API_KEY])),
        session_id=draw(st.sampled_from(["s1", "s1", "s2"])),
        call_id=draw(st.sampled_from([None, "c1", "c2", "c3", "c4", "c5"])),
        delivered=draw(st.sampled_from([True, False, None])),
        refused=draw(st.sampled_from([None, None, True])),
        stage=draw(st.sampled_from([Stage.INPUT, Stage.OUTPUT])),
        verdicts=tuple(draw(st.lists(VERDICTS, max_size=2))),
        data=Data(result_sha256=draw(RESULTS), ok=draw(st.sampled_from([True, True, True, False, None]))),
        tool=Tool("lookup", completed=draw(st.booleans())),
        signals=tuple(draw(st.lists(st.builds(Signal, PROBES), max_size=2))),
    )
    return Seen(event=event, marks=draw(MARKS), arrived=T + draw(st.sampled_from([30, 100])))


def by_steps(rule: Rule, seen: Sequence[Seen]) -> list[Finding]:
    (made,) = compiled([TriggerRule("t", rule)])
    states: dict[str, Any] = {}
    counted = [
        made.step(states.setdefault(key, made.fresh()), one) for one in seen if (key := made.key(one)) is not None
    ]
    return [finding for finding in counted if finding is not None]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.primitive}, {rule.require_signals}")
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_an_engine_finds_what_steps_find_also_while_it_is_dumped(rule: Rule, data: st.DataObject) -> None:
    seen = data.draw(st.lists(events(rule.events), min_size=8, max_size=20))
    one = Engine([TriggerRule("t", rule)], most_keys=1000)
    begun = one.take(seen[:10])
    dump = one.dump()
    entries = [each for each in [next(dump, None)] if each is not None]
    assert begun + one.take(seen[10:]) == by_steps(rule, seen)
    two = Engine([TriggerRule("t", rule)], most_keys=1000)
    two.load([*entries, *dump])
    assert begun + two.take(seen[10:]) == by_steps(rule, seen)


def test_a_state_stays_small_whichever_of_its_values_come_late() -> None:
    rule = compiled([TriggerRule("t", RULES[0].model_copy(update={"window_minutes": 60}))])[0]
    assert isinstance(rule, Window)
    state = Latest()
    for n in range(400):  # every second one late, so that in order there never is a sixteenth
        at = T + n - 30 * (n % 2)
        event = Event(kind=Kind.DATA_QUERY, occurred_at=at, data=Data(result_sha256=f"{n:064x}", ok=True))
        rule.step(state, Seen(event=event))
        assert size(state) <= rule.most * 3 // 2 + 16


def test_a_value_is_known_by_eight_bytes_and_what_is_no_digest_by_all_of_it() -> None:
    assert known_as_digest("AB" * 32) == known_as_digest("ab" * 32) == bytes.fromhex("ab" * 8)
    others = ["x" * 64, "y" + "x" * 63, "ab", "\ud800", "é" * 64]
    assert len({known_as_digest(other) for other in others}) == 5
    assert {len(known_as_digest(other)) for other in others} == {8}
