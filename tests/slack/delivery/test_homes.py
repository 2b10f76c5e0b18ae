"""Home tabs and what people owe, delivered: shown to whom it may be, brought up to date, told once, whoever is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import select

from bot.incident.due import in_days
from bot.incident.incident import RoleHeld
from bot.incident.learning import ActionItem
from bot.incident.outward import IntentKind, IntentState, Reminder, ReminderKind, ReminderState
from bot.incident.words import ItemKind, ItemState, Role
from bot.incident.work import Action
from bot.store import homes
from tests.slack.delivery.conftest import Work, texts


async def open_home(work: Work, *names: str) -> None:
    for name in names:
        async with work.store.unit() as unit:
            await homes.opened(unit, work.ws.person(name).id)
    await work.settled()


async def add_items(work: Work, number: int, owner: str, count: int = 1, days: int = -5, **changed: Any) -> None:
    async with work.store.unit() as unit:
        for n in range(count):
            unit.add(
                ActionItem(
                    incident=number, text=f"Item {n}", kind=ItemKind.PREVENT, owner=work.ws.person(owner).id,
                    due_at=in_days(unit.now, days), created_at=unit.now, **changed,
                )
            )  # fmt: skip


def home_of(work: Work, name: str) -> str:
    view = work.ws.person(name).home
    assert view is not None, f"{name} has no Home tab"
    return view.plain()


async def test_who_is_in_the_room_reads_the_title_and_who_is_not_the_public_line(work: Work) -> None:
    number, room = await work.opened(title="The quarterly figures leaked")
    room.members.append(work.ws.person("alice").id)
    await open_home(work, "alice", "frank")
    assert "quarterly" in home_of(work, "alice") and f"INC-{number}" in home_of(work, "frank")
    assert "quarterly" not in home_of(work, "frank")
    async with work.store.unit() as unit:
        frank = work.ws.person("frank").id
        proposed = (await unit.session.exec(select(Action).where(Action.incident == number))).one()
        proposed.expires_at = unit.now + timedelta(hours=1)
        unit.add(RoleHeld(incident=number, role=Role.COMMANDER, person=frank, since=unit.now, by=frank))
    await open_home(work, "frank")
    assert "quarterly" in home_of(work, "frank") and "Waits for your decision" in home_of(work, "frank")


async def test_a_guest_gets_a_tab_that_says_why_it_is_empty(work: Work) -> None:
    await work.opened(title="The quarterly figures leaked")
    guest = next(user.name for user in work.ws.world.users.values() if user.is_restricted)
    await open_home(work, guest)
    assert "full members" in home_of(work, guest) and "INC-" not in home_of(work, guest)


async def test_a_tab_is_shown_anew_when_its_items_change_and_only_to_who_opened_theirs(work: Work) -> None:
    number, _ = await work.opened()
    await add_items(work, number, "alice", count=500)
    await open_home(work, "alice")
    assert "500 pending, *500 overdue*" in home_of(work, "alice")
    async with work.store.unit() as unit:
        for index in (1, 2, 3):
            item = await unit.session.get(ActionItem, index)
            assert item is not None
            item.state = ItemState.DONE
            await homes.refresh(unit, [item.owner, work.ws.person("bob").id, None])
    await work.settled()
    assert "497 pending" in home_of(work, "alice") and work.ws.person("bob").home is None
    [row] = [one for one in await work.intents() if one.kind is IntentKind.HOME]
    assert row.state is IntentState.DONE


async def owe(work: Work, name: str) -> None:
    person = work.ws.person(name).id
    async with work.store.unit() as unit:
        await unit.intend(IntentKind.DIRECT, f"direct:owed:{person}:today", args={"person": person})


def told(work: Work, name: str) -> str:
    person = work.ws.person(name).id
    direct = work.ws.world.direct(person, work.ws.world.bot.id)
    return texts(direct.live_messages())


async def test_what_a_person_owes_is_one_message_and_what_is_done_meanwhile_is_not_in_it(work: Work) -> None:
    number, _ = await work.opened()
    await add_items(work, number, "alice", count=3)
    await add_items(work, number, "alice", days=30)
    await add_items(work, number, "alice", state=ItemState.DONE)
    await owe(work, "alice")
    await owe(work, "bob")
    await work.settled()
    assert "3 of your action items are due soon or overdue (3 overdue)." in told(work, "alice")
    assert told(work, "bob") == "", "nothing is owed, so nothing is said"


async def test_a_message_whose_answer_was_lost_is_not_sent_again(idle: Work) -> None:
    number = await idle.declare()
    await add_items(idle, number, "alice")
    await owe(idle, "alice")
    await idle.carried_out_and_killed(IntentKind.DIRECT)
    idle.start()
    await idle.settled()
    assert told(idle, "alice").count("of your action items is due") == 1


async def test_when_an_owner_has_left_whoever_leads_is_told_once(work: Work) -> None:
    number, _ = await work.opened()
    bob = work.ws.person("bob")
    alice = work.ws.person("alice").id
    await add_items(work, number, "bob", count=2)
    async with work.store.unit() as unit:
        unit.add(RoleHeld(incident=number, role=Role.COMMANDER, person=alice, since=unit.now, by=alice))
    bob.user.deleted = True
    for day in ("monday", "tuesday"):
        async with work.store.unit() as unit:
            await unit.intend(IntentKind.DIRECT, f"direct:owed:{bob.id}:{day}", args={"person": bob.id})
        await work.settled()
    said = told(work, "alice")
    assert said.count("cannot be written to any more") == 1 and "1, 2" in said and "/incident action edit 1" in said


async def test_items_without_an_owner_are_told_to_whoever_leads(work: Work) -> None:
    number, _ = await work.opened()
    alice = work.ws.person("alice").id
    async with work.store.unit() as unit:
        item = ActionItem(
            incident=number, text="Nobody's", kind=ItemKind.PROCESS, due_at=unit.now + timedelta(1), created_at=unit.now
        )
        unit.add(item)
        await unit.flush()
        fired = Reminder(
            key="r", incident=number, kind=ReminderKind.ITEM_DUE, args={"item": item.id}, due_at=unit.now,
            state=ReminderState.FIRED, fired_at=unit.now,
        )  # fmt: skip
        unit.add(fired)
        args = {"person": alice, "unowned_of": number, "fired_at": unit.now.isoformat()}
        await unit.intend(IntentKind.DIRECT, "direct:unowned:x", args=args)
    await work.settled()
    assert "have no owner" in told(work, "alice") and "Nobody's" in told(work, "alice")
