"""The engine around the primitives: single events, whose state is whose, cool-down, bounds, dumps, growth of rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bot.detection.compiled import MARKS, VERDICTS
from bot.detection.engine import Engine
from bot.detection.event import Event, Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, Tool, UserKind, Verdict
from bot.detection.finding import Finding
from bot.detection.index import Index
from bot.detection.rule import DistinctRule, MatchRule, OwnerMismatchRule, Rule, ScannerRule, TriggerRule
from tests.detection.reference import START, answer, block, prompt, query, seen

KEYS = ("user", "session", "api_key", "ip")


def tool_rule(**given: Any) -> Rule:
    settings = {
        "where": {"completed": True, "side_effect": True, "authorized": False},
        "events": ("tool_call", "tool_result"),
    }
    return MatchRule(primitive="match", **({"key": KEYS} | settings | given))


def judged(**given: Any) -> Rule:
    where = {"stage": "output", "flagged": True, "delivered": True, "score": {"at_least": 0.5, "or_unknown": True}}
    return MatchRule(primitive="match", **({"key": KEYS, "where": where, "events": ("guardrail", "llm_call")} | given))


def secrets(**given: Any) -> Rule:
    settings = {"key": KEYS, "events": ("llm_call",), "secrets": ("canary", "validated_pattern")}
    exclusions = ("in_users_own_input", "documentation_example")
    return ScannerRule(primitive="scanner", **({"exclusions": exclusions} | settings | given))


def owners(**given: Any) -> Rule:
    settings = {"key": KEYS, "events": ("llm_call",), "strong_at_least": 1, "weak_at_least": 2}
    return OwnerMismatchRule(primitive="owner_mismatch", exclusions=("in_users_own_input",), **(settings | given))


def bulk(more_than: int = 1, **given: Any) -> Rule:
    settings = {"key": KEYS, "events": ("data_query",), "distinct_by": "result_sha256", "window_minutes": 60}
    return DistinctRule(primitive="distinct", more_than=more_than, **(settings | given))


def engine(*rules: Rule, most_keys: int = 100) -> Engine:
    return Engine([TriggerRule(f"t{n}" if n else "t", rule) for n, rule in enumerate(rules)], most_keys=most_keys)


def found(rule: Rule, *events: Seen) -> list[Finding]:
    return engine(rule).take(events)


def transfer(
    at: float = 0, call: str = "c1", *, stage: Stage = Stage.TOOL, user: str | None = "alice", **tool: Any
) -> Seen:
    given = {"completed": True, "side_effect": True, "authorized": False, **tool}
    return seen(Kind.TOOL_CALL, at, user, tool=Tool("transfer_funds", call, **given), stage=stage)


TOKEN = Mark(MarkKind.SECRET, "github_token", "validated_pattern", "token", "5678")


# Single events


@pytest.mark.parametrize(
    ("event", "fires"),
    [
        (transfer(), True),
        (transfer(completed=False), False),
        (transfer(side_effect=False), False),
        (transfer(authorized=True), False),
        (transfer(authorized=None), False),
        (seen(Kind.TOOL_CALL, 0), False),
    ],
)
def test_a_tool_that_ran_with_effect_and_without_authority(event: Seen, fires: bool) -> None:
    assert bool(found(tool_rule(), event)) is fires


def flag(score: float | None, outcome: Outcome = Outcome.FLAG, **given: Any) -> Seen:
    verdicts = (Verdict("a", Outcome.ALLOW, score=0.9), Verdict("b", outcome, categories=("violence",), score=score))
    return seen(Kind.GUARDRAIL, 0, **({"stage": Stage.OUTPUT, "delivered": True, "verdicts": verdicts} | given))


@pytest.mark.parametrize(
    ("event", "fires"),
    [
        (flag(0.5), True),
        (flag(0.49), False),
        (flag(None), True),
        (flag(0.9, Outcome.ALLOW), False),  # flagged by one and scored by another is neither
        (flag(0.9, stage=Stage.INPUT), False),
        (flag(0.9, delivered=False), False),
        (flag(0.9, delivered=None), False),
        (flag(0.9, verdicts=()), False),
    ],
)
def test_all_conditions_about_a_verdict_hold_for_the_same_one(event: Seen, fires: bool) -> None:
    assert bool(found(judged(), event)) is fires
    assert not found(judged(allowed_categories=("violence",)), event)


def test_conditions_of_every_form_hold_for_what_they_say_and_null_for_what_nobody_said() -> None:
    event = seen(
        Kind.LLM_CALL, 0, endpoint="/v1/chat", model="m-7", tokens=900, signals=(Signal("refund"),), tool=Tool("search")
    )
    holding: list[dict[str, Any]] = [
        {"endpoint": {"pattern": "^/v1/"}},
        {"model": {"one_of": ["m-6", "m-7"]}},
        {"tokens": {"at_least": 900}},
        {"signal": "refund"},
        {"delivered": None, "outcome": None, "category": None, "ok": None},
        {"tool": "search", "authorized": None},
        {"score": {"at_least": 0.5, "or_unknown": True}},
    ]
    failing: list[dict[str, Any]] = [
        {"endpoint": {"pattern": "^/v2/"}},
        {"model": {"one_of": ["m-6"]}},
        {"tokens": {"at_least": 901}},
        {"signal": "other"},
        {"delivered": False},
        {"score": {"at_least": 0.5}},
        {"tool": None},
    ]
    for where in holding:
        assert found(judged(where=where), event), where
    for where in failing:
        assert not found(judged(where=where), event), where
        assert found(judged(where=where, or_where=(holding[0],)), event), where


@pytest.mark.parametrize(
    ("event", "fires"),
    [
        (answer(0, TOKEN), True),
        (answer(0, TOKEN, delivered=False), False),
        (answer(0, TOKEN, delivered=None), False),
        (answer(0, Mark(MarkKind.CANARY, "c", "credential", "c")), True),
        (answer(0, Mark(MarkKind.CANARY, "c", "", "c")), True),
        (answer(0, Mark(MarkKind.CANARY, "c", "system_prompt", "c")), False),
        (answer(0, Mark(MarkKind.SECRET, "generic", "generic_pattern", "g")), False),
        (answer(0, msgspec.structs.replace(TOKEN, excluded="documentation_example")), False),
        (prompt(0, TOKEN, delivered=True), False),
    ],
)
def test_a_secret_leaks_in_a_delivered_answer_only(event: Seen, fires: bool) -> None:
    assert bool(found(secrets(), event)) is fires


def test_what_the_user_pasted_into_the_session_before_is_no_leak() -> None:
    assert not found(secrets(), prompt(0, TOKEN), answer(1, TOKEN), answer(2, TOKEN))
    assert found(secrets(), prompt(0, TOKEN), answer(1, TOKEN, session_id="another"))
    assert found(secrets(), prompt(0, TOKEN, user="bob"), answer(1, TOKEN))
    assert found(secrets(), prompt(2, TOKEN), answer(1, TOKEN))
    assert found(secrets(exclusions=()), prompt(0, TOKEN), answer(1, TOKEN))


def test_a_weak_secret_needs_another_signal_and_an_unknown_delivery_is_a_list_of_its_own() -> None:
    weak = Mark(MarkKind.SECRET, "generic", "generic_pattern", "g")
    rule = secrets(
        secrets=("generic_pattern",), secrets_if_delivery_unknown=("canary",), second_signal_for=("generic_pattern",)
    )
    assert not found(rule, answer(0, weak))
    assert found(rule, answer(0, weak, signals=(Signal("entropy"),)))
    assert found(rule, answer(0, weak, verdicts=(Verdict("dlp", Outcome.FLAG),)))
    assert not found(rule, answer(0, weak, verdicts=(Verdict("dlp", Outcome.ALLOW),)))
    assert found(rule, answer(0, Mark(MarkKind.CANARY, "c", "", "c"), delivered=None))
    assert not found(rule, answer(0, Mark(MarkKind.CANARY, "c", "", "c"), delivered=False))


def identifier(name: str, owner: str, grade: str = "weak", digest: str = "") -> Mark:
    return Mark(MarkKind.IDENTIFIER, name, grade, digest or f"{owner} {name}", owner=owner)


@pytest.mark.parametrize(
    ("marks", "fires"),
    [
        ([identifier("account", "bob", "strong")], True),
        ([identifier("account", "alice", "strong")], False),
        ([identifier("account", "", "strong")], False),
        ([identifier("name", "bob")], False),
        ([identifier("name", "bob"), identifier("name", "bob")], False),
        ([identifier("name", "bob"), identifier("birth_date", "bob")], True),
        ([identifier("name", "bob"), identifier("birth_date", "carol")], False),
    ],
)
def test_one_strong_or_two_weak_identifiers_of_the_same_other_person(marks: list[Mark], fires: bool) -> None:
    assert bool(found(owners(), answer(0, *marks, requester="alice"))) is fires
    assert not found(owners(), answer(0, *marks, requester="alice", delivered=None))
    assert not found(owners(), answer(0, *marks, requester=""))
    assert not found(owners(), prompt(0, *marks), answer(1, *marks, requester="alice"))


def test_the_same_evidence_counts_once_and_new_evidence_within_the_cool_down_is_more_of_the_first() -> None:
    findings = found(tool_rule(), transfer(0), transfer(1), transfer(2, "c2"), transfer(3, "c2"), transfer(3600, "c3"))
    assert [(one.completed_at - START, one.first) for one in findings] == [(0, True), (2, False), (3600, True)]


def test_a_single_event_fires_however_late_it_comes() -> None:
    one = engine(tool_rule())
    assert [len(one.take([event])) for event in (transfer(1000, "c1"), transfer(0, "c2"))] == [1, 1]
    assert one.late == 1


def test_a_shadow_rule_says_so_and_signals_beside_a_match_are_counted() -> None:
    assert [one.shadow for one in found(tool_rule(shadow=True), transfer())] == [True]
    assert not found(judged(require_signals=2), flag(0.9))
    assert found(judged(require_signals=2), flag(0.9, signals=(Signal("report"),)))


# Whose state


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        ({"user_id": "u", "session_id": "s"}, ("user", "u")),
        ({"user_id": "k", "user_kind": UserKind.API_KEY, "session_id": "s"}, ("session", "s")),
        ({"user_id": "k", "user_kind": UserKind.API_KEY}, ("api_key", "k")),
        ({"user_id": "1.2.3.4", "user_kind": UserKind.IP}, ("ip", "1.2.3.4")),
        ({"user_id": "x", "user_kind": UserKind.UNKNOWN}, ("unknown", "x")),
        ({"user_id": "x", "user_kind": UserKind.UNKNOWN, "session_id": "s"}, ("session", "s")),
        ({}, ("unknown", None)),
    ],
)
def test_the_subject_is_the_first_that_the_event_names_and_is_called_what_it_is(
    event: dict[str, Any], subject: tuple[str, str | None]
) -> None:
    tool = Tool("t", "c", authorized=False, completed=True, side_effect=True)
    (finding,) = found(tool_rule(), Seen(event=Event(kind=Kind.TOOL_CALL, occurred_at=START, tool=tool, **event)))
    assert (finding.subject_kind, finding.subject_id) == subject


def test_a_window_counts_nobody_where_nothing_names_anybody() -> None:
    assert not found(bulk(), *(query(n, n, None) for n in range(9)))


def test_users_that_share_an_id_in_two_applications_are_two() -> None:
    assert not found(bulk(), query(0, 1, app="a"), query(1, 2, app="b"))
    assert found(bulk(), query(0, 1, app="a"), query(1, 2, app="a"))


def test_an_application_may_have_settings_of_its_own_or_be_left_out() -> None:
    rule = bulk(more_than=1, overrides={"b": {"more_than": 2, "shadow": True}})
    two, three = [query(0, 1, app="b"), query(1, 2, app="b")], query(2, 3, app="b")
    assert not found(rule, *two)
    assert [one.shadow for one in found(rule, *two, three)] == [True]
    assert found(rule, *(query(n, n, app="a") for n in range(2)))
    only = bulk(apps=("a",))
    assert not found(only, *two)
    assert not found(only, *(query(n, n) for n in range(2)))
    assert found(only, *(query(n, n, app="a") for n in range(2)))


def test_exempt_users_are_not_read() -> None:
    assert not found(bulk(exempt_users=("alice",)), query(0, 1), query(1, 2))
    assert not found(tool_rule(exempt_users=("alice",)), transfer())


def test_an_event_from_the_future_counts_now_and_makes_nobody_late() -> None:
    future = query(10**9, 1, arrived=START)
    assert [one.completed_at for one in found(bulk(), future, query(1, 2, arrived=START + 1))] == [START + 1]


# Identity


def test_a_finding_has_the_same_id_at_another_replica_and_after_a_restart() -> None:
    events = [query(n, n, event_id=f"e{n}", source="s") for n in range(3)]
    first, again = found(bulk(), *events), found(bulk(), *events)
    assert [one.id for one in first] == [one.id for one in again] == ["a0dcd89525b60e3f231e1f918ce090bb"]
    others = [
        found(bulk(), *(query(n, n, event_id=f"x{n}", source="s") for n in range(3))),
        found(bulk(), *(query(n, n, "bob", event_id=f"e{n}", source="s") for n in range(3))),
        found(bulk(), *(query(n, n, app="a", event_id=f"e{n}", source="s") for n in range(3))),
        engine(judged(), bulk()).take(events),
    ]
    assert len({first[0].id, *(each[0].id for each in others)}) == 5


# Bounds


def test_the_key_that_was_not_used_for_longest_goes_first_and_is_counted() -> None:
    one = engine(bulk(), most_keys=3)
    one.take([query(n, 1, user) for n, user in enumerate(("a", "b", "c", "a", "d"))])
    assert (one.keys, one.evictions) == (3, 1)
    assert [f.subject_id for f in one.take([query(9, 2, user) for user in ("a", "d", "c", "b")])] == ["a", "d", "c"]


def test_a_flood_of_users_on_one_rule_does_not_empty_another() -> None:
    one = engine(bulk(), tool_rule(), most_keys=50)
    one.take([transfer(n, f"c{n}", user=f"user {n}") for n in range(10)])
    one.take([query(n, 1, f"flood {n}") for n in range(1000)])
    assert (one.keys, one.evictions) == (50, 960)
    assert one.take([transfer(n, f"c{n}", user=f"user {n}") for n in range(10)]) == []


def test_what_can_no_longer_matter_is_forgotten_without_being_counted_as_evicted() -> None:
    one = engine(bulk(cool_down_minutes=0))
    one.take([query(n, 1, f"user {n}", arrived=START + n) for n in range(50)])
    one.take([query(9000 + n, 1, f"other {n}", arrived=START + 9000 + n) for n in range(40)])
    assert (one.keys, one.evictions) == (40, 0)


def test_of_one_user_with_a_million_results_little_is_kept() -> None:
    one = engine(bulk(more_than=100))
    one.take([query(n / 10, n) for n in range(5000)])
    ((_, _, packed),) = one.dump()
    assert len(packed) < 303 * 20 + 500


# Dumps


def filled() -> Engine:
    one = engine(bulk(2), secrets(), most_keys=1000)
    one.take([query(n, n, f"user {n % 7}") for n in range(14)])
    one.take([prompt(20, TOKEN)])
    return one


AFTER: Sequence[Seen] = [*(query(30 + n, 100 + n, f"user {n % 7}") for n in range(14)), answer(60, TOKEN), block(61, 1)]


def test_a_dump_loaded_elsewhere_has_the_same_future() -> None:
    one, two = filled(), engine(bulk(2), secrets(), most_keys=1000)
    two.load(one.dump())
    assert two.keys == one.keys == 8
    assert two.take(AFTER) == one.take(AFTER) != []


def test_a_dump_is_of_the_moment_it_began_whatever_is_taken_meanwhile() -> None:
    one, twin, two = filled(), filled(), engine(bulk(2), secrets(), most_keys=1000)
    dump = one.dump()
    entries = [next(dump)]
    one.take(AFTER)
    two.load([*entries, *dump])
    assert two.take(AFTER) == twin.take(AFTER)


def test_a_key_that_is_evicted_during_a_dump_is_part_of_it() -> None:
    one = engine(bulk(), most_keys=3)
    one.take([query(0, 1, user) for user in ("a", "b", "c")])
    dump = one.dump()
    entries = [next(dump)]
    one.take([query(1, 1, user) for user in ("d", "e", "f")])
    assert sorted(key[-1] for _, key, _ in [*entries, *dump]) == ["a", "b", "c"]


def test_a_dump_that_was_left_early_costs_nothing_and_one_that_is_overtaken_says_so() -> None:
    one = filled()
    next(one.dump())
    dump = one.dump()
    next(dump)
    assert len(list(one.dump())) == 8
    with pytest.raises(RuntimeError, match="Another dump"):
        next(dump)


def test_states_of_rules_that_are_gone_are_left_out_and_garbage_is_refused() -> None:
    one = engine(secrets())
    one.load([("gone", "key", b"whatever")])
    assert one.keys == 0
    with pytest.raises(msgspec.DecodeError):
        one.load([("t", "key", b"\xc1garbage")])


# Many rules


def asked(one: Engine, event: Seen) -> list[str]:
    """The rules that an event is put to."""
    facets = (VERDICTS if event.event.verdicts else 0) | (MARKS if event.marks else 0)
    named = Index(one.rules, lambda rule: rule.id).of(event)
    row = one._index.named.get(event.event.app, one._index.others)[event.event.kind][facets]
    assert len(row) == len(named)
    return list(named)


def test_rules_that_are_not_about_an_event_are_not_asked() -> None:
    one = engine(*(bulk(apps=(f"app {n}",)) for n in range(200)))
    assert asked(one, query(0, 1, app="app 7")) == ["t7"]
    assert asked(one, query(0, 1, app="another")) == []
    assert [f.trigger for f in one.take([query(n, n, app="app 7") for n in range(2)])] == ["t7"]
    assert one.findings == {"t7": 1}


def test_an_event_without_verdicts_or_marks_is_put_to_no_rule_about_them() -> None:
    one = engine(judged(), secrets(), owners())
    assert asked(one, answer(0)) == []
    assert asked(one, answer(0, TOKEN)) == ["t1", "t2"]
