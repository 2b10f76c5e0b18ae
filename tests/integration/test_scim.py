"""The SCIM connector against scim2-server: the checks of the stand-in, and names that mean something in a filter."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from bot.connectors.conformance import HOSTILE, PROMISES, Case, Promise, name_of
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Effect, Order
from bot.connectors.scim import Settings
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.behind import Behind, patience
from tests.integration.systems.scim import Scim

E = Effect
COUNT = itertools.count()
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class People(Behind):
    """The directory as its administrator sees it. Each case has a few accounts of its own."""

    def __init__(self, between: Proxy, scim: Scim, http: httpx.AsyncClient) -> None:
        super().__init__(between, (scim.token,))
        self.http = http
        self.ids: dict[str, str] = {}

    async def add(self, name: str) -> None:
        made = await self.http.post("/Users", json={"schemas": [SCHEMA], "userName": name, "active": True})
        self.ids[name] = made.raise_for_status().json()["id"]

    async def read(self, name: str) -> dict[str, Any]:
        return dict((await self.http.get(f"/Users/{self.ids[name]}")).raise_for_status().json())

    async def behaves_blocked(self, order: Order) -> bool:
        return (await self.read(order.scope_id))["active"] is False

    async def state(self) -> object:
        return [{k: v for k, v in (await self.read(name)).items() if k != "meta"} for name in self.ids]

    async def meddle(self, order: Order) -> bool:
        operation = {"op": "replace", "path": "title", "value": "dismissed"}
        body = {"schemas": [PATCH], "Operations": [operation]}
        (await self.http.patch(f"/Users/{self.ids[order.scope_id]}", json=body)).raise_for_status()
        return True


def block(user: str) -> Order:
    return Order("INC-12", f"INC-12:3:user/{user}", ActionKind.BLOCK_USER, ScopeKind.USER, user)


@contextlib.asynccontextmanager
async def fresh(scim: Scim, seconds: float = 4.0) -> AsyncIterator[Case]:
    one, other = f"mallory-{next(COUNT)}", f"alice-{next(COUNT)}"
    headers = {"Authorization": f"Bearer {scim.token}", "Content-Type": "application/scim+json"}
    async with (
        httpx.AsyncClient(base_url=scim.url, headers=headers, trust_env=False, timeout=20.0) as http,
        proxy(scim.url) as between,
    ):
        people = People(between, scim, http)
        await people.add(one)
        await people.add(other)
        given = {"kind": "scim", "url": between.url, "token_env": "TOKEN", "timeout_seconds": seconds}
        made = Settings.model_validate(given).connect("directory", {"TOKEN": scim.token})
        yield Case(made, block(one), block(other), people)
        await made.close()


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(scim: Scim, promise: Promise) -> None:
    async with fresh(scim, patience(promise)) as case:
        await promise(case)


async def test_accounts_with_names_that_mean_something_in_a_filter_are_found_and_nobody_else(scim: Scim) -> None:
    async with fresh(scim) as case:
        assert isinstance(case.system, People)
        for number, name in enumerate((*HOSTILE, 'x" or userName pr or userName eq "', "back\\slash")):
            strange = f"{name}-{next(COUNT)}-{number}"
            await case.system.add(strange)
            captured = await case.connector.snapshot(block(strange))
            assert (await case.connector.apply(block(strange))).effect is E.APPLIED, strange
            blocked = [one for one in case.system.ids if await case.system.behaves_blocked(block(one))]
            assert blocked == [strange]
            assert (await case.connector.revert(block(strange), captured.snapshot)).effect is E.APPLIED
            assert (await case.connector.verify_revert(block(strange))).effect is E.REVERTED


async def test_what_is_sent_is_good_for_one_version_of_the_account_only(scim: Scim) -> None:
    async with fresh(scim) as case:
        assert isinstance(case.system, People)
        version = (await case.system.read(case.order.scope_id))["meta"]["version"]
        await case.connector.apply(case.order)
        sent = [asked for asked in case.system.proxy.asked if asked.method == "PATCH"]
        conditions = [{name.lower(): value for name, value in asked.headers.items()}["if-match"] for asked in sent]
        assert conditions == [version]
        path = f"/Users/{case.system.ids[case.order.scope_id]}"
        again = await case.system.http.patch(path, content=sent[0].body, headers={"If-Match": version})
        assert again.status_code == 412
