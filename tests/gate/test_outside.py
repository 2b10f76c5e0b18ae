"""What the outside may send: hostile ids, foreign tokens, broken bodies. Refused in words, and never a rule slipped past."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from bot.gate import http as gate_http
from bot.gate.wire import Names
from bot.incident.words import ActionKind, ScopeKind
from tests.gate.asking import GUARDRAIL, TOKEN, Asking, everyone, rule

K = ActionKind
HOSTILE = ("*", "../", "%", "'; DROP TABLE gate_rule; --", '"', "a\nb", "{}", "user/mallory", "Ünïcode", "a" * 300)
HEADER_SAFE = tuple(name for name in HOSTILE if "\n" not in name)


@pytest.fixture
async def gate() -> AsyncIterator[Asking]:
    async with Asking(rule(K.BLOCK_USER)) as asking:
        yield asking


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_id_is_blocked_as_written_and_stands_for_nobody_else(name: str) -> None:
    async with Asking(rule(K.BLOCK_USER, (ScopeKind.USER, name))) as gate:
        assert not (await gate.decide(user=name))["allow"]
        assert (await gate.guardrail(user=name))["action"] == "BLOCKED"
        if name in HEADER_SAFE:
            assert (await gate.auth(user=name)).status_code == 403
        for other in ("mallory", name[:-1] + "x", name.swapcase()[:299] + " "):
            assert (await gate.decide(user=other))["allow"]
            assert (await gate.guardrail(user=other))["action"] == "NONE"


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_id_that_no_rule_names_slips_past_no_rule_for_everyone(name: str) -> None:
    async with Asking(everyone(K.BLOCK_USER)) as gate:
        assert not (await gate.decide(user=name))["allow"]


async def test_who_brings_an_id_that_no_rule_could_name_is_refused() -> None:
    async with Asking() as gate:
        told = await gate.decide(user="m" * 10_000)
        assert (told["outcome"], told["incident"]) == ("refused", None)
        assert (await gate.guardrail(user="m" * 10_000))["action"] == "BLOCKED"
        assert (await gate.auth(session="m" * 10_000)).status_code == 403
        assert not (await gate.decide(documents=["d" * 10_000]))["allow"]


async def test_a_character_that_no_store_keeps_hides_nobody_from_the_rule_about_them() -> None:
    """Alerts are stored with it replaced, so the rule names the replacement."""
    async with Asking(rule(K.BLOCK_USER, (ScopeKind.USER, "mal\ufffdlory"))) as gate:
        assert not (await gate.decide(user="mal\x00lory"))["allow"]


async def test_an_id_that_is_sent_twice_is_looked_up_twice(gate: Asking) -> None:
    both = [("x-firsthour-user", "alice"), ("x-firsthour-user", "mallory")]
    assert (await gate.http.get("/auth", headers=both)).status_code == 403


async def test_a_header_can_add_an_id_to_what_litellm_established_and_never_take_its_place() -> None:
    async with Asking(rule(K.BLOCK_USER), rule(K.DISABLE_ENDPOINT, (ScopeKind.APPLICATION, "shop"))) as gate:
        own = {"x-firsthour-user": "alice"}
        assert (await gate.guardrail(request_headers=own))["action"] == "BLOCKED"
        named = {"x-firsthour-application": "shop"}
        assert (await gate.guardrail(user="alice", request_headers=named))["action"] == "BLOCKED"
        hidden = {"x-firsthour-application": "[present]"}
        assert (await gate.guardrail(user="alice", request_headers=hidden))["action"] == "NONE"


async def test_the_owner_of_a_key_and_its_end_user_are_both_users(gate: Asking) -> None:
    data = {"user_api_key_user_id": "mallory", "user_api_key_end_user_id": 7}
    assert (await gate.guardrail(request_data=data))["action"] == "BLOCKED"


async def test_the_organisation_names_its_own_headers() -> None:
    async with Asking(rule(K.BLOCK_USER), names=Names.of({"user": "X-User-Id"})) as gate:
        assert (await gate.http.get("/auth", headers={"x-user-id": "mallory"})).status_code == 403
        assert (await gate.auth()).status_code == 200


WRONG = (
    {},
    {"x-api-key": "wrong"},
    {"authorization": f"Basic {TOKEN}"},
    {"authorization": "Bearer "},
    {"x-api-key": "é"},
)


@pytest.mark.parametrize("headers", WRONG)
@pytest.mark.parametrize("address", ["POST /decide", f"POST {GUARDRAIL}", "GET /auth", "GET /auth/chat", "GET /usage"])
async def test_without_the_token_nothing_is_answered(gate: Asking, address: str, headers: dict[str, str]) -> None:
    method, path = address.split(" ", 1)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate.app), base_url="http://gate") as stranger:
        sent = {name: value.encode() for name, value in headers.items()}
        response = await stranger.request(method, path, headers=sent, content=b'{"user": "mallory"}')
    assert response.status_code == 401 and "token" in response.json()["error"]
    assert TOKEN not in response.text and not gate.decided


async def test_the_token_may_come_as_a_bearer(gate: Asking) -> None:
    del gate.http.headers["x-api-key"]
    headers = {"authorization": f"bearer {TOKEN}"}
    assert (await gate.http.post("/decide", json={}, headers=headers)).status_code == 200


DEEP = b"[" * 100_000
BROKEN: list[tuple[bytes, int]] = [
    (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"NaN", 400), (b"null", 422), (b"[]", 422), (b'{"user": 7.5}', 422),
    (b'{"usr": "mallory"}', 422), (b'{"stage": "before"}', 422), (b'{"tools": "yes"}', 422),
    (b'{"documents": ' + DEEP, 422), (b'{"documents": [' + b'"d",' * 1000 + b'"d"]}', 422), (b'{"user": "\\ud800"}', 400),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BROKEN, ids=range(len(BROKEN)))
async def test_a_question_that_is_not_understood_is_refused_in_words(gate: Asking, body: bytes, status: int) -> None:
    response = await gate.http.post("/decide", content=body)
    assert response.status_code == status
    assert "For example" in response.json()["error"] or "flat" in response.json()["error"]
    assert not gate.decided


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"texts": ["x"]}', b'{"input_type": "both"}', b'{"input_type": "request", "request_data": 7}',
     b'{"input_type": "request", "x": ' + DEEP, b'{"input_type": "request", "request_data": {"user_api_key_hash": {}}}'],
)  # fmt: skip
async def test_a_hook_call_that_is_not_understood_is_refused_in_words(gate: Asking, body: bytes) -> None:
    response = await gate.http.post(GUARDRAIL, content=body)
    assert response.status_code in (400, 422) and response.json()["error"]


async def test_fields_that_a_newer_litellm_adds_are_none_of_our_business(gate: Asking) -> None:
    assert (await gate.guardrail(something_new={"a": [1]}))["action"] == "BLOCKED"


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(gate: Asking) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    response = await gate.http.post("/decide", content=endless())
    assert response.status_code == 413 and "1 MiB" in response.json()["error"]
    assert read <= 2 * gate_http.MIB
    response = await gate.http.post("/decide", content=b"{}", headers={"content-length": "9" * 5000})
    assert response.status_code == 413


async def test_other_addresses_and_methods_are_answered_in_words(gate: Asking) -> None:
    nowhere, wrong = await gate.http.get("/decided"), await gate.http.get("/decide")
    assert (nowhere.status_code, wrong.status_code) == (404, 405)
    assert "/decide" in nowhere.json()["error"] and "POST" in wrong.json()["error"]


async def test_health_and_metrics_need_no_token_and_tell_nothing_about_anybody(gate: Asking) -> None:
    await gate.decide()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gate.app), base_url="http://gate") as stranger:
        pages = [await stranger.get(path) for path in ("/healthz", "/readyz", "/metrics")]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert msgspec.json.decode(pages[1].content) == {
        "ready": True, "reasons": [], "version": 1, "rules": 1, "copy_age": 0.0,
    }  # fmt: skip
    counted = 'firsthour_gate_decisions_total{outcome="refused",own="true",stage="request",via="decide"} 1.0'
    assert counted in pages[2].text
    assert not any("mallory" in page.text or TOKEN in page.text for page in pages)
