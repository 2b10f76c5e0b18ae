"""The LiteLLM admin connector against a running proxy, as far as one goes without LiteLLM's database.

What the connector sends is held against the proxy's own OpenAPI and sent to it; what a blocked model looks like to a caller is
read from models that the proxy's file declares as blocked. What blocking does to the database is not run here.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.connectors.conformance.proxy import Asked, proxy
from bot.connectors.contract import Connector, Effect, Order
from bot.connectors.litellm_admin import Settings
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.behind import serving
from tests.connectors.litellm_standin import ALICE, MALLORY, MASTER, StandIn, hashed
from tests.integration.laboratory import Laboratory, must_run
from tests.integration.systems.installed import venv_program
from tests.integration.systems.process import Missing, started
from tests.ports import free_port

E, A = Effect, ActionKind
ADMIN = "sk-master-of-the-integration"
MODELS = {
    "dep-open": ("open", False),
    "dep-shut": ("shut", True),
    "dep-one": ("half", True),
    "dep-two": ("half", False),
}
"""Deployment → the name that callers ask for, and whether it is blocked."""


@pytest.fixture(scope="module")
def root(laboratory: Laboratory) -> Iterator[str]:
    """A proxy of its own: what it answers comes from its file, no upstream is asked."""
    home, url = laboratory.home / "litellm-admin", f"http://127.0.0.1:{free_port()}"
    models = [
        {
            "model_name": name,
            "litellm_params": {"model": "openai/x", "api_key": "sk-of-nobody", "mock_response": "pong"},
            "model_info": {"id": id, "blocked": blocked},
        }
        for id, (name, blocked) in MODELS.items()
    ]
    home.mkdir()
    config = home / "config.yaml"
    config.write_text(json.dumps({"model_list": models, "litellm_settings": {"num_retries": 0, "telemetry": False}}))
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": ADMIN, "LITELLM_LOG": "ERROR"}
    with contextlib.ExitStack() as stack:
        try:
            command = [
                venv_program("litellm"),
                "--config",
                config,
                "--host",
                "127.0.0.1",
                "--port",
                url.rpartition(":")[2],
            ]
            process = stack.enter_context(started("litellm-admin", command, home, env))
            process.wait_for_http(f"{url}/health/liveliness")
        except Missing as error:
            (pytest.fail if "litellm" in must_run() else pytest.skip)(f"the LiteLLM proxy did not run: {error}")
        yield url


def connect(url: str, env: dict[str, str], **more: Any) -> Connector:
    given = {"kind": "litellm_admin", "url": url, "admin_key_env": "MASTER", "probe_keys_env": "KEYS"} | more
    return Settings.model_validate(given).connect("llm", env)


@pytest.fixture
async def connector(root: str) -> AsyncIterator[Connector]:
    # Without a database the master key is the only one; to the models it is a key like any other.
    made = connect(root, {"MASTER": ADMIN, "KEYS": ADMIN}, probe_model="open")
    yield made
    await made.close()


def order(kind: ActionKind, id: str) -> Order:
    scope = ScopeKind.ENDPOINT if kind is A.DISABLE_ENDPOINT else ScopeKind.API_KEY
    return Order("INC-12", f"INC-12:3:{scope}/{id}", kind, scope, id)


@pytest.mark.parametrize("id", ["dep-shut", "dep-one"])
async def test_a_model_that_the_proxy_holds_back_is_verified_by_asking_for_it(connector: Connector, id: str) -> None:
    seen = await connector.verify(order(A.DISABLE_ENDPOINT, id))
    assert (seen.effect, "somebody else's was answered" in seen.detail) == (E.VERIFIED, True)
    assert (await connector.verify_revert(order(A.DISABLE_ENDPOINT, id))).effect is E.VERIFIED


@pytest.mark.parametrize("id", ["dep-open", "dep-two"])
async def test_a_model_that_is_served_is_not_in_force(connector: Connector, id: str) -> None:
    assert (await connector.verify(order(A.DISABLE_ENDPOINT, id))).effect is E.NOT_IN_FORCE
    back = await connector.verify_revert(order(A.DISABLE_ENDPOINT, id))
    assert (back.effect, "was answered" in back.detail) == (E.REVERTED, True)


async def test_a_name_that_is_wholly_blocked_is_understood_as_well(root: str) -> None:
    """A caller who asks by name gets another answer than one who asks for the deployment."""
    async with httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
        body = {"model": "shut", "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]}
        answer = await http.post(f"{root}/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {ADMIN}"})
    assert (answer.status_code, "is blocked" in answer.text) == (403, True)


async def test_a_model_of_the_proxys_own_file_and_one_that_is_not_there_are_refused_in_words(
    connector: Connector,
) -> None:
    own = await connector.apply(order(A.DISABLE_ENDPOINT, "dep-open"))
    assert (own.effect, "LiteLLM's own file" in own.detail) == (E.FAILED, True)
    absent = await connector.apply(order(A.DISABLE_ENDPOINT, "../../admin"))
    assert (absent.effect, "knows no endpoint" in absent.detail) == (E.FAILED, True)


async def test_without_its_database_nothing_is_claimed(connector: Connector) -> None:
    for kind in (A.BLOCK_USER, A.RATE_LIMIT):
        block = order(kind, hashed(MALLORY))
        assert (await connector.apply(block)).effect is E.FAILED
        assert (await connector.verify(block)).effect is E.UNKNOWN
    health = await connector.health()
    assert (health.effect, "has LiteLLM a database?" in health.detail) == (E.FAILED, True)


async def everything_it_sends() -> list[Asked]:
    """Each action applied, verified and reverted on the stand-in."""
    async with serving(StandIn().app()) as stand_in, proxy(stand_in) as between:
        made = connect(between.url, {"MASTER": MASTER, "KEYS": f"{MALLORY},{ALICE}"}, probe_model="other")
        for one in (
            order(A.BLOCK_USER, hashed(MALLORY)),
            order(A.RATE_LIMIT, hashed(MALLORY)),
            order(A.DISABLE_ENDPOINT, "dep-1"),
        ):
            captured = await made.snapshot(one)
            assert (await made.apply(one)).effect is E.APPLIED
            assert (await made.verify(one)).effect is E.VERIFIED
            assert (await made.revert(one, captured.snapshot)).effect is E.APPLIED
        await made.health()
        await made.close()
        return between.asked


async def test_everything_it_sends_is_in_the_running_proxys_own_description(root: str) -> None:
    asked = await everything_it_sends()
    headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=root, headers=headers, trust_env=False, timeout=90.0) as http:
        described = (await http.get("/openapi.json")).json()  # two megabytes, made on the first request
        for one in asked:
            path, query = urlsplit(one.path).path, parse_qs(urlsplit(one.path).query)
            operation = described["paths"][path][one.method.lower()]
            assert query.keys() <= {parameter["name"] for parameter in operation.get("parameters", [])}, one.path
            if path == "/v1/chat/completions" or not one.body:
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            sent = json.loads(one.body)
            assert set(schema.get("required", [])) <= sent.keys() <= schema["properties"].keys(), path
            taken = await http.post(path, content=one.body)
            assert taken.status_code not in {404, 405, 422}, f"{path} does not take what the connector sends"
            wrong = await http.post(path, content=json.dumps({key: [["wrong"]] for key in sent}))
            assert wrong.status_code == 422, f"{path} would have taken anything"
    paths = {urlsplit(one.path).path for one in asked if one.method == "POST"}
    admin = {"/key/block", "/key/unblock", "/key/update", "/model/block", "/model/unblock"}
    assert paths == admin | {"/v1/chat/completions"}
