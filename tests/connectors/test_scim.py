from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from bot.connectors.conformance import PROMISES, Case, Promise, name_of
from bot.connectors.conformance.proxy import Proxy, proxy
from bot.connectors.contract import Connector, Effect, Order
from bot.connectors.kinds import settings_of
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from bot.settings import ConnectorEntry
from tests.connectors.behind import Behind, patience, serving

E = Effect
TOKEN, PROBE = "a-token-of-the-directory", "a-token-of-the-probe"


@dataclass
class Directory:
    """SCIM 2.0 as far as the connector knows it, with the shapes of RFC 7644 and of scim2-server."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    let_in: set[str] = field(default_factory=set)
    """Who is still let in, whatever the directory says."""
    ignores_filters: bool = False
    moves: int = 0
    """How often somebody is to change the account between reading and changing it."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/scim/Users", self.list)
        app.router.add_get("/scim/Users/{id}", self.read)
        app.router.add_patch("/scim/Users/{id}", self.patch)
        app.router.add_get("/whoami", self.whoami)
        return app

    def add(self, name: str, **more: Any) -> dict[str, Any]:
        user = {
            "id": f"id-of-{len(self.users)}",
            "userName": name,
            "active": True,
            "meta": {"version": 'W/"1"'},
            **more,
        }
        self.users[user["id"]] = user
        return user

    async def list(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        wanted = re.fullmatch(r'(\w+) eq (".*")', request.query.get("filter", ""), re.DOTALL)
        found = list(self.users.values()) if self.ignores_filters else []
        if wanted is not None and not found:
            value = json.loads(wanted[2]).casefold()
            found = [user for user in self.users.values() if str(user.get(wanted[1])).casefold() == value]
        return web.json_response({"totalResults": len(found), "Resources": found})

    async def read(self, request: web.Request) -> web.Response:
        user = self.users[request.match_info["id"]]
        answer = web.json_response(user)
        if self.moves:
            self.moves -= 1
            self.changed(user)
        return answer

    async def patch(self, request: web.Request) -> web.Response:
        user, body = self.users[request.match_info["id"]], await request.json()
        if request.headers.get("If-Match", user["meta"].get("version")) != user["meta"].get("version"):
            return web.json_response({"status": "412"}, status=412)
        for operation in body["Operations"]:
            assert operation["op"] == "replace"
            user[operation["path"]] = operation["value"]
        self.changed(user)
        return web.Response(status=204)

    def changed(self, user: dict[str, Any]) -> None:
        if "version" in user["meta"]:
            user["meta"]["version"] = f'W/"{int(user["meta"]["version"][3:-1]) + 1}"'

    async def whoami(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {PROBE}"
        inside = request.query["user"] in self.let_in or any(
            user["userName"] == request.query["user"] and user["active"] for user in self.users.values()
        )
        return web.Response(status=200 if inside else 401)


class System(Behind):
    def __init__(self, between: Proxy, far: Directory) -> None:
        super().__init__(between, (TOKEN, PROBE))
        self.far = far

    async def behaves_blocked(self, order: Order) -> bool:
        return any(user["userName"] == order.scope_id and not user["active"] for user in self.far.users.values())

    async def state(self) -> object:
        return [{key: user[key] for key in user if key != "meta"} for user in self.far.users.values()]

    async def meddle(self, order: Order) -> bool:
        self.far.users["id-of-0"]["title"] = "dismissed"
        return True


def connect(root: str, **more: Any) -> Connector:
    given = {"kind": "scim", "url": f"{root}/scim/", "token_env": "TOKEN", "timeout_seconds": 4.0} | more
    entry = ConnectorEntry.model_validate(given)
    return settings_of("directory", entry).connect("directory", {"TOKEN": TOKEN, "PROBE": PROBE})


def block(user: str) -> Order:
    return Order("INC-12", f"INC-12:3:user/{user}", ActionKind.BLOCK_USER, ScopeKind.USER, user)


MALLORY = block("mallory")


@contextlib.asynccontextmanager
async def fresh(seconds: float = 4.0, **more: Any) -> AsyncIterator[Case]:
    far = Directory()
    far.add("mallory", externalId="M-1")
    far.add("alice", externalId="A-1")
    async with serving(far.app()) as root, proxy(root) as between:
        if "probe_url" in more:
            more["probe_url"] = f"{between.url}{more['probe_url']}"
        made = connect(between.url, timeout_seconds=seconds, **more)
        yield Case(made, MALLORY, block("alice"), System(between, far))
        await made.close()


def far_of(case: Case) -> Directory:
    assert isinstance(case.system, System)
    return case.system.far


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(promise: Promise) -> None:
    async with fresh(patience(promise)) as case:
        await promise(case)


async def test_without_a_probe_it_says_whose_word_it_is() -> None:
    async with fresh() as case:
        await case.connector.apply(MALLORY)
        assert "sessions and tokens from before may still work" in (await case.connector.verify(MALLORY)).detail
        panel = case.connector.effect_of(ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
        assert "tokens from before may still work" in panel


async def test_who_is_still_let_in_is_not_blocked_whatever_the_directory_says() -> None:
    async with fresh(probe_url="/whoami?tenant=a", probe_token_env="PROBE") as case:
        far_of(case).let_in.add("mallory")
        await case.connector.apply(MALLORY)
        assert (await case.connector.verify(MALLORY)).effect is E.NOT_IN_FORCE
        far_of(case).let_in.clear()
        assert (await case.connector.verify(MALLORY)).effect is E.VERIFIED


async def test_a_directory_that_ignores_the_filter_never_hits_somebody_else() -> None:
    async with fresh() as case:
        far_of(case).ignores_filters = True
        assert (await case.connector.apply(block("nobody"))).effect is E.FAILED
        del far_of(case).users["id-of-1"]
        assert (await case.connector.apply(block("nobody"))).effect is E.FAILED
        assert far_of(case).users["id-of-0"]["active"]


async def test_an_id_with_quotes_is_found_as_it_is() -> None:
    name = 'o"malley" or userName pr \\'
    async with fresh() as case:
        far_of(case).add(name)
        assert (await case.connector.apply(block(name))).effect is E.APPLIED
        assert [user["active"] for user in far_of(case).users.values()] == [True, True, False]


async def test_an_account_that_changes_meanwhile_is_disabled_all_the_same_and_never_enabled() -> None:
    async with fresh() as case:
        captured = await case.connector.snapshot(MALLORY)
        far_of(case).moves = 1
        assert (await case.connector.apply(MALLORY)).effect is E.APPLIED
        far_of(case).moves = 1
        assert (await case.connector.revert(MALLORY, captured.snapshot)).effect is E.FAILED
        assert not far_of(case).users["id-of-0"]["active"]


async def test_an_account_that_was_disabled_before_stays_so() -> None:
    async with fresh() as case:
        far_of(case).users["id-of-0"]["active"] = False
        captured = await case.connector.snapshot(MALLORY)
        assert (await case.connector.apply(MALLORY)).effect is E.APPLIED
        reverted = await case.connector.revert(MALLORY, captured.snapshot)
        assert (reverted.effect, "left as it was" in reverted.detail) == (E.FAILED, True)


async def test_a_directory_without_versions_is_changed_without_a_condition() -> None:
    async with fresh() as case:
        far_of(case).users["id-of-0"]["meta"] = {}
        captured = await case.connector.snapshot(MALLORY)
        assert (await case.connector.apply(MALLORY)).effect is E.APPLIED
        assert (await case.connector.revert(MALLORY, captured.snapshot)).effect is E.APPLIED


async def test_what_is_not_said_is_not_known() -> None:
    async with fresh() as case:
        del far_of(case).users["id-of-0"]["active"]
        assert (await case.connector.verify(MALLORY)).effect is E.UNKNOWN
        assert (await case.connector.verify_revert(MALLORY)).effect is E.UNKNOWN


async def test_users_can_be_named_by_their_external_id_and_nothing_else_than_users() -> None:
    async with fresh(attribute="externalId") as case:
        assert (await case.connector.apply(block("M-1"))).effect is E.APPLIED
        assert (await case.connector.apply(block("a-1"))).effect is E.FAILED, "case counts in an externalId"
        key = await case.connector.apply(replace(MALLORY, scope_kind=ScopeKind.API_KEY))
        assert (key.effect, "no api key to disable" in key.detail) == (E.FAILED, True)


def test_a_probe_needs_a_token_of_its_own() -> None:
    with pytest.raises(Misconfigured, match="probe_token_env"):
        connect("https://directory.example", probe_url="https://app.example/whoami")
