"""How rules combine: the strictest wins, whatever the order in which they were put and the scope on which they stand."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gate.book import Book, Held
from bot.gate.caller import EVERYONE, Caller, Stage
from bot.gate.judge import STRICTEST_FIRST, judge
from bot.gate.verdict import Outcome
from bot.incident.policy import MEASURES, Rule
from bot.incident.words import ActionKind, ScopeKind
from tests.gate.asking import MALLORY, Asking, everyone, rule

K = ActionKind
SHOP, KEY = (ScopeKind.APPLICATION, "shop"), (ScopeKind.API_KEY, "k")
CALLER = Caller((MALLORY, KEY, SHOP), tools=True, documents=("a",))


def book_of(*rules: Held) -> Book:
    book = Book()
    book.replace(rules, 1)
    return book


def test_every_measure_that_may_be_stored_has_its_place_among_the_others() -> None:
    assert set(STRICTEST_FIRST) == MEASURES


@pytest.mark.parametrize(("stricter", "milder"), list(itertools.combinations(STRICTEST_FIRST, 2)))
def test_of_two_measures_on_different_scopes_the_stricter_one_decides(stricter: ActionKind, milder: ActionKind) -> None:
    for one, other in ((MALLORY, EVERYONE), (EVERYONE, MALLORY), (SHOP, KEY)):
        judgement = judge(book_of(rule(milder, one, incident=1), rule(stricter, other, incident=2)), CALLER)
        alone = judge(book_of(rule(stricter, other, incident=2)), CALLER)
        assert judgement.verdict.outcome is alone.verdict.outcome
        assert judgement.verdict.incident == 2


def test_conditions_of_several_measures_hold_together() -> None:
    rules = (
        rule(K.ENABLE_SAFE_MODE, SHOP, text="Call us."), everyone(K.DISABLE_TOOLS), rule(K.RESTRICT_RAG, KEY),
        rule(K.RESTRICT_RAG, (ScopeKind.DOCUMENT, "a")),
    )  # fmt: skip
    verdict = judge(book_of(*rules), Caller((MALLORY, KEY, SHOP), documents=("a", "b"))).verdict
    assert verdict.allowed
    assert (verdict.answer, verdict.tools, verdict.retrieval, verdict.withheld) == ("Call us.", False, False, ("a",))


async def test_a_rule_on_the_sha256_of_a_key_holds_for_whoever_brings_the_key_itself() -> None:
    """Detection names an API key so, and so does LiteLLM: the key is kept nowhere."""
    key = "sk-h3Jc0pQw8ZtXv5LrN2mKbA"
    hashed = hashlib.sha256(key.encode()).hexdigest()
    async with Asking(rule(K.BLOCK_USER, (ScopeKind.API_KEY, hashed))) as gate:
        assert not (await gate.decide(api_key=key))["allow"]
        assert not (await gate.decide(api_key=hashed))["allow"]
        assert (await gate.decide(api_key=key + "x"))["allow"]
        assert (await gate.decide(user=key))["allow"], "an id is compared under its own kind only"


async def test_each_of_several_limits_must_be_kept() -> None:
    """The person is held to three calls, the application to two for each person."""
    rules = rule(K.RATE_LIMIT, per_minute=3), rule(K.RATE_LIMIT, SHOP, per_minute=2, incident=13)
    async with Asking(*rules) as gate:
        in_shop = [await gate.decide(application="shop") for _ in range(3)]
        elsewhere = [(await gate.decide())["allow"] for _ in range(2)]
    assert [each["allow"] for each in in_shop] == [True, True, False]
    assert in_shop[2]["incident"] == "INC-13"
    assert elsewhere == [True, False]


async def test_a_limit_on_all_callers_holds_each_to_it_so_that_one_cannot_use_it_up_for_the_others() -> None:
    async with Asking(everyone(K.RATE_LIMIT)) as gate:
        assert [(await gate.decide(user=name))["allow"] for name in ("mallory", "mallory", "alice")] == [
            True,
            False,
            True,
        ]


async def test_of_two_limits_on_one_target_the_stricter_one_is_counted() -> None:
    async with Asking(rule(K.RATE_LIMIT, per_minute=5), rule(K.RATE_LIMIT, per_minute=1, incident=13)) as gate:
        assert (await gate.decide())["allow"]
        assert (await gate.decide())["incident"] == "INC-13"


def test_an_id_is_compared_under_its_own_kind_only() -> None:
    book = book_of(rule(K.BLOCK_USER, (ScopeKind.SESSION, "mallory")))
    assert judge(book, Caller((MALLORY,))).verdict.allowed


@given(
    st.lists(st.tuples(st.sampled_from(STRICTEST_FIRST), st.sampled_from([MALLORY, KEY, SHOP, EVERYONE])), max_size=8),
    st.sampled_from(Stage),
    st.booleans(),
    st.randoms(),
)
def test_more_rules_never_make_a_verdict_milder_and_their_order_means_nothing(
    wanted: list[tuple[ActionKind, tuple[ScopeKind, str]]], stage: Stage, tools: bool, chance: object
) -> None:
    caller = Caller((MALLORY, KEY, SHOP), stage, tools)
    rules = [rule(kind, target, incident=n) for n, (kind, target) in enumerate(wanted)]
    whole = judge(book_of(*rules), caller)
    chance.shuffle(rules)  # type: ignore[attr-defined]
    assert judge(book_of(*rules), caller).verdict == whole.verdict
    order = list(Outcome)
    for fewer in (rules[:n] for n in range(len(rules))):
        less = judge(book_of(*fewer), caller).verdict
        assert less.allowed or not whole.verdict.allowed
        if not less.allowed:
            assert order.index(whole.verdict.outcome) <= order.index(less.outcome)


def test_changes_of_the_book_come_to_the_same_as_a_new_copy() -> None:
    first, second, third = rule(K.BLOCK_USER), rule(K.DISABLE_TOOLS), rule(K.BLOCK_USER, SHOP)
    book = book_of(first, second)
    book.change(put=[third], drop=[first.key], version=2)
    assert (len(book), book.version, book.on(MALLORY), book.on(SHOP)) == (2, 2, (second,), (third,))
    book.change(put=[Held(second.key, 12, K.RATE_LIMIT, KEY)], drop=["unknown"], version=3)
    assert book.on(MALLORY) == () and book.on(KEY)[0].kind is K.RATE_LIMIT


def test_a_rule_for_everyone_is_found_whatever_id_was_stored_with_it() -> None:
    stored = Rule(key="k", incident=1, kind=K.BLOCK_USER, scope_kind=ScopeKind.EVERYONE, scope_id="*", version=1,
                  added_version=1)  # fmt: skip
    assert Held.of(stored).target == EVERYONE
