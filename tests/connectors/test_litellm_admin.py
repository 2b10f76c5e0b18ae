from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
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
from tests.connectors.litellm_standin import ALICE, MALLORY, MASTER, Model, StandIn, hashed

E, A = Effect, ActionKind
ENV = {"MASTER": MASTER, "KEYS": f"{MALLORY}, {ALICE}"}


def connect(root: str, env: dict[str, str] = ENV, **more: Any) -> Connector:
    given = {"kind": "litellm_admin", "url": root, "admin_key_env": "MASTER", "timeout_seconds": 4.0,
             "probe_keys_env": "KEYS", "probe_model": "other"} | more  # fmt: skip
    return settings_of("llm", ConnectorEntry.model_validate(given)).connect("llm", env)


def order(kind: ActionKind, id: str) -> Order:
    scope = ScopeKind.ENDPOINT if kind is A.DISABLE_ENDPOINT else ScopeKind.API_KEY
    return Order("INC-12", f"INC-12:3:{scope}/{id}", kind, scope, id)


BLOCK, LIMIT = order(A.BLOCK_USER, hashed(MALLORY)), order(A.RATE_LIMIT, hashed(MALLORY))
OFF = order(A.DISABLE_ENDPOINT, "dep-1")


class System(Behind):
    def __init__(self, between: Proxy, far: StandIn) -> None:
        super().__init__(between, (MASTER, MALLORY, ALICE))
        self.far = far

    async def behaves_blocked(self, order: Order) -> bool:
        if order.kind is A.DISABLE_ENDPOINT:
            return order.scope_id in self.far.models and self.far.models[order.scope_id].blocked
        key = self.far.keys[order.scope_id]
        return key.rpm_limit == 1 if order.kind is A.RATE_LIMIT else bool(key.blocked)

    async def state(self) -> object:
        keys = {id: (bool(key.blocked), key.rpm_limit) for id, key in self.far.keys.items()}
        return keys, {id: model.blocked for id, model in self.far.models.items()}

    async def meddle(self, order: Order) -> bool:
        if order.kind is not A.RATE_LIMIT:
            return False  # blocked or not is all there is to change
        self.far.keys[order.scope_id].rpm_limit = 5
        return True


@contextlib.asynccontextmanager
async def fresh(kind: ActionKind = A.BLOCK_USER, seconds: float = 4.0, **more: Any) -> AsyncIterator[Case]:
    far = StandIn()
    one, other = ("dep-1", "dep-2") if kind is A.DISABLE_ENDPOINT else (hashed(MALLORY), hashed(ALICE))
    async with serving(far.app()) as root, proxy(root) as between:
        made = connect(between.url, timeout_seconds=seconds, **more)
        yield Case(made, order(kind, one), order(kind, other), System(between, far))
        await made.close()


def far_of(case: Case) -> StandIn:
    assert isinstance(case.system, System)
    return case.system.far


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(promise: Promise) -> None:
    async with fresh(seconds=patience(promise)) as case:
        await promise(case)


WITHOUT_FAULTS = [
    promise
    for promise in PROMISES
    if name_of(promise) not in {"where_nothing_listens_nothing_is_claimed", "no_answer_in_time_is_unknown"}
]


@pytest.mark.parametrize("promise", WITHOUT_FAULTS, ids=name_of)
@pytest.mark.parametrize("kind", [A.RATE_LIMIT, A.DISABLE_ENDPOINT])
async def test_it_keeps_its_promises_for_limits_and_models(kind: ActionKind, promise: Promise) -> None:
    async with fresh(kind) as case:
        await promise(case)


@pytest.mark.parametrize("which", [BLOCK, LIMIT, OFF])
async def test_what_is_written_down_and_not_enforced_is_found_out(which: Order) -> None:
    async with fresh() as case:
        far_of(case).enforces = False
        assert (await case.connector.apply(which)).effect is E.APPLIED
        seen = await case.connector.verify(which)
        assert (seen.effect, "was answered" in seen.detail) == (E.NOT_IN_FORCE, True)


@pytest.mark.parametrize("which", [BLOCK, LIMIT])
async def test_a_key_that_nobody_can_try_is_left_to_a_person(which: Order) -> None:
    async with fresh() as case:
        assert isinstance(case.system, System)
        blind = connect(case.system.proxy.url, ENV | {"KEYS": ALICE})
        assert (await blind.verify(which)).effect is E.NOT_IN_FORCE, "its own record that it is not is believed"
        await blind.apply(which)
        assert (await blind.verify(which)).effect is E.ATTEST
        await blind.close()


async def test_when_others_are_refused_as_well_it_is_not_settled() -> None:
    async with fresh() as case:
        far_of(case).keys[hashed(ALICE)].blocked = True
        await case.connector.apply(BLOCK)
        seen = await case.connector.verify(BLOCK)
        assert (seen.effect, "somebody else was not answered" in seen.detail) == (E.UNKNOWN, True)


async def test_of_a_model_that_the_probe_itself_asks_for_nobody_else_is_asked() -> None:
    async with fresh(A.DISABLE_ENDPOINT, probe_model="gpt") as case:
        await case.connector.apply(OFF)
        assert (await case.connector.verify(OFF)).effect is E.VERIFIED


async def test_a_stricter_limit_is_never_loosened_and_an_earlier_one_comes_back() -> None:
    async with fresh() as case:
        key = far_of(case).keys[hashed(MALLORY)]
        key.rpm_limit = 0
        captured = await case.connector.snapshot(LIMIT)
        assert (await case.connector.apply(LIMIT)).effect is E.APPLIED
        assert (await case.connector.revert(LIMIT, captured.snapshot)).effect is E.FAILED
        assert key.rpm_limit == 0
        key.rpm_limit = 60
        captured = await case.connector.snapshot(LIMIT)
        await case.connector.apply(LIMIT)
        assert key.rpm_limit == 1
        assert (await case.connector.revert(LIMIT, captured.snapshot)).effect is E.APPLIED
        assert key.rpm_limit == 60


async def test_a_key_itself_is_never_taken_for_an_id_nor_an_end_user() -> None:
    async with fresh() as case:
        assert isinstance(case.system, System)
        raw = await case.connector.apply(order(A.BLOCK_USER, MALLORY))
        assert (raw.effect, "by its hash" in raw.detail) == (E.FAILED, True)
        newline = await case.connector.apply(order(A.BLOCK_USER, f"{hashed(MALLORY)}\n"))
        assert newline.effect is E.FAILED
        user = Order("INC-12", "INC-12:3:user/mallory", A.BLOCK_USER, ScopeKind.USER, "mallory")
        assert (await case.connector.apply(user)).effect is E.FAILED
        assert case.system.proxy.asked == [], "nothing of it was even sent"


async def test_a_model_of_the_proxys_own_file_cannot_be_blocked_and_it_says_so() -> None:
    async with fresh() as case:
        far_of(case).models["dep-3"] = Model("gpt", db_model=False)
        applied = await case.connector.apply(order(A.DISABLE_ENDPOINT, "dep-3"))
        assert (applied.effect, "LiteLLM's own file" in applied.detail) == (E.FAILED, True)


def test_probe_keys_need_a_model_to_ask_for() -> None:
    with pytest.raises(Misconfigured, match=r"connectors\.llm\.probe_model"):
        connect("https://llm.example", probe_model=None)
