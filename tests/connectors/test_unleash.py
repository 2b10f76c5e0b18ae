from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.connectors.conformance import PROMISES, Case, Promise, name_of
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Connector, Effect, Order
from bot.connectors.kinds import settings_of
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from bot.settings import ConnectorEntry
from tests.connectors.behind import Behind, patience, serving
from tests.connectors.unleash_standin import ADMIN, FRONTEND, Feature, StandIn

E = Effect
ENV = {"ADMIN": ADMIN, "FRONTEND": FRONTEND}
FLAGS = {
    "block_user": {"flag": "ai-blocked"},
    "enable_safe_mode": {"flag": "ai-safe-mode"},
    "disable_tools": {"flag": "ai-tools", "contained": False},
}
PERCENT = {"id": "p", "name": "flexibleRollout", "title": None, "disabled": False, "constraints": []}


def settings(url: str, **more: Any) -> ConnectorEntry:
    given = {"kind": "unleash", "url": url, "token_env": "ADMIN", "frontend_token_env": "FRONTEND", "flags": FLAGS,
             "environment": "development", "actions": ["block_user"]}  # fmt: skip
    return ConnectorEntry.model_validate(given | more)


def connect(url: str, **more: Any) -> Connector:
    return settings_of("flags", settings(url, **more)).connect("flags", ENV)


def order(
    kind: ActionKind, scope_kind: ScopeKind = ScopeKind.USER, scope_id: str = "mallory", incident: int = 12
) -> Order:
    return Order(f"INC-{incident}", f"INC-{incident}:3:{scope_kind}/{scope_id}", kind, scope_kind, scope_id)


BLOCK = order(ActionKind.BLOCK_USER)
TOOLS = order(ActionKind.DISABLE_TOOLS, ScopeKind.EVERYONE, "*")


class System(Behind):
    def __init__(self, proxy: Proxy, far: StandIn) -> None:
        super().__init__(proxy, (ADMIN, FRONTEND))
        self.far = far

    async def behaves_blocked(self, order: Order) -> bool:
        if order.kind is ActionKind.DISABLE_TOOLS:
            return not self.far.on_for("ai-tools", {"userId": "anybody"})
        return self.far.on_for("ai-blocked", {"userId": order.scope_id})

    async def state(self) -> object:
        return {name: (one.enabled, [*one.strategies]) for name, one in self.far.features.items()}

    async def meddle(self, order: Order) -> bool:
        own = next(one for one in self.far.features["ai-blocked"].strategies if "Firsthour" in one["title"])
        own["constraints"][0]["values"].append("eve")
        return True


@contextlib.asynccontextmanager
async def fresh(seconds: float = 4.0, **features: Feature) -> AsyncIterator[Case]:
    far = StandIn({"ai-blocked": Feature(), "ai-safe-mode": Feature(), "ai-tools": Feature(enabled=True)} | features)
    far.features["ai-tools"].strategies.append(dict(PERCENT))
    async with serving(far.app()) as url, proxy(url) as between:
        made = connect(between.url, timeout_seconds=seconds)
        yield Case(made, BLOCK, order(ActionKind.BLOCK_USER, scope_id="alice"), System(between, far))
        await made.close()


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(promise: Promise) -> None:
    async with fresh(patience(promise)) as case:
        await promise(case)


def far_of(case: Case) -> StandIn:
    assert isinstance(case.system, System)
    return case.system.far


async def test_a_switched_flag_that_is_not_evaluated_so_is_not_in_force() -> None:
    async with fresh() as case:
        far_of(case).silent.add("ai-blocked")
        assert (await case.connector.apply(BLOCK)).effect is E.APPLIED
        assert (await case.connector.verify(BLOCK)).effect is E.NOT_IN_FORCE


async def test_it_never_switches_on_what_would_hit_others_than_the_subject() -> None:
    async with fresh(**{"ai-blocked": Feature(strategies=[dict(PERCENT)])}) as case:
        before = await case.system.state()
        applied = await case.connector.apply(BLOCK)
        assert applied.effect is E.FAILED
        assert "would hit others" in applied.detail
        assert await case.system.state() == before


async def test_a_strategy_for_one_never_ends_what_holds_for_everybody() -> None:
    async with fresh(**{"ai-blocked": Feature(enabled=True)}) as case:
        applied = await case.connector.apply(BLOCK)
        assert applied.effect is E.FAILED
        assert "on for everybody already" in applied.detail
        assert far_of(case).features["ai-blocked"].strategies == []


async def test_a_flag_that_means_a_service_is_never_switched_off_for_one_subject() -> None:
    async with fresh() as case:
        applied = await case.connector.apply(replace(BLOCK, kind=ActionKind.DISABLE_TOOLS))
        assert applied.effect is E.FAILED
        assert "would hit everybody" in applied.detail
        assert far_of(case).features["ai-tools"].enabled


async def test_a_flag_that_means_a_service_goes_off_for_everybody_and_comes_back_as_it_was() -> None:
    async with fresh() as case:
        before = await case.system.state()
        captured = await case.connector.snapshot(TOOLS)
        assert (await case.connector.verify(TOOLS)).effect is E.NOT_IN_FORCE
        assert (await case.connector.apply(TOOLS)).effect is E.APPLIED
        assert (await case.connector.verify(TOOLS)).effect is E.VERIFIED
        assert (await case.connector.revert(TOOLS, captured.snapshot)).effect is E.APPLIED
        assert (await case.connector.verify_revert(TOOLS)).effect is E.REVERTED
        assert await case.system.state() == before


@pytest.mark.parametrize("which", [BLOCK, TOOLS, replace(TOOLS, kind=ActionKind.ENABLE_SAFE_MODE)])
async def test_of_two_incidents_the_last_one_out_switches_back(which: Order) -> None:
    """Whichever is reverted first."""
    first, second = which, replace(which, incident="INC-13", key=which.key.replace("12", "13", 1))
    for out in ((first, second), (second, first)):
        async with fresh() as case:
            before = await case.system.state()
            kept = {}
            for one in (first, second):
                kept[one.key] = (await case.connector.snapshot(one)).snapshot
                assert (await case.connector.apply(one)).effect is E.APPLIED
            assert (await case.connector.revert(out[0], kept[out[0].key])).effect is E.APPLIED
            assert (await case.connector.verify(out[1])).effect is E.VERIFIED
            assert (await case.connector.verify_revert(out[0])).effect is E.REVERTED
            assert (await case.connector.revert(out[1], kept[out[1].key])).effect is E.APPLIED
            assert (await case.connector.verify_revert(out[1])).effect is E.REVERTED
            assert await case.system.state() == before


async def test_a_later_incident_under_the_key_of_the_first_finds_and_lifts_the_same_strategy() -> None:
    async with fresh() as case:
        before = await case.system.state()
        captured = await case.connector.snapshot(BLOCK)
        await case.connector.apply(BLOCK)
        later = replace(BLOCK, incident="INC-13")
        assert (await case.connector.verify(later)).effect is E.VERIFIED
        assert (await case.connector.apply(later)).effect is E.APPLIED
        assert len(far_of(case).features["ai-blocked"].strategies) == 1
        assert (await case.connector.revert(later, captured.snapshot)).effect is E.APPLIED
        assert await case.system.state() == before


async def test_what_somebody_did_to_a_service_flag_meanwhile_is_not_switched_on_again() -> None:
    async with fresh() as case:
        captured = await case.connector.snapshot(TOOLS)
        await case.connector.apply(TOOLS)
        far_of(case).features["ai-tools"].strategies[0]["parameters"] = {"rollout": "10"}
        reverted = await case.connector.revert(TOOLS, captured.snapshot)
        assert reverted.effect is E.FAILED
        assert "changed the strategies of ai-tools" in reverted.detail
        assert not far_of(case).features["ai-tools"].enabled


@pytest.mark.parametrize(
    ("scope_kind", "scope_id"),
    [
        (ScopeKind.SESSION, "s-1"),
        (ScopeKind.IP, "203.0.113.9"),
        (ScopeKind.API_KEY, "k-1"),
        (ScopeKind.APPLICATION, "a"),
    ],
)
async def test_each_kind_of_subject_is_singled_out(scope_kind: ScopeKind, scope_id: str) -> None:
    async with fresh() as case:
        block = order(ActionKind.ENABLE_SAFE_MODE, scope_kind, scope_id)
        assert (await case.connector.apply(block)).effect is E.APPLIED
        assert (await case.connector.verify(block)).effect is E.VERIFIED
        assert not far_of(case).on_for("ai-safe-mode", {"userId": "anybody"})


async def test_a_document_cannot_be_singled_out_and_a_missing_flag_is_named() -> None:
    async with fresh() as case:
        document = await case.connector.apply(order(ActionKind.BLOCK_USER, ScopeKind.DOCUMENT, "d"))
        assert (document.effect, "single out a document" in document.detail) == (E.FAILED, True)
        del far_of(case).features["ai-blocked"]
        missing = await case.connector.apply(BLOCK)
        assert (missing.effect, "has no flag ai-blocked" in missing.detail) == (E.FAILED, True)
        assert "ai-blocked" in (await case.connector.health()).detail


async def test_evaluation_needs_its_own_token_and_health_says_so() -> None:
    async with fresh() as case:
        assert isinstance(case.system, System)
        wrong = settings_of("flags", settings(case.system.proxy.url)).connect("flags", ENV | {"FRONTEND": "wrong"})
        assert (await wrong.apply(BLOCK)).effect is E.APPLIED
        assert (await wrong.verify(BLOCK)).effect is E.UNKNOWN
        health = await wrong.health()
        assert (health.effect, "frontend token" in health.detail) == (E.FAILED, True)
        await wrong.close()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"actions": ["rate_limit"]}, r"connectors\.flags\.flags: name the flag for rate_limit"),
        ({"token_env": "NOWHERE"}, r"connectors\.flags\.token_env: the environment variable NOWHERE is not set"),
        ({"flags": {"block_user": {"flag": "../admin"}}}, r"connectors\.flags\.flags\.block_user\.flag"),
    ],
)
def test_what_cannot_work_does_not_start(more: dict[str, Any], words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        connect("https://unleash.example", **more)


def test_yaml_words_on_and_off_mean_what_they_say() -> None:
    made: Callable[[str], Any] = lambda word: settings_of(  # noqa: E731 -- shorter than a function
        "f", settings("https://u.example", flags={"disable_tools": {"flag": "ai-tools", "contained": word}}, actions=[])
    )
    assert made("off").flags[ActionKind.DISABLE_TOOLS].contained is False
    assert made("on").flags[ActionKind.DISABLE_TOOLS].contained is True
