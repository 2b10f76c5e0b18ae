"""The Unleash connector against a real Unleash: the checks of the stand-in, and what only the real one does."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.connectors.conformance import PROMISES, Case, Promise, name_of
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Effect, Order
from bot.connectors.unleash import Settings
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.behind import Behind, patience
from tests.integration.systems.unleash import Unleash

E = Effect
COUNT = itertools.count()
FRONTEND = "firsthour-frontend"


class Admin:
    """Unleash as a person uses it, without the connector."""

    def __init__(self, unleash: Unleash, frontend: str) -> None:
        self.unleash, self.frontend = unleash, frontend
        self.http = httpx.AsyncClient(base_url=unleash.url, trust_env=False, timeout=20.0)

    async def call(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(
            method, f"/api/admin{path}", json=body, headers={"Authorization": self.unleash.admin_token}
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def create(self, flag: str) -> None:
        await self.call("POST", f"/projects/{self.unleash.project}/features", {"name": flag, "type": "kill-switch"})

    def at(self, flag: str) -> str:
        return f"/projects/{self.unleash.project}/features/{flag}/environments/{self.unleash.environment}"

    async def on_for(self, flag: str, **context: str) -> bool:
        """As an application sees it, once all that was changed before has reached it: seen by a flag made for that."""
        marker = f"marker-{next(COUNT)}"
        await self.create(marker)
        await self.call("POST", f"{self.at(marker)}/on")
        while True:
            answer = await self.http.get("/api/frontend", params=context, headers={"Authorization": self.frontend})
            on = {one["name"] for one in answer.json()["toggles"]}
            if marker in on:
                await self.call("DELETE", f"/projects/{self.unleash.project}/features/{marker}")
                return flag in on


class System(Behind):
    def __init__(self, between: Proxy, admin: Admin, flag: str) -> None:
        super().__init__(between, (admin.unleash.admin_token, admin.frontend))
        self.admin, self.flag = admin, flag

    async def behaves_blocked(self, order: Order) -> bool:
        return await self.admin.on_for(self.flag, userId=order.scope_id)

    async def state(self) -> object:
        return await self.admin.call("GET", self.admin.at(self.flag))

    async def meddle(self, order: Order) -> bool:
        state = await self.admin.call("GET", self.admin.at(self.flag))
        own = next(one for one in state["strategies"] if one["title"].startswith("Firsthour"))
        values = [{"op": "replace", "path": "/constraints/0/values", "value": ["mallory", "eve"]}]
        await self.admin.call("PATCH", f"{self.admin.at(self.flag)}/strategies/{own['id']}", values)
        return True


@pytest.fixture
async def admin(unleash: Unleash) -> AsyncIterator[Admin]:
    person = Admin(unleash, "")
    token = {"tokenName": f"{FRONTEND}-{next(COUNT)}", "type": "frontend", "environment": unleash.environment,
             "projects": [unleash.project]}  # fmt: skip
    person.frontend = (await person.call("POST", "/api-tokens", token))["secret"]
    yield person
    await person.http.aclose()


@contextlib.asynccontextmanager
async def fresh(admin: Admin, seconds: float = 4.0, *, contained: bool = True) -> AsyncIterator[Case]:
    flag = f"ai-blocked-{next(COUNT)}"
    await admin.create(flag)
    env = {"ADMIN": admin.unleash.admin_token, "FRONTEND": admin.frontend}
    async with proxy(admin.unleash.url) as between:
        settings = Settings.model_validate(
            {"kind": "unleash", "url": between.url, "token_env": "ADMIN", "frontend_token_env": "FRONTEND",
             "project": admin.unleash.project, "environment": admin.unleash.environment, "timeout_seconds": seconds,
             "flags": {kind: {"flag": flag, "contained": contained} for kind in ("block_user", "disable_tools")}}
        )  # fmt: skip
        made = settings.connect("flags", env)
        yield Case(made, block("mallory"), block("alice"), System(between, admin, flag), patience=15.0)
        await made.close()


def block(user: str) -> Order:
    return Order("INC-12", f"INC-12:3:user/{user}", ActionKind.BLOCK_USER, ScopeKind.USER, user)


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(admin: Admin, promise: Promise) -> None:
    async with fresh(admin, patience(promise)) as case:
        await promise(case)


async def test_a_flag_that_means_a_service_goes_off_for_everybody_and_comes_back_as_it_was(admin: Admin) -> None:
    order = Order("INC-12", "INC-12:4:everyone/*", ActionKind.DISABLE_TOOLS, ScopeKind.EVERYONE, "*")
    async with fresh(admin, contained=False) as case:
        assert isinstance(case.system, System)
        await admin.call("POST", f"{admin.at(case.system.flag)}/on")
        assert await admin.on_for(case.system.flag, userId="anybody")
        before = await case.system.state()
        captured = await case.connector.snapshot(order)
        assert (await case.connector.apply(order)).effect is E.APPLIED
        assert (await case.connector.verify(order)).effect is E.VERIFIED
        assert not await admin.on_for(case.system.flag, userId="anybody")
        assert (await case.connector.revert(order, captured.snapshot)).effect is E.APPLIED
        assert (await case.connector.verify_revert(order)).effect is E.REVERTED
        assert await case.system.state() == before


@pytest.mark.parametrize(
    ("scope_kind", "scope_id", "context"),
    [
        (ScopeKind.SESSION, "s-1", "sessionId"),
        (ScopeKind.IP, "203.0.113.9", "remoteAddress"),
        (ScopeKind.API_KEY, "k-1", "properties[apiKey]"),
        (ScopeKind.ENDPOINT, "/chat", "properties[endpoint]"),
        (ScopeKind.APPLICATION, "support-bot", "appName"),
    ],
)
async def test_each_kind_of_subject_is_singled_out(
    admin: Admin, scope_kind: ScopeKind, scope_id: str, context: str
) -> None:
    order = Order("INC-12", f"INC-12:5:{scope_kind}/{scope_id}", ActionKind.BLOCK_USER, scope_kind, scope_id)
    async with fresh(admin) as case:
        assert isinstance(case.system, System)
        assert (await case.connector.apply(order)).effect is E.APPLIED
        assert (await case.connector.verify(order)).effect is E.VERIFIED
        assert await admin.on_for(case.system.flag, **{context: scope_id})
        assert not await admin.on_for(case.system.flag, **{context: "192.0.2.1", "userId": scope_id})
