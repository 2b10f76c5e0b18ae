"""What surrounds a judgement: probes, our own blocks as events, a copy that is missing or old, the figures of the last hour."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.gate.caller import EVERYONE
from bot.gate.decisions import Outbox
from bot.gate.gate import Outage
from bot.gate.process import outage
from bot.gate.usage import MOST_TARGETS
from bot.incident.words import ActionKind, ScopeKind
from bot.settings import GateSettings
from tests.gate.asking import MALLORY, TOKEN, Asking, everyone, rule

K = ActionKind
SHOP = (ScopeKind.APPLICATION, "shop")


async def test_a_probe_is_decided_like_its_subject_and_is_neither_counted_nor_told() -> None:
    async with Asking(rule(K.RATE_LIMIT)) as gate:
        probes = [(await gate.decide(probe=TOKEN))["outcome"] for _ in range(2)]
        assert probes == ["allowed", "limited"]
        assert not gate.decided and gate.usage.of(K.RATE_LIMIT, MALLORY).calls == 0
        assert (await gate.decide())["allow"], "the subject's own allowance is untouched"
        assert not (await gate.decide())["allow"]
        gate.time.now += 30
        assert (await gate.decide(probe=TOKEN))["retry_after"] == 30
        assert len(gate.decided) == 2


@pytest.mark.parametrize("mark", ["1", "true", TOKEN + "x"])
async def test_who_does_not_know_the_token_gets_no_second_allowance_by_calling_it_a_probe(mark: str) -> None:
    async with Asking(rule(K.RATE_LIMIT)) as gate:
        assert (await gate.decide())["allow"]
        assert not (await gate.decide(probe=mark))["allow"]
        assert not (await gate.auth(probe=mark)).is_success
        assert (await gate.guardrail(request_headers={"X-Firsthour-Probe": mark}))["action"] == "BLOCKED"
        assert len(gate.decided) == 4


async def test_a_probe_does_not_get_past_a_block_by_any_protocol() -> None:
    async with Asking(rule(K.BLOCK_USER)) as gate:
        assert not (await gate.decide(probe=TOKEN))["allow"]
        assert (await gate.auth(probe=TOKEN)).status_code == 403
        assert (await gate.guardrail(request_headers={"X-Firsthour-Probe": TOKEN}))["action"] == "BLOCKED"
        assert not gate.decided


async def test_our_own_enforcement_is_marked_so_that_it_feeds_no_trigger() -> None:
    rules = rule(K.BLOCK_USER), rule(K.RATE_LIMIT, (ScopeKind.USER, "slow")), rule(K.ENABLE_SAFE_MODE, SHOP)
    async with Asking(*rules) as gate:
        for question in ({}, {"user": "slow"}, {"user": "slow"}, {"user": "a", "application": "shop"}, {"user": "a"}):
            await gate.decide(**question)
    assert [(each.source, each.own) for each in gate.decided] == [
        ("gate", True), ("gate", False), ("gate", True), ("gate", True), ("gate", False),
    ]  # fmt: skip


async def test_a_reader_who_does_not_keep_up_costs_events_and_never_a_decision() -> None:
    outbox = Outbox(most=3)
    async with Asking() as gate:
        await asyncio.gather(*(gate.decide(user=f"u{n}") for n in range(5)))
        for decided in gate.decided:
            outbox(decided)
    assert outbox.dropped == 2
    taken = [*await outbox.take(2), *await outbox.take(2)]
    assert taken == gate.decided[:3]
    waiting = asyncio.ensure_future(outbox.take())
    outbox(gate.decided[4])
    assert await waiting == [gate.decided[4]]


async def test_rules_that_are_held_stay_enforced_and_the_age_of_the_copy_is_told() -> None:
    """The store is away for a day: the gate goes on answering from its last copy."""
    async with Asking(rule(K.BLOCK_USER)) as gate:
        gate.time.now += 86_400
        assert not (await gate.decide())["allow"] and (await gate.decide(user="alice"))["allow"]
        answer = await gate.auth()
        assert answer.headers["x-firsthour-copy-age"] == "86400.000"
        ready = await gate.http.get("/readyz")
        assert (ready.status_code, ready.json()["copy_age"]) == (200, 86_400)
        gate.book.confirm(1)
        assert (await gate.auth()).headers["x-firsthour-copy-age"] == "0.000"


async def test_a_gate_that_never_had_a_copy_lets_nobody_pass_unjudged() -> None:
    async with Asking(known=False) as gate:
        told = await gate.decide(user="alice")
        assert (told["outcome"], told["status"], told["incident"]) == ("unknown", 503, None)
        assert (await gate.guardrail())["action"] == "BLOCKED"
        assert [(await gate.auth(path)).status_code for path in ("/auth", "/auth/chat")] == [403, 503]
        ready = await gate.http.get("/readyz")
        assert ready.status_code == 503 and "not read yet" in ready.json()["reasons"][0]
        assert ready.headers["x-firsthour-copy-age"] == "none"


@pytest.mark.parametrize(
    ("wanted", "shop", "desk"),
    [
        ({}, False, False),
        ({"everyone": "open"}, True, True),
        ({"application:shop": "open"}, True, False),
        ({"everyone": "open", "application:shop": "closed"}, False, True),
        ({"application:shop": "open", "user:mallory": "closed"}, False, False),
    ],
)
async def test_an_organisation_chooses_who_passes_while_the_rules_are_not_known(
    wanted: dict[str, Any], shop: bool, desk: bool
) -> None:
    async with Asking(known=False, outage=outage(GateSettings(outage=wanted))) as gate:
        assert (await gate.decide(application="shop"))["allow"] is shop
        assert (await gate.decide(application="desk"))["allow"] is desk


async def test_a_copy_that_is_too_old_counts_as_none_except_for_what_it_forbids() -> None:
    limited = Outage(open_for=frozenset({SHOP}), too_old_after=60)
    async with Asking(rule(K.BLOCK_USER), outage=limited) as gate:
        gate.time.now += 61
        assert (await gate.decide(user="alice"))["outcome"] == "unknown"
        assert (await gate.decide(user="alice", application="shop"))["allow"]
        assert (await gate.decide(application="shop"))["outcome"] == "refused"
        assert (await gate.http.get("/readyz")).status_code == 503


async def usage(gate: Asking, kind: str, scope_kind: str, scope_id: str = "") -> dict[str, Any]:
    query = {"kind": kind, "scope_kind": scope_kind, "scope_id": scope_id}
    response = await gate.http.get("/usage", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_a_plan_learns_how_many_calls_and_subjects_a_measure_would_have_touched() -> None:
    async with Asking() as gate:
        gate.time.now += 600
        for user, tools in (("mallory", True), ("mallory", False), ("alice", True), ("bob ü&", False)):
            await gate.decide(
                user=user, application="shop", api_key="k", tools=tools, documents=["faq"] if tools else []
            )
            await gate.guardrail("response", user=user)
        figures = [
            await usage(gate, "block_user", "user", "mallory"), await usage(gate, "block_user", "user", "bob ü&"),
            await usage(gate, "block_user", "user", "nobody"), await usage(gate, "block_user", "api_key", "k"),
            await usage(gate, "disable_tools", "application", "shop"), await usage(gate, "disable_tools", "user", "mallory"),
            await usage(gate, "restrict_rag", "document", "faq"), await usage(gate, "rate_limit", "everyone"),
        ]  # fmt: skip
    told = [(each["calls"], each["subjects"]) for each in figures]
    assert told == [(2, 1), (1, 1), (0, 0), (4, 3), (2, 2), (1, 1), (2, 2), (4, 3)]
    assert all(each["complete"] and each["seconds"] == 600 for each in figures)


async def test_figures_older_than_an_hour_are_forgotten() -> None:
    async with Asking() as gate:
        await gate.decide()
        gate.time.now += 1_800
        await gate.decide()
        assert (await usage(gate, "block_user", "user", "mallory"))["calls"] == 2
        gate.time.now += 1_801
        assert (await usage(gate, "block_user", "user", "mallory"))["calls"] == 1
        gate.time.now += 7_200
        assert (await usage(gate, "block_user", "user", "mallory")) == {
            "calls": 0, "subjects": 0, "complete": True, "seconds": 3600.0,
        }  # fmt: skip


async def test_figures_take_no_more_memory_than_is_set_aside_and_say_when_they_are_too_low() -> None:
    async with Asking() as gate:
        for number in range(MOST_TARGETS + 10):
            await gate.gate.decide(_stranger(number))
        figures = gate.usage.of(K.BLOCK_USER, EVERYONE)
        assert figures.calls == MOST_TARGETS + 10 and not figures.complete


def _stranger(number: int) -> Any:
    from bot.gate.caller import Caller

    return Caller(((ScopeKind.USER, f"stranger-{number}"),))


async def test_a_figure_that_was_not_asked_for_rightly_is_refused_in_words() -> None:
    async with Asking(everyone(K.BLOCK_USER)) as gate:
        response = await gate.http.get("/usage", params={"kind": "explode"})
    assert response.status_code == 422 and "block_user" in response.json()["error"]


@pytest.mark.parametrize("target", ["application", "application:", "planet:earth", "everyone:x"])
def test_a_target_that_does_not_exist_is_refused_at_start(target: str) -> None:
    with pytest.raises(ValueError, match="is not a target"):
        GateSettings(outage={target: "open"})
