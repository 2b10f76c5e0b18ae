"""Storms: a burst about one trigger in one application does not become sixty rooms (issue: storms)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlmodel import col, select

from bot.cases import acknowledge, finish, roles, update
from bot.cases.context import Context
from bot.cases.receive import AlertIn, Received, receive
from bot.incident.caller import Caller
from bot.incident.casefile import CaseFile
from bot.incident.incident import GatheredSubject, Incident, person
from bot.incident.outward import Intent, IntentKind, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import Role, Severity
from bot.slack.cards import render
from bot.slack.kit import Message
from bot.store import Store, queries
from tests import opened as case
from tests.conftest import Clock

ALICE = Caller(person("U0ALICE"))
TRIGGER = "credential_leakage_confirmed"  # gathers after 3 within 10 minutes


async def fire(ctx: Context, user: str | None, **changed: Any) -> Received:
    fields = {"trigger": TRIGGER, "title": "A key was in an answer", "app": "chat"} | changed
    if user is not None:
        fields["subject"] = {"kind": "user", "id": user}
    return await receive(ctx, "native", AlertIn.model_validate(fields))


async def fires(ctx: Context, count: int, start: int = 0, **changed: Any) -> list[str]:
    return [(await fire(ctx, f"user-{n}", **changed)).incident for n in range(start, start + count)]


async def file(store: Store, number: int) -> CaseFile:
    async with store.read() as session:
        return await queries.case_file(session, number, store.now())


async def incidents(store: Store) -> list[Incident]:
    async with store.read() as session:
        return list((await session.exec(select(Incident).order_by(col(Incident.number)))).all())


def card(file: CaseFile, kind: str = "card") -> Message:
    return render(SurfaceKind(kind), "", file, case.playbook())


def text(message: Message) -> str:
    return str(message.payload())


async def test_after_the_first_rooms_further_subjects_are_gathered_in_the_oldest(store: Store) -> None:
    ctx = case.context(store)
    assert await fires(ctx, 60) == ["INC-1", "INC-2", "INC-3"] + ["INC-1"] * 57
    first, *others = await incidents(store)
    assert (first.alert_count, first.gathered, [one.alert_count for one in others]) == (58, 57, [1, 1])
    assert len(await case.intents(store, 1, IntentKind.OPEN_ROOM)) == 1


async def test_each_subject_is_counted_and_a_subject_is_never_counted_as_two(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 5)
    for _ in range(4):
        assert (await fire(ctx, "user-4")).model_dump() == {"incident": "INC-1", "status": "attached"}
    assert (await fire(ctx, "user-1")).incident == "INC-2", "who has a room keeps it"
    found = await file(store, 1)
    assert [(one.subject_id, one.alerts) for one in found.gathered] == [("user-4", 5), ("user-3", 1)]
    assert (found.incident.gathered, found.incident.alert_count) == (2, 7)


async def test_sixty_at_once_on_several_connections_open_as_many_rooms_as_one_after_the_other(
    store: Store, database_url: str, clock: Clock
) -> None:
    """The database decides: with only a look before the insert, more would open."""
    other = Store(database_url, now=clock)
    contexts = [case.context(store), case.context(other)]
    await asyncio.gather(*(fire(contexts[n % 2], f"user-{n // 2}") for n in range(60)))
    await other.close()
    rows = await incidents(store)
    assert len(rows) == 3
    assert sum(one.alert_count for one in rows) == 60
    async with store.read() as session:
        counted = (await session.exec(select(GatheredSubject))).all()
    assert len({one.dedup_key for one in counted}) == len(counted) == rows[0].gathered == 27
    assert {one.alerts for one in counted} == {2}


async def test_other_triggers_and_other_applications_open_their_own(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 4)
    assert (await fire(ctx, "user-9", trigger="jailbreak_success")).status == "opened"
    assert (await fire(ctx, "user-9", app="search")).status == "opened"
    assert (await fire(ctx, "user-9", app=None)).status == "opened"


async def test_a_redelivery_in_a_storm_changes_nothing(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3)
    assert (await fire(ctx, "user-7", external_id="a")).status == "attached"
    assert (await fire(ctx, "user-7", external_id="a")).status == "repeated"
    assert (await file(store, 1)).incident.alert_count == 2


async def test_slow_alerts_are_no_storm(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    for n in range(6):
        assert (await fire(ctx, f"user-{n}")).status == "opened"
        clock.advance(minutes=4)


async def test_a_storm_lasts_until_a_whole_window_was_quiet(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    await fires(ctx, 4)
    for n in range(10, 14):
        clock.advance(minutes=9)
        assert (await fire(ctx, f"user-{n}")).incident == "INC-1"
    clock.advance(minutes=10, seconds=1)
    assert (await fire(ctx, "user-20")).incident == "INC-4"
    assert (await fire(ctx, "user-12")).incident == "INC-1", "who was gathered stays where the work is"


async def test_a_session_of_who_was_gathered_is_counted_with_them_also_after_the_storm(
    store: Store, clock: Clock
) -> None:
    ctx = case.context(store)
    for number in range(6):
        await fire(ctx, f"user-{number}", session_id=f"s-{number}")
    session = {"subject": {"kind": "session", "id": "s-5"}}
    assert (await fire(ctx, None, **session)).incident == "INC-1"
    clock.advance(minutes=30)
    assert (await fire(ctx, None, **session)).incident == "INC-1"
    assert (await fire(ctx, "user-5", session_id="s-50")).incident == "INC-1"
    assert (await fire(ctx, None, subject={"kind": "session", "id": "s-50"})).incident == "INC-1", (
        "the latest one counts"
    )
    found = await file(store, 1)
    assert next((one.subject_id, one.alerts) for one in found.gathered) == ("user-5", 5)
    assert (found.incident.gathered, found.incident.alert_count) == (3, 8), "a session is no further subject"
    clock.advance(minutes=30)
    for other in (
        {"subject": {"kind": "session", "id": "s-99"}},
        {**session, "app": "search"},
        {**session, "trigger": "jailbreak_success"},
        {"subject": {"kind": "user", "id": "user-77"}, "session_id": "s-5"},
    ):
        assert (await fire(ctx, None, **other)).status == "opened", other


async def test_an_incident_that_ended_gathers_nothing_more(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 4)
    async with store.unit() as unit:
        from bot.incident.incident import RoleHeld

        unit.add(RoleHeld(incident=1, role=Role.COMMANDER, person="U0ALICE", since=unit.now, by="U0ALICE"))
    await finish.false_positive(ctx, ALICE, 1, reason="a test of ours")
    assert (await fire(ctx, "user-3")).incident == "INC-4", "two are open: there is room for a third"
    assert (await fire(ctx, "user-30")).incident == "INC-2"


async def test_the_worst_of_a_storm_decides_its_severity(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3, severity=3)
    await fire(ctx, "user-8", severity=1)
    assert (await file(store, 1)).incident.severity is Severity.SEV1


async def test_the_plan_stays_that_of_the_first_subject(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3)
    before = [(one.kind, one.scope_id) for one in (await file(store, 1)).actions]
    await fires(ctx, 10, start=3)
    assert [(one.kind, one.scope_id) for one in (await file(store, 1)).actions] == before


async def test_the_room_is_told_once_and_the_timeline_names_who(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 10)
    said = [one.args["message"] for one in await case.intents(store, 1, IntentKind.POST)]
    assert said.count("storm_began") == 1
    async with store.read() as session:
        entries = await queries.timeline(session, 1)
    assert [entry.kind for entry in entries].count(Happened.STORM_BEGAN) == 1
    attached = [entry.data["subject"] for entry in entries if entry.kind is Happened.ALERT_ATTACHED]
    assert attached == [f"user-{n}" for n in range(3, 10)]
    async with store.read() as session:
        assert await queries.verify_timeline(session, 1) == len(entries)


async def test_the_card_counts_the_others_and_names_a_few_and_obeys_none(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3)
    for _ in range(3):
        await fire(ctx, "<!channel> `x` *bold*")
    await fires(ctx, 20, start=50)
    shown = text(card(await file(store, 1)))
    assert "*21* other subjects" in shown and "… and 16 more" in shown
    assert "<!channel>" not in shown
    assert "&lt;!channel&gt;" in shown


async def test_the_announcement_has_one_line_with_a_number_and_no_names(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 60)
    shown = text(card(await file(store, 1), "announcement"))
    assert "58 in all" in shown
    assert "user-" not in shown


@pytest.mark.parametrize("gathered", [True, False])
async def test_nothing_is_said_of_a_storm_where_there_is_none(store: Store, gathered: bool) -> None:
    ctx = case.context(store)
    await fires(ctx, 4 if gathered else 3)
    found = await file(store, 1)
    assert ("Storm" in text(card(found))) is gathered
    assert ("burst" in text(card(found, "announcement"))) is gathered


async def test_a_trigger_may_forbid_storms(store: Store) -> None:
    import dataclasses

    ctx = case.context(store)
    triggers = dict(ctx.playbook.triggers)
    triggers[TRIGGER] = triggers[TRIGGER].model_copy(update={"storm_window_minutes": 0})
    ctx = dataclasses.replace(ctx, playbook=dataclasses.replace(ctx.playbook, triggers=triggers))
    assert len(set(await fires(ctx, 6))) == 6


# What stakeholders read


def line(file: CaseFile) -> str:
    return text(card(file, "announcement"))


async def generation(store: Store, key: str) -> int:
    """How often it was to be shown."""
    async with store.read() as session:
        return (await session.exec(select(Intent.generation).where(Intent.key == key))).one()


async def ends(ctx: Context, number: int) -> None:
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person=ALICE.actor.id)
    await finish.false_positive(ctx, ALICE, number, reason="a test of ours")


def has_line(file: CaseFile) -> bool:
    return file.surface(SurfaceKind.ANNOUNCEMENT) is not None


async def test_the_rooms_of_a_burst_are_one_line_to_stakeholders(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3)
    assert [has_line(await file(store, n)) for n in (1, 2, 3)] == [True, False, False]
    assert "INC-2 (SEV-1, open), INC-3 (SEV-1, open)" in line(await file(store, 1))


async def test_what_is_worse_another_app_or_much_later_has_a_line_of_its_own(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    await fire(ctx, "user-1", severity=2)
    await fire(ctx, "user-2", severity=1)
    await fire(ctx, "user-3", app="billing")
    clock.advance(minutes=30)
    await fire(ctx, "user-4")
    assert all([has_line(await file(store, n)) for n in (1, 2, 3, 4)])


async def test_a_change_in_the_other_room_has_the_line_rendered_again(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 2)
    before = await generation(store, "show:1:announcement:")
    await acknowledge.acknowledge(ctx, ALICE, 2)
    assert await generation(store, "show:1:announcement:") > before
    assert "INC-2 (SEV-1, acknowledged)" in line(await file(store, 1))


async def test_when_the_first_ends_the_next_that_runs_tells_stakeholders_of_the_rest(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 3)
    await ends(ctx, 1)
    assert "About the same" not in line(await file(store, 1))
    assert has_line(await file(store, 2)) and "INC-3" in line(await file(store, 2))
    assert not has_line(await file(store, 3))


async def test_an_update_gives_its_incident_a_line_of_its_own(store: Store) -> None:
    ctx = case.context(store)
    await fires(ctx, 2)
    await roles.assign(ctx, ALICE, 2, role=Role.COMMANDER, person=ALICE.actor.id)
    await update.update(ctx, ALICE, 2, text="One customer is affected.")
    assert has_line(await file(store, 2)) and "One customer is affected." in line(await file(store, 2))
    assert "INC-2" not in line(await file(store, 1))
