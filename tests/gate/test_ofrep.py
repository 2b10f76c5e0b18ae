"""The gate's rules as flags, over the protocol. The official client asks in `tests/integration/test_ofrep.py`."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.gate.caller import Target
from bot.gate.gate import Outage
from bot.gate.verdict import APPROVED
from bot.incident.words import ActionKind, ScopeKind
from tests.gate.asking import Asking, everyone, rule

K = ActionKind
BULK = "/ofrep/v1/evaluate/flags"
NORMAL = {"ai-blocked": False, "ai-safe-mode": False, "ai-tools": True, "ai-endpoint": True, "ai-retrieval": True}
MALLORY = {"targetingKey": "mallory"}


async def evaluate(gate: Asking, context: dict[str, Any], **headers: str) -> httpx.Response:
    return await gate.http.post(
        BULK, json={"context": context}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


async def values(gate: Asking, context: dict[str, Any]) -> dict[str, bool]:
    response = await evaluate(gate, context)
    assert response.status_code == 200, response.text
    bulk = {flag["key"]: flag["value"] for flag in response.json()["flags"]}
    for key, value in bulk.items():
        single = await gate.http.post(f"{BULK}/{key}", json={"context": context})
        assert single.json()["value"] is value, "both addresses say the same"
    return bulk


async def test_where_nothing_is_contained_every_flag_says_so() -> None:
    async with Asking() as gate:
        assert await values(gate, MALLORY) == NORMAL
        assert await values(gate, {}) == NORMAL
        one = (await gate.http.post(f"{BULK}/ai-tools", json={})).json()
        assert one == {"key": "ai-tools", "value": True, "reason": "DEFAULT", "variant": "normal", "metadata": {}}


@pytest.mark.parametrize(
    ("kind", "flag"),
    [
        (K.BLOCK_USER, "ai-blocked"),
        (K.ENABLE_SAFE_MODE, "ai-safe-mode"),
        (K.DISABLE_TOOLS, "ai-tools"),
        (K.DISABLE_ENDPOINT, "ai-endpoint"),
        (K.RESTRICT_RAG, "ai-retrieval"),
    ],
)
async def test_each_measure_has_its_flag_and_touches_no_other(kind: ActionKind, flag: str) -> None:
    async with Asking(rule(kind)) as gate:
        assert await values(gate, MALLORY) == NORMAL | {flag: not NORMAL[flag]}
        assert await values(gate, {"targetingKey": "alice"}) == NORMAL
    async with Asking(everyone(kind)) as gate:
        assert await values(gate, {}) == NORMAL | {flag: not NORMAL[flag]}


@pytest.mark.parametrize(
    ("target", "context"),
    [
        ((ScopeKind.USER, "m"), {"user": "m", "targetingKey": "somebody else"}),
        ((ScopeKind.SESSION, "s-1"), {"session": "s-1", "targetingKey": "alice"}),
        ((ScopeKind.API_KEY, "k"), {"apiKey": "k"}),
        ((ScopeKind.IP, "203.0.113.9"), {"ip": "203.0.113.9"}),
        ((ScopeKind.APPLICATION, "support"), {"application": "support"}),
        ((ScopeKind.ENDPOINT, "/chat"), {"endpoint": "/chat"}),
        ((ScopeKind.USER, "7"), {"targetingKey": 7}),
    ],
)
async def test_every_id_of_the_context_counts(target: Target, context: dict[str, Any]) -> None:
    async with Asking(rule(K.DISABLE_TOOLS, target)) as gate:
        assert not (await values(gate, context))["ai-tools"]
        assert (await values(gate, {**dict.fromkeys(context, "other"), "plan": {"of": ["the application"]}}))[
            "ai-tools"
        ]


async def test_a_document_in_quarantine_is_not_retrieved_and_others_are() -> None:
    async with Asking(rule(K.RESTRICT_RAG, (ScopeKind.DOCUMENT, "doc-9"))) as gate:
        assert not (await values(gate, {"document": "doc-9"}))["ai-retrieval"]
        assert (await values(gate, {"document": "doc-8"}))["ai-retrieval"]
        assert (await values(gate, MALLORY))["ai-retrieval"]


async def test_safe_mode_brings_its_answer_and_every_flag_its_incident_only() -> None:
    async with Asking(
        rule(K.ENABLE_SAFE_MODE, text="Call us."),
        everyone(K.BLOCK_USER, incident=13),
        everyone(K.ENABLE_SAFE_MODE, incident=14),
    ) as gate:
        safe = (await gate.http.post(f"{BULK}/ai-safe-mode", json={"context": MALLORY})).json()
        assert safe["metadata"] == {"incident": "INC-12", "answer": "Call us."}
        assert (safe["reason"], safe["variant"]) == ("TARGETING_MATCH", "contained")
        other = (await gate.http.post(f"{BULK}/ai-safe-mode", json={"context": {"targetingKey": "alice"}})).json()
        assert other["metadata"] == {"incident": "INC-14", "answer": APPROVED}
        blocked = (await gate.http.post(f"{BULK}/ai-blocked", json={"context": MALLORY})).json()
        assert (blocked["reason"], blocked["metadata"]) == ("STATIC", {"incident": "INC-13"})


async def test_an_unchanged_answer_is_not_sent_again_and_a_changed_one_is() -> None:
    async with Asking() as gate:
        first = await evaluate(gate, MALLORY)
        tag = first.headers["etag"]
        for known in (tag, f'"other", W/{tag}'):
            again = await evaluate(gate, MALLORY, if_none_match=known)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        gate.book.change(put=[rule(K.BLOCK_USER)], version=2)
        changed = await evaluate(gate, MALLORY, if_none_match=tag)
        assert (changed.status_code, changed.headers["etag"] == tag) == (200, False)


async def test_reading_flags_is_no_call_it_uses_up_no_limit_and_is_no_event() -> None:
    async with Asking(rule(K.RATE_LIMIT)) as gate:
        for _ in range(3):
            assert await values(gate, MALLORY) == NORMAL
        assert gate.decided == []
        assert (await gate.decide())["allow"], "the one call of this minute is still there"


@pytest.mark.parametrize("outage", [None, Outage(too_old_after=5.0)])
async def test_what_is_not_known_is_an_error_so_that_the_applications_own_default_holds(outage: Outage | None) -> None:
    async with Asking(rule(K.BLOCK_USER), known=outage is not None, outage=outage) as gate:
        gate.time.now += 60
        one = await gate.http.post(f"{BULK}/ai-tools", json={"context": MALLORY})
        assert (one.status_code, one.json()["errorCode"], one.json()["key"]) == (503, "GENERAL", "ai-tools")
        bulk = await evaluate(gate, MALLORY)
        known = {flag["key"]: flag["value"] for flag in bulk.json()["flags"] if "value" in flag}
        assert known == ({"ai-blocked": True} if outage else {}), "what is held is told, however old"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"{BULK}/ai-nothing", {}, 404, "FLAG_NOT_FOUND"),
        (f"{BULK}/../admin", {}, 404, None),
        (f"{BULK}/ai-tools", b"{", 400, "PARSE_ERROR"),
        (f"{BULK}/ai-tools", [], 400, "PARSE_ERROR"),
        (BULK, {"context": "mallory"}, 400, "PARSE_ERROR"),
        (BULK, b'{"context": ' + b'{"a":' * 100_000, 400, "PARSE_ERROR"),
        (BULK, {"context": {"targetingKey": ["mallory"]}}, 400, "INVALID_CONTEXT"),
        (BULK, {"context": {"session": True}}, 400, "INVALID_CONTEXT"),
        (BULK, {"context": {"apiKey": "k" * 301}}, 400, "INVALID_CONTEXT"),
    ],
)
async def test_what_cannot_be_evaluated_is_refused_in_the_protocols_own_words(
    path: str, body: Any, status: int, code: str | None
) -> None:
    async with Asking(rule(K.BLOCK_USER)) as gate:
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        response = await gate.http.post(path, **content)
        assert response.status_code == status
        assert response.json().get("errorCode") == code
        assert code is None or response.json()["errorDetails"]


async def test_only_who_has_the_gates_token_may_read_flags() -> None:
    async with Asking(rule(K.BLOCK_USER)) as gate:
        for headers in ({"x-api-key": "wrong"}, {"x-api-key": "", "authorization": "Bearer wrong"}):
            assert (await gate.http.post(BULK, json={}, headers=headers)).status_code == 401
            assert (await gate.http.post(f"{BULK}/ai-blocked", json={}, headers=headers)).status_code == 401
        assert (await gate.http.get(BULK)).status_code == 405


@pytest.mark.parametrize("name", ["*", "../", "%", "a\nb", "{}", "user/mallory", '"', "Ünïcode"])
async def test_a_hostile_id_means_itself_only(name: str) -> None:
    async with Asking(rule(K.BLOCK_USER, (ScopeKind.USER, name))) as gate:
        assert (await values(gate, {"targetingKey": name}))["ai-blocked"]
        assert not (await values(gate, MALLORY))["ai-blocked"]
