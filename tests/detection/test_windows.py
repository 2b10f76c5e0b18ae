"""The primitives with a window or a session, at their edges: to the second, to the one, to the per cent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bot.detection.engine import Engine
from bot.detection.event import Data, Kind, Mark, MarkKind, Outcome, Seen, Tool, Verdict
from bot.detection.finding import Finding
from bot.detection.rule import DistinctRule, FragmentsRule, PatternsRule, RatioRule, Rule, TriggerRule
from tests.detection.reference import START, answer, block, bypass, fragment, probe, prompt, query, seen

HOUR, DAY = 3600, 86_400


def bulk(**given: Any) -> Rule:
    settings = {"key": ("user",), "events": ("data_query", "tool_result"), "more_than": 100, "window_minutes": 60}
    return DistinctRule(primitive="distinct", distinct_by="result_sha256", **(settings | given))


def campaign(**given: Any) -> Rule:
    settings = {"key": ("user",), "events": ("guardrail", "llm_call"), "more_than": 50, "window_minutes": 30}
    return RatioRule(primitive="ratio", bypass_ratio_more_than=0.1, **(settings | given))


def exposure(**given: Any) -> Rule:
    settings = {"key": ("session", "user"), "events": ("llm_call",), "at_least": 4, "canary": True}
    return FragmentsRule(primitive="fragments", exclusions=("in_users_own_input",), **(settings | given))


def probing(**given: Any) -> Rule:
    kinds = ("role_play", "encoding", "tool_enumeration", "error_probing", "id_enumeration")
    settings = {"key": ("user",), "events": ("llm_call",), "more_than": 3, "window_minutes": 1440}
    return PatternsRule(primitive="patterns", patterns=kinds, **(settings | given))


def found(rule: Rule, *events: Seen) -> list[Finding]:
    return Engine([TriggerRule("t", rule)], most_keys=1000).take(events)


def queries(count: int, seconds: float, **given: Any) -> list[Seen]:
    """So many different results, the last one `seconds` after the first."""
    return [query(seconds * n / (count - 1), n, **given) for n in range(count)]


@pytest.mark.parametrize(
    ("events", "fires"),
    [
        (queries(101, HOUR), True),
        (queries(101, HOUR + 1), False),
        (queries(100, 60), False),
        ([query(n, n % 100) for n in range(150)], False),
        (queries(101, 60, data=Data(result_sha256="x", ok=True)), False),
        (queries(101, 60, data=Data(ok=True)), False),
        ([query(n, n, data=Data(result_sha256=f"{n}", ok=False)) for n in range(500)], False),
        ([query(n, n, data=Data(result_sha256=f"{n}")) for n in range(500)], False),
        ([query(n, n, user=f"user {n}") for n in range(500)], False),
        ([query(n, n, app=f"app {n % 2}") for n in range(200)], False),
    ],
)
def test_more_than_a_hundred_distinct_results_within_an_hour(events: list[Seen], fires: bool) -> None:
    assert bool(found(bulk(), *events)) is fires


def test_the_finding_says_what_was_counted_and_since_when() -> None:
    events = [query(n, n, event_id=f"e{n}") for n in range(101)]
    (finding,) = found(bulk(), *events)
    assert finding.counts == {"distinct results": 101}
    assert (finding.started_at, finding.completed_at) == (START, START + 100)
    assert finding.event_ids == tuple(f"e{n}" for n in range(81, 101))
    assert (finding.subject_kind, finding.subject_id, finding.window_seconds) == ("user", "alice", 3600)


def test_a_tool_that_completed_has_succeeded_unless_its_result_says_otherwise() -> None:
    def result(n: int, ok: bool | None, completed: bool | None) -> Seen:
        data, tool = Data(result_sha256=str(n), ok=ok), Tool("search", completed=completed)
        return seen(Kind.TOOL_RESULT, n, data=data, tool=tool)

    assert found(bulk(), *(result(n, None, True) for n in range(101)))
    assert not found(bulk(), *(result(n, False, True) for n in range(101)))
    assert not found(bulk(), *(result(n, None, None) for n in range(101)))


def test_a_window_that_goes_on_holding_is_told_once_a_minute_and_opens_again_after_the_cool_down() -> None:
    findings = found(bulk(more_than=2, cool_down_minutes=10), *(query(n, n) for n in range(602 + 10)))
    assert [(one.completed_at - START, one.first) for one in findings] == [
        (2, True), *((2 + 60 * n, False) for n in range(1, 10)), (602, True),
    ]  # fmt: skip


def test_what_is_seen_again_is_no_new_evidence() -> None:
    assert len(found(bulk(more_than=2), *(query(n, n % 3) for n in range(1000)))) == 1


def attempts(blocks: int, bypasses: int) -> list[Seen]:
    """Blocks first, then bypasses, one a second."""
    blocked = [block(n, f"blocked {n}") for n in range(blocks)]
    return [*blocked, *(bypass(blocks + n, f"passed {n}") for n in range(bypasses))]


@pytest.mark.parametrize(
    ("events", "fires"),
    [
        (attempts(51, 6), True),
        (attempts(51, 5), False),
        (attempts(54, 6), False),
        (attempts(53, 6), True),
        (attempts(50, 20), False),
        (attempts(51, 0), False),
        ([*attempts(50, 6), block(1800, "last")], True),
        ([*attempts(50, 6), block(1801, "last")], False),
        ([*attempts(51, 5), bypass(60, "no", delivered=None)], False),
        ([*attempts(51, 5), bypass(60, "no", delivered=True, refused=True)], False),
        ([*attempts(50, 6), block(60, "blocked 3"), block(61, "blocked 3")], False),
        ([*attempts(51, 5), bypass(60, "blocked 3")], False),
    ],
)
def test_more_than_fifty_blocks_and_more_than_a_tenth_bypassed_within_half_an_hour(
    events: list[Seen], fires: bool
) -> None:
    assert bool(found(campaign(), *events)) is fires


def test_our_own_gate_masks_errors_and_allowed_categories_are_no_blocks() -> None:
    six = attempts(0, 6)
    for verdict in (
        Verdict("firsthour", Outcome.BLOCK),
        Verdict("firsthour-gate", Outcome.BLOCK),
        Verdict("filter", Outcome.ERROR),
        Verdict("filter", Outcome.MASK),
        Verdict("filter", Outcome.BLOCK, categories=("profanity",)),
    ):
        events = [block(n, n, verdicts=(verdict,)) for n in range(6, 80)]
        assert not found(campaign(allowed_categories=("profanity",)), *six, *events)


def test_the_same_text_is_counted_once_a_minute() -> None:
    def same(count: int) -> list[Seen]:
        return [block(60 + 10 * n, n, text_id="the same") for n in range(count)]

    six = attempts(0, 6)
    finding, *_ = found(campaign(more_than=20), *six, *same(130))
    assert (finding.counts["blocks"], finding.completed_at) == (21, START + 60 + 10 * 120)


def test_a_rate_that_is_not_known_fires_only_where_it_is_asked_for() -> None:
    blind = attempts(51, 0)
    assert not found(campaign(), *blind)
    (finding,) = found(campaign(fires_on_unknown_bypass=True), *blind)
    assert finding.counts == {"blocks": 51}
    flagged = bypass(51, "flagged", delivered=False)
    assert not found(campaign(fires_on_unknown_bypass=True, more_than=51), *blind, flagged, block(52, "last"))


def test_a_block_that_comes_late_completes_a_window_but_takes_nothing_back() -> None:
    events = attempts(50, 6)
    late = block(30, "late")
    assert found(campaign(), *events, late)
    assert len(found(campaign(), *attempts(51, 6), *(block(40, f"late {n}") for n in range(50)))) == 1


def test_a_fleet_is_three_users_of_one_fingerprint_whose_attempts_are_summed() -> None:
    def fleet(users: int) -> list[Seen]:
        """One attempt of each a minute, every tenth of them passed."""
        made = [(minute, user) for minute in range(30) for user in range(users)]
        return [
            (bypass if n % 7 == 0 else block)(60 * minute + user, n, f"user {user}", fingerprint="abc")
            for n, (minute, user) in enumerate(made)
        ]

    rule = campaign(key=("fleet",), subjects_at_least=3)
    assert not found(rule, *fleet(2))
    (finding, *_) = found(rule, *fleet(3))
    assert (finding.subject_kind, finding.subject_id) == ("unknown", None)
    assert set(finding.subjects) == {("user", f"user {n}") for n in range(3)}
    assert finding.counts["users"] == 3
    assert not found(rule, *(block(n, n, f"user {n}") for n in range(500)))


def test_of_very_many_attempts_the_latest_are_weighed_and_little_is_kept() -> None:
    engine = Engine([TriggerRule("t", campaign())], most_keys=10)
    engine.take([block(n / 100, n) for n in range(20_000)])
    assert not engine.findings
    assert sum(len(packed) for _, _, packed in engine.dump()) < 50_000
    assert found(campaign(more_than=3000, fires_on_unknown_bypass=True), *(block(n / 100, n) for n in range(3001)))


def test_the_fourth_fragment_of_a_session_is_exposure_and_one_to_three_are_partial() -> None:
    rules = [
        TriggerRule("exposure", exposure()),
        TriggerRule("partial", exposure(at_least=1, at_most=3, canary=False)),
    ]
    engine = Engine(rules, most_keys=100)
    told = [engine.take([answer(120 * n, fragment(n))]) for n in (1, 1, 2, 3, 4, 5)]
    assert [[one.trigger for one in each] for each in told] == [
        ["partial"], [], ["partial"], ["partial"], ["exposure"], ["exposure"],
    ]  # fmt: skip
    assert [one.first for each in told for one in each] == [True, False, False, True, False]


def test_fragments_of_several_sessions_and_of_what_was_not_delivered_do_not_add_up() -> None:
    assert not found(exposure(), *(answer(n, fragment(n), session_id=f"s{n}") for n in range(9)))
    for delivered in (False, None):
        assert not found(exposure(), *(answer(n, fragment(n), delivered=delivered) for n in range(9)))


def test_a_fragment_that_the_user_said_first_is_not_counted_and_one_said_later_is() -> None:
    three = [answer(n, fragment(n)) for n in range(3)]
    assert not found(exposure(), prompt(4, fragment(4)), *three, answer(5, fragment(4)))
    assert found(exposure(), answer(4, fragment(4)), prompt(5, fragment(4)), *three)
    came_late = [answer(5, fragment(4)), prompt(4, fragment(4)), *three]
    assert not found(exposure(), *came_late)


CANARY = Mark(MarkKind.CANARY, "prompt canary", "system_prompt", "c")


def test_the_canary_of_the_prompt_is_exposure_at_once_also_late_and_never_partial() -> None:
    late = [answer(500, fragment(1)), answer(10, CANARY)]
    assert [one.counts for one in found(exposure(), *late)] == [{"distinct fragments": 1, "canaries": 1}]
    assert not found(exposure(at_least=1, at_most=3, canary=False), answer(0, CANARY, fragment(1)))
    assert not found(exposure(), answer(0, Mark(MarkKind.CANARY, "k", "credential", "c")))
    assert len(found(exposure(), answer(0, CANARY), answer(100, CANARY))) == 1


def test_much_of_the_prompt_in_one_answer_is_exposure() -> None:
    half = Mark(MarkKind.FRAGMENT, "all", digest="a", coverage=0.5)
    assert found(exposure(coverage_at_least=0.5), answer(0, half))
    assert not found(exposure(coverage_at_least=0.51), answer(0, half))
    assert not found(exposure(), answer(0, half))


def test_a_day_of_silence_ends_a_session() -> None:
    three = [answer(n, fragment(n)) for n in range(3)]
    assert found(exposure(), *three, answer(DAY + 2, fragment(4)))
    assert not found(exposure(), *three, answer(DAY + 3, fragment(4)))


@pytest.mark.parametrize(
    ("events", "fires"),
    [
        ([probe(n, kind) for n, kind in enumerate(("role_play", "encoding", "tool_enumeration"))], False),
        ([probe(n, "role_play") for n in range(40)], False),
        ([probe(DAY / 3 * n, k) for n, k in enumerate(("role_play", "encoding", "tool_enumeration", "id_enumeration"))], True),
        ([probe(DAY / 3 * n + n, k) for n, k in enumerate(("role_play", "encoding", "error_probing", "id_enumeration"))], False),
        ([probe(n, f"not of the rule {n}") for n in range(9)], False),
    ],
)  # fmt: skip
def test_more_than_three_kinds_of_probing_within_a_day(events: list[Seen], fires: bool) -> None:
    assert bool(found(probing(), *events)) is fires


def test_a_scans_marks_and_a_sources_signals_are_kinds_alike_but_not_what_an_answer_says() -> None:
    kinds = ("role_play", "encoding", "tool_enumeration")
    marks = tuple(Mark(MarkKind.PROBE, kind) for kind in kinds)
    (finding,) = found(probing(), prompt(0, *marks, event_id="a"), probe(1, "error_probing", event_id="b"))
    assert (finding.marks, finding.event_ids) == (marks, ("a", "b"))
    assert not found(probing(), answer(0, *marks), probe(1, "error_probing"))


@pytest.mark.parametrize("make", [bulk, probing])
def test_a_second_signal_may_come_before_or_after_what_the_rule_counts(make: Any) -> None:
    rule = make(more_than=1, window_minutes=1, require_signals=2, events=("data_query", "llm_call"))
    counted = {
        bulk: (query(0, 1), query(1, 2)),
        probing: (probe(0, "role_play"), probe(1, "encoding")),
    }[make]
    assert not found(rule, *counted)
    assert found(rule, *counted, probe(2, "ids in sequence"))
    assert found(rule, probe(0, "ids in sequence"), *counted)
    assert not found(rule, *counted, probe(65, "ids in sequence"))


def test_what_comes_more_than_a_minute_behind_its_key_is_counted_as_late_and_in_no_window() -> None:
    rules: Sequence[TriggerRule] = [
        TriggerRule("bulk", bulk(more_than=1)),
        TriggerRule("campaign", campaign(more_than=1)),
    ]
    engine = Engine(rules, most_keys=100)
    assert engine.take([query(61, 1), query(1, 2), query(61, 1), query(0, 3, "bob")]) != []
    assert engine.late == 0
    engine = Engine(rules, most_keys=100)
    assert engine.take([query(61, 1), query(0.9, 2), block(100, 1), block(39, 2), bypass(39, 3)]) == []
    assert engine.late == 3


def test_an_event_that_is_late_for_two_rules_is_counted_as_late_once() -> None:
    rules = [TriggerRule("campaign", campaign(more_than=1)), TriggerRule("other", campaign(more_than=2))]
    engine = Engine(rules, most_keys=100)
    engine.take([block(100, 1), block(39, 2), bypass(39, 3)])
    assert engine.late == 2
    engine.take([block(38, 4)])
    assert engine.late == 3


def arrived(*told: tuple[float, str]) -> list[Seen]:
    return [query(at, result) for at, result in told]


@pytest.mark.parametrize(
    ("events", "fires"),
    [
        # b comes late; a was seen again since, and the window that ended with b held a, b and c.
        (arrived((0, "c"), (59, "a"), (61, "a"), (60, "b")), True),
        # The same where a was away for longer than the window in between.
        (arrived((0, "c"), (0, "a"), (61, "a"), (30, "b")), True),
        # a came only after the window that held b and c.
        (arrived((0, "c"), (100, "a"), (45, "b")), False),
        # b came late, and is the oldest although it was told last.
        (arrived((100, "a"), (50, "b"), (111, "c")), False),
    ],
)
def test_a_result_that_comes_late_counts_in_the_windows_of_its_own_time(events: list[Seen], fires: bool) -> None:
    assert bool(found(bulk(more_than=2, window_minutes=1), *events)) is fires


@pytest.mark.parametrize(
    "events",
    [
        [block(0, 1), block(61, 2), bypass(61, 3), block(30, 4)],
        [block(100, 1), block(50, 2), bypass(110, 3), block(111, 4)],
    ],
)
def test_an_attempt_that_comes_late_counts_in_the_windows_of_its_own_time(events: list[Seen]) -> None:
    assert not found(campaign(more_than=2, window_minutes=1), *events)
    assert found(campaign(more_than=2, window_minutes=2), *events)
