"""Handing over: the summary is posted, who is asked to take command may take it, and nobody else."""

from __future__ import annotations

import pytest

from bot.cases import questions, roles
from bot.cases.handover import hand_over
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.errors import Refused
from bot.incident.incident import person
from bot.incident.narrative import describe
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import Role, Status
from bot.store import Store, queries
from tests import opened as case

BOB, CAROL = Caller(person("U0BOB")), Caller(person("U0CAROL"))
COMMAND = Role.COMMANDER


async def posted(store: Store) -> Json:
    rows = await case.intents(store, 1, IntentKind.POST)
    [args] = [row.args for row in rows if row.args["message"] == "handed_over"]
    return args


async def take(ctx: object, who: Caller) -> str:
    return await roles.assign(ctx, who, 1, role=COMMAND, person=who.actor.id)  # type: ignore[arg-type]


async def test_the_commander_asks_one_person_who_may_then_take_command(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await take(ctx, case.ALICE)
    with pytest.raises(Refused, match="They can pass it on"):
        await take(ctx, BOB)
    await questions.answer(ctx, case.ALICE, 1, {"why": "the filter was off"})
    assert "asked in the room to take command" in await hand_over(
        ctx, case.ALICE, 1, to="U0BOB", text="mind the canary"
    )
    args = await posted(store)
    assert (args["by"], args["to"], args["text"], args["command"]) == ("U0ALICE", "U0BOB", "mind the canary", True)
    assert args["unanswered"] == ["what", "detection_gap", "defence_gap"]
    with pytest.raises(Refused):
        await take(ctx, CAROL)
    assert "You are the commander" in await take(ctx, BOB)
    with pytest.raises(Refused, match="They can pass it on"):
        await take(ctx, case.ALICE)
    async with store.read() as session:
        entry = await queries.last_entry(session, 1, Happened.HANDED_OVER)
    assert entry is not None and describe(entry) == "U0ALICE handed over to U0BOB: mind the canary."


async def test_a_summary_by_somebody_else_passes_no_command_on(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    await take(ctx, case.ALICE)
    assert "only the commander can pass it on" in await hand_over(ctx, CAROL, 1, to="U0BOB")
    assert (await posted(sqlite_store))["command"] is False
    with pytest.raises(Refused):
        await take(ctx, BOB)


async def test_an_offer_is_void_once_another_one_was_made(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    await take(ctx, case.ALICE)
    await hand_over(ctx, case.ALICE, 1, to="U0BOB")
    await hand_over(ctx, BOB, 1)
    await hand_over(ctx, case.ALICE, 1, to="U0CAROL")
    with pytest.raises(Refused):
        await take(ctx, BOB)
    assert "You are the commander" in await take(ctx, CAROL)


async def test_without_a_person_the_summary_alone_is_posted(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    assert "being posted" in await hand_over(ctx, case.ALICE, 1)
    assert (await posted(sqlite_store))["to"] is None


async def test_nobody_hands_over_to_themselves_or_after_the_end(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    with pytest.raises(Refused, match="That is you"):
        await hand_over(ctx, case.ALICE, 1, to="U0ALICE")
    async with sqlite_store.unit() as unit:
        incident = await unit.incident(1)
        incident.status, incident.ended_at = Status.RESOLVED, unit.now
    with pytest.raises(Refused, match="has ended"):
        await hand_over(ctx, case.ALICE, 1, to="U0BOB")
