"""No secret of any kind of connector comes out: not in its words, not in the log, not in what the store keeps.

The system behind each is a hostile echo: whatever is asked, its answer holds the whole question, credentials and all.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from aiohttp import web

from bot.cases import actions, execute
from bot.cases.gave_up import gave_up
from bot.connectors.build import build
from bot.connectors.contract import Connector, Connectors, Order
from bot.connectors.kinds import GROUP
from bot.incident.incident import SYSTEM
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, ScopeKind
from bot.incident.work import Action
from bot.logs import configure
from bot.settings import Organisation
from bot.store import Store, intents
from bot.store.runner import Runner
from tests import opened as case
from tests.conftest import START
from tests.connectors.behind import serving
from tests.connectors.conformance import order

K, C = ActionKind, ScopeKind
SECRETS = {name: f"planted-{name.lower()}-s3cret-4711" for name in ("FIRST", "SECOND", "THIRD")}
SECRETS["ID"] = "AKIAPLANTED00SECRET1"
KINDS: dict[str, tuple[dict[str, Any], Order]] = {
    "manual": ({}, order(K.BLOCK_USER, C.USER, "mallory")),
    "webhook": (
        {"url": "{}/apply", "verify_url": "{}/verify", "revert_url": "{}", "plan_url": "{}", "secret_env": "FIRST"},
        order(K.BLOCK_USER, C.USER, "mallory"),
    ),
    "practice": (
        {"url": "{}", "secret_env": "FIRST", "probe_secret_env": "SECOND", "probe_credential_env": "THIRD"},
        order(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments"),
    ),
    "unleash": (
        {
            "url": "{}",
            "token_env": "FIRST",
            "frontend_token_env": "SECOND",
            "flags": {"enable_safe_mode": {"flag": "safe"}},
        },
        order(K.ENABLE_SAFE_MODE, C.USER, "mallory"),
    ),
    "redis_memory": ({"url_env": "REDIS"}, order(K.FLUSH_MEMORY, C.SESSION, "s-mallory")),
    "langgraph_postgres": ({"url_env": "POSTGRES"}, order(K.FLUSH_MEMORY, C.USER, "mallory")),
    "chroma": (
        {"url": "{}", "token_env": "FIRST", "collections": ["kb"]},
        order(K.RESTRICT_RAG, C.DOCUMENT, "refunds"),
    ),
    "qdrant": (
        {"url": "{}", "api_key_env": "FIRST", "collections": ["kb"]},
        order(K.RESTRICT_RAG, C.DOCUMENT, "refunds"),
    ),
    "aws": (
        {
            "region": "eu-central-1",
            "endpoint_url": "{}",
            "access_key_id_env": "ID",
            "secret_access_key_env": "FIRST",
            "probes": {"AKIA0000000000000000": "SECOND"},
        },
        order(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "AKIA0000000000000000"),
    ),
    "scim": (
        {"url": "{}", "token_env": "FIRST", "probe_url": "{}/probe", "probe_token_env": "SECOND"},
        order(K.BLOCK_USER, C.USER, "mallory"),
    ),
    "litellm_admin": (
        {"url": "{}", "admin_key_env": "FIRST", "probe_keys_env": "SECOND", "probe_model": "m"},
        order(K.BLOCK_USER, C.API_KEY, "alias-1"),
    ),
}
"""By kind the smallest part of a file, where `{}` is the system's address, and an order that it can carry out."""


def test_every_kind_that_we_bring_is_looked_at() -> None:
    assert {point.name for point in entry_points(group=GROUP) if point.module.startswith("bot.")} == set(KINDS)


@pytest.fixture(params=[200, 401, 500])
async def echo(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    async def answer(asked: web.Request) -> web.Response:
        said = {"headers": dict(asked.headers), "query": asked.rel_url.query_string, "body": await asked.text()}
        return web.json_response(said, status=request.param, headers={"X-Echo": asked.headers.get("Authorization", "")})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as url:
        yield url


def connect(kind: str, echo: str) -> Connectors:
    keys = {
        name: value.replace("{}", echo) if isinstance(value, str) else value for name, value in KINDS[kind][0].items()
    }
    place = f":{SECRETS['FIRST']}@127.0.0.1:{urlsplit(echo).port}"
    env = SECRETS | {"REDIS": f"redis://{place}/0", "POSTGRES": f"postgresql://planted{place}/memory?sslmode=disable"}
    one = {"kind": kind, "timeout_seconds": 1, "actions": [KINDS[kind][1].kind.value], **keys}
    return build(Organisation.model_validate({"connectors": {"system": one}}), env)


async def life(connector: Connector, one: Order) -> list[str]:
    """Everything that it says from the plan to the end."""
    said: list[object] = [connector, connector.effect_of(one.kind, one.scope_kind, one.scope_id)]
    said += [await connector.plan(one), captured := await connector.snapshot(one), await connector.apply(one)]
    said += [await connector.verify(one), await connector.revert(one, captured.snapshot)]
    said += [await connector.verify_revert(one), await connector.health()]
    return [repr(word) for word in said]


@pytest.fixture
def logging_as_it_runs() -> Iterator[None]:
    """The log as `firsthour run` writes it, and afterwards as the tests had it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("json", level=logging.DEBUG)
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("kind", KINDS)
async def test_no_secret_is_in_a_word_of_any_connector_or_in_the_log(
    kind: str, echo: str, capfd: pytest.CaptureFixture[str], logging_as_it_runs: None
) -> None:
    connectors = connect(kind, echo)
    said = await life(connectors.named("system"), KINDS[kind][1])
    await connectors.close()
    logging.getLogger(kind).warning("the log is on")
    written = "".join(capfd.readouterr())
    assert "the log is on" in written
    assert not found_in("\n".join(said))
    assert not found_in(written)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("echo", [401], indirect=True)
async def test_no_secret_is_in_what_the_store_keeps_of_an_action(
    kind: str, echo: str, sqlite_store: Store, tmp_path: Path
) -> None:
    connectors = connect(kind, echo)
    ctx = dataclasses.replace(case.context(sqlite_store), connectors=connectors)
    number, one = await case.opened(ctx), KINDS[kind][1]
    async with sqlite_store.unit() as unit:
        incident = await unit.incident(number)
        action = approved(incident.number, one, connectors.named("system"))
        unit.add(action)
        await unit.flush()
        unit.record(incident, Happened.ACTION_APPROVED, SYSTEM, **actions.facts(action), digest=action.digest)
        await actions.carry_out(unit, incident, action)
    handlers = execute.handlers(ctx)
    runner = Runner(sqlite_store, handlers, owner="w1", gave_up=gave_up)
    for claim in await intents.claim(sqlite_store, "w1", limit=10, kinds=(IntentKind.EXECUTE,)):
        await runner.settle(claim, await handlers[claim.kind](claim))
    async with sqlite_store.unit() as unit:
        assert (await actions.find(unit, await unit.incident(number), 99)).executed_at, "it was really tried"
    await connectors.close()
    await sqlite_store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("firsthour.db*"))
    assert one.key.encode() in kept or one.scope_id.encode() in kept, "this is where it is kept"
    assert not found_in(kept.decode("utf-8", "replace"))


def approved(incident: int, one: Order, connector: Connector) -> Action:
    """As it is once all have signed; `auto` needs no signature."""
    return Action(
        incident=incident,
        index=99,
        kind=one.kind,
        scope_kind=one.scope_kind,
        scope_id=one.scope_id,
        connector="system",
        why="it is harmful",
        effect=connector.effect_of(one.kind, one.scope_kind, one.scope_id),
        reversible=True,
        auto=True,
        state=ActionState.APPROVED,
        proposed_by="U0ALICE",
        proposed_at=START,
    )


def found_in(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in text]
