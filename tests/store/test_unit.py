"""One use case, one transaction: together or not at all, each inbound act once, numbers without gaps (laws 2 and 4)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select

from bot.incident.errors import NotFound, Repeated
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import (
    InboundKey,
    Intent,
    IntentKind,
    Planned,
    Reminder,
    ReminderKind,
    ReminderState,
    SurfaceKind,
)
from bot.incident.timeline import Happened, TimelineEntry
from bot.store import Store, queries
from tests.conftest import Clock, open_incident


class Crash(BaseException):
    """What no `except Exception` stops."""


async def counted(store: Store) -> dict[str, int]:
    async with store.read() as session:
        nouns = (Incident, TimelineEntry, Intent, InboundKey, Reminder)
        return {noun.__name__: (await session.exec(select(func.count()).select_from(noun))).one() for noun in nouns}


@pytest.mark.parametrize("crash", [Crash, RuntimeError, asyncio.CancelledError])
async def test_a_crash_in_the_middle_leaves_nothing(store: Store, crash: type[BaseException]) -> None:
    async def use_case() -> None:
        async with store.unit(inbound="click:1") as unit:
            incident = await open_incident(unit)
            await unit.intend(IntentKind.OPEN_ROOM, "open:1", incident=incident)
            await unit.flush()
            raise crash

    with pytest.raises(crash):
        await use_case()
    assert set((await counted(store)).values()) == {0}


async def test_state_timeline_and_intents_are_there_together(store: Store) -> None:
    async with store.unit(inbound="click:1") as unit:
        incident = await open_incident(unit)
        await unit.intend(IntentKind.OPEN_ROOM, "open:1", incident=incident)
    assert await counted(store) == {
        "Incident": 1, "TimelineEntry": 1, "Intent": 1, "InboundKey": 1, "Reminder": 0,
    }  # fmt: skip


async def test_the_second_delivery_gets_the_first_ones_answer(store: Store) -> None:
    async with store.unit(inbound="click:1") as unit:
        await open_incident(unit)
        unit.answer("INC-1 is open.")
    with pytest.raises(Repeated) as repeated:
        async with store.unit(inbound="click:1") as unit:
            await open_incident(unit)
    assert repeated.value.answer == "INC-1 is open."
    assert (await counted(store))["Incident"] == 1


async def test_an_inbound_act_that_failed_may_come_again(store: Store) -> None:
    with pytest.raises(NotFound):
        async with store.unit(inbound="click:1") as unit:
            await unit.incident(404)
    async with store.unit(inbound="click:1") as unit:
        unit.answer("now it worked")
    with pytest.raises(Repeated, match="now it worked"):
        async with store.unit(inbound="click:1"):
            pytest.fail("the unit must not begin")


async def test_of_many_deliveries_at_once_one_counts(store: Store, database_url: str, clock: Clock) -> None:
    other = Store(database_url, now=clock)

    async def deliver(to: Store) -> str:
        try:
            async with to.unit(inbound="event:1") as unit:
                return unit.answer((await open_incident(unit)).name)
        except Repeated as repeated:
            return f"again {repeated.answer}"

    answers = await asyncio.gather(*(deliver(to) for to in (store, other) * 10))
    await other.close()
    assert sorted(answers) == ["INC-1"] + ["again INC-1"] * 19
    assert (await counted(store))["Incident"] == 1


async def test_fifty_that_open_at_once_are_numbered_without_gaps(store: Store, database_url: str, clock: Clock) -> None:
    """A third of them is refused by the constraint that one subject has one open incident: its number is used again."""
    other = Store(database_url, now=clock)

    async def declare(to: Store, n: int) -> int | None:
        try:
            async with to.unit() as unit:
                return (await open_incident(unit, dedup_key=f"key-{n % 34}")).number
        except IntegrityError:
            return None

    numbers = await asyncio.gather(*(declare((store, other)[n % 2], n) for n in range(50)))
    await other.close()
    assert sorted(n for n in numbers if n is not None) == list(range(1, 35))
    assert numbers.count(None) == 16


async def test_an_ended_incident_frees_its_subject_for_a_new_one(store: Store) -> None:
    async with store.unit() as unit:
        (await open_incident(unit, dedup_key="same")).ended_at = unit.now
    async with store.unit() as unit:
        assert (await open_incident(unit, dedup_key="same")).number == 2


async def test_two_use_cases_on_one_incident_happen_one_after_the_other(
    store: Store, database_url: str, clock: Clock
) -> None:
    """Each has read the incident before it locks it: what it then sees is what the one before has written."""
    async with store.unit() as unit:
        await open_incident(unit, channel_id="C1")
    other = Store(database_url, now=clock)

    async def note(to: Store, n: int) -> None:
        async with to.unit() as unit:
            assert await queries.in_channel(unit.session, "C1") is not None
            unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text=str(n))

    await asyncio.gather(*(note((store, other)[n % 2], n) for n in range(20)))
    await other.close()
    async with store.read() as session:
        assert await queries.verify_timeline(session, 1) == 21


async def test_a_look_sees_one_moment_though_others_write_meanwhile(store: Store, database_url: str) -> None:
    async with store.unit() as unit:
        await open_incident(unit)
    async with store.read() as session:
        assert (await queries.timeline(session, 1))[-1].seq == 1
        async with store.unit() as unit:
            unit.record(await unit.incident(1), Happened.NOTE, SYSTEM, text="meanwhile")
        assert await queries.verify_timeline(session, 1) == 1
    async with store.read() as session:
        assert await queries.verify_timeline(session, 1) == 2


async def test_an_incident_that_does_not_exist_is_refused_by_name(store: Store) -> None:
    async with store.unit() as unit:
        with pytest.raises(NotFound, match="There is no INC-404"):
            await unit.incident(404)


async def test_an_outward_act_is_written_once_under_its_key(store: Store) -> None:
    for text in ("first", "second"):
        async with store.unit() as unit:
            await unit.intend(IntentKind.POST, "post:1", args={"text": text})
    async with store.read() as session:
        assert [intent.args for intent in (await session.exec(select(Intent))).all()] == [{"text": "first"}]


async def test_a_room_shows_its_surfaces_once_it_is_open_and_the_announcement_at_once(store: Store) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit)
        for kind in (SurfaceKind.CARD, SurfaceKind.ANNOUNCEMENT):
            await unit.show(incident, kind)
    assert await shown(store) == ["show:1:announcement:"]
    async with store.unit() as unit:
        incident = await unit.incident(1)
        incident.channel_id = "C1"
        await unit.open_surfaces(incident)
    assert await shown(store) == ["show:1:announcement:", "show:1:card:"]


async def shown(store: Store) -> list[str]:
    async with store.read() as session:
        return list((await session.exec(select(Intent.key).order_by(col(Intent.key)))).all())


async def test_listeners_hear_of_commits_that_leave_something_to_do_and_of_no_others(store: Store) -> None:
    heard: list[str] = []
    store.on_commit(lambda: heard.append("woken"))
    async with store.unit() as unit:
        unit.answer("nothing to do")

    async def fails() -> None:
        async with store.unit() as unit:
            await unit.intend(IntentKind.POST, "post:1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()
    assert heard == []
    async with store.unit() as unit:
        await unit.intend(IntentKind.POST, "post:1")
    assert heard == ["woken"]


async def test_a_reminder_exists_once_and_stops_with_its_incident(store: Store, clock: Clock) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit)
        for _ in range(2):
            await unit.remind(*(Planned(f"r:{n}", 1, ReminderKind.UPDATE_DUE, clock.now, {}) for n in range(2)))
        await unit.remind()
        await unit.stop_reminders(incident, where=[col(Reminder.key) == "r:1"])
    async with store.read() as session:
        states = {reminder.key: reminder.state for reminder in (await session.exec(select(Reminder))).all()}
    assert states == {"r:0": ReminderState.PENDING, "r:1": ReminderState.STOPPED}
