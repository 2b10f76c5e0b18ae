from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.connectors.build import build
from bot.connectors.contract import MANUAL, Nature
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind
from bot.settings import Organisation

ENV = {"SOAR_SECRET": "s3cret-value", "ADMIN": "admin-token", "CHAT": "chat-token"}
SOAR = {
    "kind": "webhook",
    "url": "https://soar.example/hook",
    "secret_env": "SOAR_SECRET",
    "actions": ["block_user"],
}
PRACTICE = {
    "kind": "practice",
    "url": "http://127.0.0.1:9",
    "secret_env": "ADMIN",
    "probe_secret_env": "CHAT",
    "actions": ["rate_limit"],
}


def org(**connectors: dict[str, Any]) -> Organisation:
    return Organisation.model_validate({"connectors": connectors})


async def test_what_no_connector_claims_is_done_by_hand() -> None:
    connectors = build(org(soar=SOAR), ENV)
    assert connectors.name_for(ActionKind.BLOCK_USER) == "soar"
    assert connectors.name_for(ActionKind.RATE_LIMIT) == MANUAL
    assert connectors.named(MANUAL).nature is Nature.BY_HAND
    await connectors.close()


async def test_a_drill_never_reaches_a_real_system() -> None:
    alone = build(org(soar=SOAR), ENV)
    assert alone.name_for(ActionKind.BLOCK_USER, drill=True) == MANUAL
    both = build(org(soar=SOAR, practice=PRACTICE), ENV)
    assert both.name_for(ActionKind.BLOCK_USER, drill=True) == "practice"
    assert both.name_for(ActionKind.RATE_LIMIT, drill=True) == "practice"
    assert both.name_for(ActionKind.BLOCK_USER) == "soar"
    await alone.close()
    await both.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secret_env": None}, "secret_env"),
        ({"secret_env": "NOT_THERE"}, "NOT_THERE is not set"),
        ({"actions": ["block_usr"]}, "no action “block_usr”"),
        ({"url": None}, "needs `url`"),
        ({"url": "http://soar.example/hook"}, "use https"),
        ({"verify_url": "http://10.0.0.1/verify"}, "use https"),
        ({"revert_url": "http://localhost.evil.example/"}, "use https"),
        ({"url": "https://me:pass@soar.example/"}, "no name or password"),
    ],
)
def test_a_connector_that_cannot_be_used_keeps_the_process_from_starting(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as refused:
        build(org(soar=SOAR | change), ENV)
    assert "s3cret-value" not in str(refused.value)
    assert "pass@" not in str(refused.value)


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(Misconfigured, match="SOAR_SECRET is not set"):
        build(org(soar=SOAR), {"SOAR_SECRET": "  "})


def test_two_connectors_cannot_claim_one_action() -> None:
    with pytest.raises(Misconfigured, match=r"claimed by connectors\.soar already"):
        build(org(soar=SOAR, other=SOAR), ENV)


def test_the_name_manual_is_taken() -> None:
    with pytest.raises(Misconfigured, match="taken by work by hand"):
        build(org(manual=SOAR), ENV)


def test_the_practice_app_needs_both_tokens() -> None:
    with pytest.raises(Misconfigured, match="probe_secret_env"):
        build(org(practice=PRACTICE | {"probe_secret_env": None}), ENV)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:80/x"])
async def test_plain_http_is_accepted_for_this_machine(url: str) -> None:
    await build(org(soar=SOAR | {"url": url}), ENV).close()


def test_a_mistyped_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        org(soar=SOAR | {"verify_ulr": "https://soar.example/"})
