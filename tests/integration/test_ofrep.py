"""The gate's flags, read by OpenFeature's official client from a gate that runs as its users run it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bot.incident.words import ActionKind, ScopeKind
from tests.integration.conftest import Elsewhere
from tests.integration.gate import ANSWER, TOKEN, Gate, Policy

K = ActionKind
CLIENT = """
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

api.set_provider(OFREPProvider(given["url"], headers_factory=lambda: {"Authorization": "Bearer " + given["token"]}))
client = api.get_client()
found = {}
for name, attributes in given["who"].items():
    context = EvaluationContext(targeting_key=name, attributes=attributes)
    for flag, default in given["flags"].items():
        details = client.get_boolean_details(flag, default, context)
        error = None if details.error_code is None else details.error_code.value
        found[name + " " + flag] = [details.value, str(details.reason), details.flag_metadata, error]
print(json.dumps(found))
"""
DEFAULTS = {"ai-blocked": False, "ai-safe-mode": False, "ai-tools": True, "ai-endpoint": True, "ai-retrieval": True}


def asked(elsewhere: Elsewhere, url: str, token: str = TOKEN, flags: dict[str, bool] = DEFAULTS, **who: Any) -> Any:
    return elsewhere(CLIENT, url=url, token=token, flags=flags, who=who)


async def test_the_official_client_sees_what_is_contained_for_whom(
    elsewhere: Elsewhere, gate: Gate, policy: Policy, user: str
) -> None:
    before = asked(elsewhere, gate.url, **{user: {}})
    assert {flag: before[f"{user} {flag}"][0] for flag in DEFAULTS} == DEFAULTS
    assert {one[3] for one in before.values()} == {None}, "these are answers, not the client's defaults"
    blocked = await policy.put(K.BLOCK_USER, ScopeKind.USER, user)
    await policy.put(K.ENABLE_SAFE_MODE, ScopeKind.SESSION, f"session-of-{user}")
    tools = await policy.put(K.DISABLE_TOOLS, ScopeKind.EVERYONE, "*")
    after = asked(elsewhere, gate.url, **{user: {"session": f"session-of-{user}"}, "alice": {"session": "another"}})
    incident = f"INC-{policy.incident}"
    assert after[f"{user} ai-blocked"] == [True, "TARGETING_MATCH", {"incident": incident}, None]
    assert after[f"{user} ai-safe-mode"][2] == {"incident": incident, "answer": ANSWER}
    assert [after["alice ai-blocked"][0], after["alice ai-safe-mode"][0], after["alice ai-tools"][0]] == [
        False,
        False,
        False,
    ]
    assert after["alice ai-tools"][1] == "STATIC"
    await policy.revert(blocked)
    await policy.revert(tools)
    assert [value[0] for value in asked(elsewhere, gate.url, **{user: {}}).values()] == [*DEFAULTS.values()]


@pytest.mark.parametrize(("default", "token", "flag"), [(True, "wrong", "ai-tools"), (False, TOKEN, "ai-nothing")])
async def test_without_an_answer_the_applications_own_default_holds(
    elsewhere: Elsewhere, gate: Gate, default: bool, token: str, flag: str
) -> None:
    told = asked(elsewhere, gate.url, token, {flag: default}, alice={})
    assert told[f"alice {flag}"][0] is default
    assert told[f"alice {flag}"][3] == ("GENERAL" if token == "wrong" else "FLAG_NOT_FOUND")


async def test_an_unchanged_answer_is_not_sent_twice_over_a_real_connection(
    gate: Gate, policy: Policy, user: str
) -> None:
    async with httpx.AsyncClient(base_url=gate.url, headers={"x-api-key": TOKEN}, trust_env=False) as http:
        body = {"context": {"targetingKey": user}}
        first = await http.post("/ofrep/v1/evaluate/flags", json=body)
        known = {"If-None-Match": first.headers["etag"]}
        again = await http.post("/ofrep/v1/evaluate/flags", json=body, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        await policy.put(K.BLOCK_USER, ScopeKind.USER, user)
        changed = await http.post("/ofrep/v1/evaluate/flags", json=body, headers=known)
        assert (changed.status_code, changed.json()["flags"][0]["value"]) == (200, True)
