"""An application that changes is told of; one user, one night or a filter of our own changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from bot.detection.compile import compiled
from bot.detection.drift import Drift, slot
from bot.detection.engine import Engine
from bot.detection.event import Event, Kind, Outcome, Seen, Verdict
from bot.detection.finding import Finding
from bot.detection.measures import BUCKET, CELLS, MEASURES
from bot.detection.rule import DriftRule, TriggerRule

MONDAY = 1_772_409_600.0
"""2026-03-02, 00:00 UTC."""
CALLS, USERS = 250, 100
LEARNED = 3 * 144 + 6
"""Ten-minute values until something is told of: three days, and an hour."""
RULE = DriftRule(primitive="drift", events=(Kind.LLM_CALL, Kind.GUARDRAIL))


def seen(at: float, user: str | None = "alice", **more: object) -> Seen:
    event = Event(kind=Kind.LLM_CALL, occurred_at=at, app="chat", user_id=user, **more)  # type: ignore[arg-type]
    return Seen(event=event, arrived=at)


def traffic(
    buckets: Iterable[int], *, refused: float = 0.05, tokens: float = 400.0, users: int = USERS, calls: int = CALLS
) -> Iterator[Seen]:
    """Calls of many users, some of whom ask far more than others."""
    for bucket in buckets:
        noise = random.Random(bucket)
        for call in range(calls):
            at = MONDAY + bucket * BUCKET + call * BUCKET / calls
            user = f"user-{int(noise.random() ** 2 * users)}"
            used = int(noise.lognormvariate(0, 1) * tokens)
            yield seen(at, user, refused=noise.random() < refused, tokens=used)


def found(drift: Drift, state: object, some: Iterable[Seen]) -> list[Finding]:
    return [finding for one in some if (finding := drift.step(state, one)) is not None]  # type: ignore[arg-type]


@cache
def learned() -> bytes:
    """The state of an application after three usual days, in which nothing was told."""
    drift = Drift("behaviour_drift", "behaviour_drift", RULE)
    state = drift.fresh()
    assert found(drift, state, traffic(range(LEARNED))) == []
    return drift.pack(state)


def later(hours: float) -> range:
    return range(LEARNED, LEARNED + int(hours * 6) + 1)


@pytest.fixture
def drift() -> Drift:
    return Drift("behaviour_drift", "behaviour_drift", RULE)


def test_refusals_that_double_are_told_once_within_three_hours_with_their_direction_and_size(drift: Drift) -> None:
    (finding,) = found(drift, drift.unpack(learned()), traffic(later(6), refused=0.10))
    began = MONDAY + LEARNED * BUCKET
    assert began < finding.completed_at <= began + 3 * 3600
    assert began - 3600 <= finding.started_at < finding.completed_at
    assert (finding.subject_kind, finding.subject_id, finding.app, finding.first) == (
        "application",
        "chat",
        "chat",
        True,
    )
    assert finding.counts["refusal rate, % rose from"] == pytest.approx(5, abs=1.5)
    assert finding.counts["refusal rate, % rose to"] == pytest.approx(10, abs=2)


def test_tokens_that_fall_by_half_are_told_as_a_fall_in_tokens(drift: Drift) -> None:
    (finding,) = found(drift, drift.unpack(learned()), traffic(later(3), tokens=200.0))
    assert list(finding.counts) == ["tokens a call fell from", "tokens a call fell to"]
    assert finding.counts["tokens a call fell to"] == pytest.approx(
        finding.counts["tokens a call fell from"] / 2, rel=0.2
    )


@pytest.mark.parametrize(("calls", "way", "hours"), [(10 * CALLS, "rose", 1.5), (CALLS // 10, "fell", 2)])
def test_calls_that_become_ten_times_as_many_or_as_few_are_told_within_two_hours(
    drift: Drift, calls: int, way: str, hours: float
) -> None:
    (finding,) = found(drift, drift.unpack(learned()), traffic(later(hours), calls=calls))
    assert list(finding.counts) == [f"calls in ten minutes, of busy users a part, {way} {to}" for to in ("from", "to")]
    before, now = finding.counts.values()
    assert 4 < max(before, now) / min(before, now) < 16


@pytest.mark.parametrize("calls", [CALLS // 2, CALLS * 3 // 2])
def test_a_day_that_is_half_as_busy_or_half_as_busy_again_is_a_day_like_others(drift: Drift, calls: int) -> None:
    assert found(drift, drift.unpack(learned()), traffic(later(6), calls=calls)) == []


def test_a_state_of_before_a_measure_was_added_begins_anew(drift: Drift) -> None:
    state = drift.unpack(learned())
    state.baselines.pop()
    assert drift.unpack(drift.pack(state)) == drift.fresh()


def test_an_application_may_have_a_threshold_of_its_own_and_exempt_users_are_not_read() -> None:
    given = RULE.model_validate(
        {**RULE.model_dump(), "overrides": {"chat": {"more_than": 900, "exempt_users": ["load-test"]}}}
    )
    others, chat = compiled([TriggerRule("behaviour_drift", given)])
    doubled = list(traffic(later(4), refused=0.2))
    assert isinstance(chat, Drift) and isinstance(others, Drift) and not others.for_app("chat")
    assert found(others, others.unpack(learned()), doubled) and not found(chat, chat.unpack(learned()), doubled)
    assert chat.key(seen(MONDAY, "load-test")) is None and chat.key(seen(MONDAY)) == "chat"


def test_as_it_was_before_nothing_is_told(drift: Drift) -> None:
    assert found(drift, drift.unpack(learned()), traffic(later(6))) == []


def test_one_user_cannot_make_an_application_drift(drift: Drift) -> None:
    def with_burst() -> Iterator[Seen]:
        for one in traffic(later(4)):
            yield one
            yield seen(one.event.at, "mallory", refused=True, tokens=100_000)

    assert found(drift, drift.unpack(learned()), with_burst()) == []


def test_too_few_users_are_not_judged_however_much_they_say(drift: Drift) -> None:
    assert found(drift, drift.unpack(learned()), traffic(later(4), refused=1.0, users=4)) == []


def test_more_of_it_within_the_cool_down_is_more_evidence_and_later_is_a_new_one() -> None:
    drift = Drift("behaviour_drift", "behaviour_drift", RULE.model_copy(update={"cool_down_minutes": 5 * 60}))
    state = drift.unpack(learned())
    worse = found(drift, state, traffic(range(LEARNED, LEARNED + 12), refused=0.3))
    worse += found(drift, state, traffic(range(LEARNED + 12, LEARNED + 24), refused=0.6))
    worse += found(drift, state, traffic(range(LEARNED + 36, LEARNED + 48), refused=0.95))
    firsts = [finding.completed_at for finding in worse if finding.first]
    assert len(worse) > len(firsts) == 2 and firsts[1] - firsts[0] >= 5 * 3600
    assert len({finding.id for finding in worse}) == len(worse)


def test_the_order_within_a_minute_changes_nothing(drift: Drift) -> None:
    some = list(traffic(later(3), refused=0.15))
    mixed = [
        some[at]
        for start in range(0, len(some), 20)
        for at in sorted(range(start, min(start + 20, len(some))), key=hash_of)
    ]
    assert mixed != some
    assert found(drift, drift.unpack(learned()), mixed) == found(drift, drift.unpack(learned()), some) != []


def hash_of(number: int) -> int:
    return number * 2_654_435_761 % 2**32


def test_what_is_late_is_not_counted_and_what_claims_the_future_is_of_now(drift: Drift) -> None:
    state = drift.fresh()
    drift.step(state, seen(MONDAY + 1000))
    before = drift.pack(state)
    drift.step(state, seen(MONDAY + 939))
    assert drift.pack(state) == before and drift.late.count == 1
    drift.step(state, Seen(event=seen(MONDAY + 9e6).event, arrived=MONDAY + 1000))
    assert state.newest == MONDAY + 1000
    drift.step(state, seen(MONDAY + 940, tokens=3))
    assert drift.pack(state) != before


def verdict(outcome: Outcome, guardrail: str = "filter") -> Seen:
    return seen(MONDAY, verdicts=(Verdict(guardrail=guardrail, outcome=outcome),))


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(seen(MONDAY, refused=None), id="nobody said whether it was refused"),
        pytest.param(verdict(Outcome.ERROR), id="the guardrail did not answer"),
        pytest.param(verdict(Outcome.BLOCK, "firsthour-gate"), id="our own gate blocked it"),
        pytest.param(verdict(Outcome.BLOCK, "Firsthour-PDP"), id="our own gate, written otherwise"),
        pytest.param(seen(MONDAY, tokens=-1, latency_ms=float("nan")), id="no number"),
    ],
)
def test_what_is_not_known_is_counted_nowhere(drift: Drift, one: Seen) -> None:
    state = drift.fresh()
    drift.step(state, one)
    assert (sum(state.open[0].said[:-CELLS]), sum(state.open[0].said)) == (0, 1), "but for the call itself"


def test_a_block_and_a_pass_are_both_counted(drift: Drift) -> None:
    state = drift.fresh()
    for one in (verdict(Outcome.BLOCK), verdict(Outcome.ALLOW)):
        drift.step(state, one)
    at = slice(list(MEASURES).index("blocks") * CELLS, (list(MEASURES).index("blocks") + 1) * CELLS)
    assert (sum(state.open[0].said[at]), sum(state.open[0].sums[at])) == (2, 1.0)


def test_only_events_of_a_named_application_are_read() -> None:
    drift = Drift("behaviour_drift", "behaviour_drift", RULE.model_copy(update={"apps": ("chat",)}))
    assert drift.key(seen(MONDAY)) == "chat"
    for event in (
        Event(kind=Kind.LLM_CALL, occurred_at=MONDAY),
        Event(kind=Kind.LLM_CALL, occurred_at=MONDAY, app="other"),
    ):
        assert drift.key(Seen(event=event)) is None
    assert drift.key(Seen(event=Event(kind=Kind.TOOL_CALL, occurred_at=MONDAY, app="chat"))) is None


def test_the_state_stays_small_whatever_comes(drift: Drift) -> None:
    state = drift.unpack(learned())
    found(drift, state, (seen(MONDAY + 9e5 + at, f"user-{at}", tokens=at, latency_ms=at + 0.5) for at in range(5000)))
    assert len(drift.pack(state)) < 9000


@pytest.mark.parametrize(
    ("day", "hour", "expected"), [(0, 0, 0), (4, 23.99, 23), (5, 0, 24), (6, 23.5, 47), (7, 13, 13)]
)
def test_working_days_and_weekends_have_hours_of_their_own(day: int, hour: float, expected: int) -> None:
    assert slot(MONDAY + day * 86_400 + hour * 3600) == expected


def test_an_engine_that_was_stopped_and_loaded_again_tells_the_same() -> None:
    rules = [TriggerRule("behaviour_drift", RULE)]
    history = [("behaviour_drift", "chat", learned())]
    some = list(traffic(later(4), refused=0.15))
    through, before, after = (Engine(rules, most_keys=100) for _ in range(3))
    through.load(history)
    before.load(history)
    told = before.take(some[:777])
    after.load(before.dump())
    assert [*told, *after.take(some[777:])] == through.take(some) != []
