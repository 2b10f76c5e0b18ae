"""Action items: filled in once, owned, finished by one of two, told before and after they are due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.cases import acknowledge, items, remind, roles
from bot.cases.context import Context
from bot.cases.items import Change
from bot.incident.caller import Caller
from bot.incident.due import in_days
from bot.incident.errors import Invalid, NotFound, Refused, Repeated
from bot.incident.incident import SYSTEM, person
from bot.incident.learning import ActionItem
from bot.incident.outward import Intent, IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import ItemKind, ItemState, Role
from bot.settings import RosterEntry
from bot.store import Store, queries
from bot.store.items import of_incident, owned, told_at
from tests import opened as case
from tests.conftest import START, Clock
from tests.slack.test_text import HOSTILE

ALICE, BOB = case.ALICE, Caller(person("U0BOB"))
ROOM = "C0ROOM"


async def leading(ctx: Context) -> int:
    """An incident of which Alice is the commander, with its room."""
    number = await case.opened(ctx)
    await acknowledge.acknowledge(ctx, ALICE, number)
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person="U0ALICE")
    async with ctx.store.unit() as unit:
        (await unit.incident(number)).channel_id = ROOM
    return number


async def prefill(ctx: Context, number: int) -> list[ActionItem]:
    behind = await items.owners(ctx)
    async with ctx.store.unit() as unit:
        await items.prefill(ctx, unit, await unit.incident(number), behind)
    return await listed(ctx, number)


async def listed(ctx: Context, number: int) -> list[ActionItem]:
    async with ctx.store.read() as session:
        return list(await of_incident(session, number))


async def owed_to(store: Store) -> list[tuple[str, str]]:
    """Key and person of each message about what somebody owes."""
    async with store.read() as session:
        wanted = select(Intent).where(Intent.kind == IntentKind.DIRECT, col(Intent.incident).is_(None))
        return [(one.key, one.args["person"]) for one in (await session.exec(wanted.order_by(col(Intent.id)))).all()]


async def told(store: Store, number: int, *kinds: Happened) -> list[dict[str, Any]]:
    async with store.read() as session:
        await queries.verify_timeline(session, number)
        return [one.data for one in await queries.timeline(session, number) if one.kind in kinds]


async def test_the_missions_five_are_filled_in_once_also_after_a_reopening(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    first = await prefill(ctx, number)
    assert [item.key for item in first] == ["regression_test", "guardrail_rules", "monitoring", "playbook", "red_team"]
    assert {item.due_at - in_days(START, 0) for item in first if item.due_at} == {timedelta(d) for d in (7, 14, 30)}
    await items.done(ctx, ALICE, first[0].id or 0)
    clock.advance(days=40)
    again = await prefill(ctx, number)
    assert [item.id for item in again] == [item.id for item in first] and again[0].state is ItemState.DONE
    assert len(await told(store, number, Happened.ITEM_ADDED)) == 5


async def test_an_item_gets_an_owner_where_exactly_one_person_stands_behind_its_role(sqlite_store: Store) -> None:
    roster = {
        "security_team": RosterEntry(people=("U0ONE",)),
        "ai_team": RosterEntry(people=("U0ONE", "U0TWO")),
        "security_team_lead": RosterEntry(people=("lead@example.com",)),
    }
    ctx = case.context(sqlite_store, roster=roster)
    filled = {item.key: (item.role, item.owner) for item in await prefill(ctx, await leading(ctx))}
    assert filled["regression_test"] == ("security_team", "U0ONE")
    assert filled["guardrail_rules"] == ("ai_team", None) and filled["playbook"] == ("security_team_lead", None)


async def test_two_people_finish_the_same_item_and_the_second_is_told_who_did(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    await items.add(ctx, ALICE, number, text="Alert on the first canary", owner="U0BOB", room=ROOM)
    await items.done(ctx, BOB, 1)
    clock.advance(minutes=3)
    with pytest.raises(Refused, match=r"was done already by <@U0BOB> at 2026-03-02 09:00 UTC\. Nothing was changed"):
        await items.done(ctx, ALICE, 1)
    with pytest.raises(Refused, match="was done already"):
        await items.drop(ctx, ALICE, 1, reason="not needed")
    assert len(await told(store, number, Happened.ITEM_DONE, Happened.ITEM_DROPPED)) == 1


async def test_the_same_click_twice_gets_the_first_answer(store: Store) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    await items.add(ctx, ALICE, number, text="x")
    click = Caller(person("U0ALICE"), inbound="click:1")
    first = await items.done(ctx, click, 1)
    with pytest.raises(Repeated) as again:
        await items.done(ctx, click, 1)
    assert again.value.answer == first


async def test_only_the_room_the_owner_and_the_roles_may_touch_an_item(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await leading(ctx)
    await items.add(ctx, ALICE, number, text="x", owner="U0OWNER")
    stranger = Caller(person("U0EVE"))
    for room in (None, "C0ELSEWHERE"):
        with pytest.raises(Refused, match="/incident join INC-1"):
            await items.done(ctx, stranger, 1, room=room)
        with pytest.raises(Refused, match="/incident join INC-1"):
            await items.add(ctx, stranger, number, text="x", room=room)
    with pytest.raises(Refused, match="full member"):
        await items.done(ctx, Caller(person("U0OWNER"), full_member=False), 1, room=ROOM)
    with pytest.raises(NotFound):
        await items.done(ctx, ALICE, 99)
    await items.change(ctx, Caller(person("U0OWNER")), 1, Change(kind=ItemKind.DETECT))
    await items.done(ctx, stranger, 1, room=ROOM)  # in the room by then


async def test_hostile_text_is_redacted_before_it_is_stored_and_never_cut_in_silence(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await leading(ctx)
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    await items.add(ctx, ALICE, number, text=f"rotate {token} \x00 {HOSTILE[0]}")
    await items.drop(ctx, ALICE, 1, reason=f"{token} is gone")
    [item] = await listed(ctx, number)
    entries = await told(sqlite_store, number, Happened.ITEM_ADDED, Happened.ITEM_DROPPED)
    assert token not in item.text + str(entries) and "\x00" not in item.text
    with pytest.raises(Invalid, match="500 fit"):
        await items.add(ctx, ALICE, number, text="x" * 501)
    with pytest.raises(Invalid, match="empty"):
        await items.add(ctx, ALICE, number, text=" \n ")


async def test_all_that_an_owner_owes_is_one_message_a_day_also_after_the_end(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    numbers = [await leading(ctx)]
    numbers.append(await case.opened(ctx, user="eve"))
    for number in numbers:
        async with store.unit() as unit:
            incident = await unit.incident(number)
            incident.channel_id = f"C0ROOM{number}"
        for text in ("one", "two"):
            await items.add(
                ctx, ALICE, number, text=text, owner="U0OWNER", due_at=in_days(START, 10), room=f"C0ROOM{number}"
            )
        async with store.unit() as unit:
            (await unit.incident(number)).ended_at = unit.now
    clock.now = in_days(START, 7).replace(hour=7, minute=59)
    await remind.sweep(ctx)
    assert await owed_to(store) == []
    clock.now = in_days(START, 7).replace(hour=8, minute=1)
    await remind.sweep(ctx)
    assert await owed_to(store) == [("direct:owed:U0OWNER:2026-03-09", "U0OWNER")]
    clock.now = in_days(START, 10).replace(hour=8, minute=1)
    await remind.sweep(ctx)
    clock.now = in_days(START, 17).replace(hour=12)
    await remind.sweep(ctx)
    assert [key for key, _ in await owed_to(store)][1:] == [
        "direct:owed:U0OWNER:2026-03-12",
        "direct:owed:U0OWNER:2026-03-19",
    ]


async def test_what_is_done_or_dropped_is_told_no_more(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    for _ in range(2):
        await items.add(ctx, ALICE, number, text="x", owner="U0OWNER", due_at=in_days(START, 10))
    await items.done(ctx, ALICE, 1)
    await items.drop(ctx, ALICE, 2, reason="gone")
    assert await case.reminders(store, number, ReminderKind.ITEM_DUE) == []
    clock.advance(days=60)
    await remind.sweep(ctx)
    assert await owed_to(store) == []


async def test_another_date_plans_anew_also_the_first_one_again(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    first, second = in_days(START, 10), in_days(START, 40)
    await items.add(ctx, ALICE, number, text="x", owner="U0OWNER", due_at=first)
    [planned] = await case.reminders(store, number, ReminderKind.ITEM_DUE)
    for due in (second, first):
        await items.change(ctx, ALICE, 1, Change(due_at=due))
    [again] = await case.reminders(store, number, ReminderKind.ITEM_DUE)
    assert again.due_at == planned.due_at and again.key != planned.key


async def test_an_item_that_is_overdue_already_is_told_a_week_after_its_date(sqlite_store: Store, clock: Clock) -> None:
    ctx = case.context(sqlite_store)
    number = await leading(ctx)
    await items.add(ctx, ALICE, number, text="x", owner="U0OWNER", due_at=in_days(START, -10))
    [planned] = await case.reminders(sqlite_store, number, ReminderKind.ITEM_DUE)
    assert planned.due_at == in_days(START, 4).replace(hour=8, minute=0, second=0)


async def test_without_an_owner_whoever_leads_is_told_once_for_all_that_fall_due(store: Store, clock: Clock) -> None:
    ctx = case.context(store, roster={})
    number = await leading(ctx)
    await prefill(ctx, number)
    clock.now = in_days(START, 4).replace(hour=8, minute=0, second=1)
    await remind.sweep(ctx)
    [(_, who)] = await owed_to(store)
    assert who == "U0ALICE"
    async with store.read() as session:
        about = await told_at(session, number, clock.now)
    assert [item.key for item in about] == ["regression_test", "guardrail_rules"]
    clock.now = in_days(START, 10).replace(hour=9)
    await remind.sweep(ctx)
    assert len(await owed_to(store)) == 1, "it was told once"
    await items.change(ctx, ALICE, about[0].id or 0, Change(owner="U0OWNER"))
    clock.now = in_days(START, 14).replace(hour=9)
    await remind.sweep(ctx)
    assert ("direct:owed:U0OWNER:2026-03-16", "U0OWNER") in await owed_to(store)


async def test_whose_items_are_many_gets_the_longest_overdue_first(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await leading(ctx)
    async with sqlite_store.unit() as unit:
        incident = await unit.incident(number)
        for days in (5, -3, None, -90):
            due = None if days is None else in_days(unit.now, days)
            unit.add(
                ActionItem(
                    incident=number, text="x", kind=ItemKind.PREVENT, owner="U0OWNER", due_at=due, created_at=unit.now
                )
            )
        unit.record(incident, Happened.NOTE, SYSTEM, text="by hand")
    async with sqlite_store.read() as session:
        mine = await owned(session, "U0OWNER")
    assert [item.due_at and (item.due_at - in_days(START, 0)).days for item in mine] == [-90, -3, 5, None]
