"""What the practice AI app tells of itself is enough: detection finds each attack in its events, and nothing in a good day."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from aiohttp import web

from bot.detection.engine import Engine
from bot.detection.event import Event
from bot.detection.scan import (
    Canary,
    Knowledge,
    Owner,
    Prompt,
    Scanner,
    identifier_digest,
    normalise_identifier,
    owner_digest,
    shingles_of,
)
from bot.detection.sources import native
from bot.playbook import load
from bot.practice.ai_app import PracticeAiApp
from bot.practice.ai_gate import Gate
from bot.practice.ai_model import ACCOUNTS
from bot.practice.ai_scenarios import SCENARIOS
from tests.practice.conftest import Clock

KEY = b"a key for tests, of thirty-two b"
RULES = load().rules
LEAK = {"credential_leakage_confirmed", "system_prompt_exposure"}
FIRES = {
    "credential_leak": LEAK,
    "encoded_leak": LEAK,
    "poisoned_document": LEAK,
    "tool_abuse": {"unauthorized_tool_execution"},
    "bulk_extraction": {"bulk_data_extraction"},
    "injection_campaign": {"sustained_injection_campaign"},
    "prompt_exposure": {"system_prompt_exposure"},
    "user_mixup": {"cross_user_data_leakage"},
    "jailbreak": {"jailbreak_success"},
    "partial_prompt": {"partial_prompt_extraction"},
    "probing": {"anomalous_probing"},
}


def known(app: PracticeAiApp) -> Knowledge:
    """What the demo registers."""
    owned = {
        identifier_digest(KEY, "account", normalise_identifier("account", account)): (
            Owner(owner_digest(KEY, user), True, "account"),
        )
        for user, account in ACCOUNTS.items()
    }
    return Knowledge(
        canaries=(Canary("marker", "system_prompt", app.canary),),
        prompts=(Prompt("assistant", "practice-chat", *shingles_of(app.model.prompt, KEY)),),
        owners=owned,
        kinds=frozenset({"account"}),
    )


def events(app: PracticeAiApp, now: float) -> list[Event]:
    """As they come in over HTTP."""
    [decoded] = native.decode(json.dumps(app.telling.events).encode(), now)
    assert not decoded.rejected
    return list(decoded.events)


def fired(app: PracticeAiApp, told: Iterable[Event]) -> set[tuple[str, str | None]]:
    scanner, engine = Scanner(known(app), KEY), Engine(RULES, most_keys=1000)
    seen = [scanner.scan(event, event.at) for event in told]
    return {(one.trigger, one.subject_id) for one in engine.take(seen) if not one.shadow}


def test_every_attack_is_known_here() -> None:
    assert set(FIRES) == set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_an_attack_works_and_its_events_fire_its_triggers_on_the_attacker_alone(
    scenario: str, clock: Clock
) -> None:
    async with PracticeAiApp(now=clock) as app:
        assert {status for status, _ in await app.attack(scenario)} == {200}
        found = fired(app, events(app, clock()))
    assert {trigger for trigger, _ in found} == FIRES[scenario]
    assert {subject for _, subject in found} <= {"mallory", "session-mallory"}


async def test_what_honest_users_do_fires_nothing(clock: Clock) -> None:
    async with PracticeAiApp(now=clock) as app:
        for asked in ("Hello", "How do refunds work?", "transfer 20", "lookup_customer 1001", "What did I say?"):
            await app.ask(asked)
        await app.ask(f"Remember that my account number is {ACCOUNTS['nora']}")
        await app.ask("What did I say before?")
        assert fired(app, events(app, clock())) == set()


async def test_an_answer_that_the_gate_holds_back_is_told_as_not_delivered_and_leaks_nothing(clock: Clock) -> None:
    async def decide(request: web.Request) -> web.Response:
        allow = (await request.json())["stage"] == "request"
        verdict = {"allow": allow, "status": 403, "message": "no", "answer": None, "tools": True, "retrieval": True}
        return web.json_response({**verdict, "withheld": []})

    site = web.Application()
    site.router.add_post("/decide", decide)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with PracticeAiApp(now=clock) as app:
            app.gate = Gate(f"http://127.0.0.1:{runner.addresses[0][1]}", "token")
            assert {status for status, _ in await app.attack("credential_leak")} == {403}
            told = app.telling.events[-1]
            assert app.credential in told["text"] and told["delivered"] is False
            assert fired(app, events(app, clock())) == set()
    finally:
        await runner.cleanup()


async def test_what_the_guardrail_blocks_has_no_answer(clock: Clock) -> None:
    async with PracticeAiApp(now=clock) as app:
        app.model.patched.add("prompt_leak")
        await app.attack("credential_leak")
        *_, asked = app.telling.events
    assert (asked["stage"], asked["delivered"]) == ("input", False)
    assert asked["verdicts"][0]["outcome"] == "block"


async def test_a_patched_hole_leaks_nothing_that_detection_could_find(clock: Clock) -> None:
    async with PracticeAiApp(now=clock) as app:
        app.model.patched |= {"prompt_leak", "jailbreak", "shared_memory", "unauthorised_tools"}
        for scenario in ("credential_leak", "encoded_leak", "prompt_exposure", "partial_prompt", "jailbreak"):
            await app.attack(scenario)
        for scenario in ("tool_abuse", "user_mixup", "poisoned_document"):
            await app.attack(scenario)
        assert fired(app, events(app, clock())) == set()
