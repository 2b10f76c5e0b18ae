from __future__ import annotations

import pytest

from bot.cases import acknowledge, attempt, decide, revert
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Status
from bot.store import Store, queries
from tests.cases.containing import ALICE, Room, room
from tests.conftest import Clock

S = ActionState


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def approved(inc: Room, target: str) -> int:
    index = await inc.propose(target=target)
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    return index


async def phases(inc: Room) -> set[str]:
    async with inc.store.read() as session:
        surfaces: list[Surface] = list((await queries.case_file(session, inc.number, inc.store.now())).surfaces)
    return {surface.part for surface in surfaces if surface.kind is SurfaceKind.CHECKLIST}


async def test_verified_means_contained_and_the_next_checklists_begin(store: Store) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        await approved(inc, "eve")
        assert (await inc.incident()).status is Status.ACKNOWLEDGED
        await inc.work()
        incident = await inc.incident()
        assert (incident.status, incident.contained_at) == (Status.CONTAINED, inc.store.now())
        assert {"investigation", "remediation"} <= await phases(inc)
        [entry] = await inc.timeline(Happened.STATUS_CHANGED)
        assert (entry.data["from"], entry.data["to"]) == ("acknowledged", "contained")


async def test_what_ran_before_the_acknowledgement_counts_with_it(store: Store) -> None:
    async with room(store, auto_contain="single_subject") as inc:
        await inc.work()
        assert (await inc.incident()).status is Status.OPEN
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        assert (await inc.incident()).status is Status.CONTAINED


async def test_one_unknown_action_keeps_the_incident_from_being_contained(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        inc.far.faults.append("error_before")
        unknown = await approved(inc, "eve")
        await inc.work()
        await approved(inc, "another")
        await inc.work()
        assert (await inc.action(unknown)).state is S.UNKNOWN
        assert (await inc.incident()).status is Status.ACKNOWLEDGED
        clock.advance(seconds=61)
        await inc.work()
        assert (await inc.incident()).status is Status.CONTAINED


async def test_a_failed_action_alone_contains_nothing(store: Store) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        inc.far.faults.append("refuse")
        await approved(inc, "eve")
        await inc.work()
        assert (await inc.incident()).status is Status.ACKNOWLEDGED


async def test_with_the_last_action_reverted_it_is_contained_no_more(store: Store) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        first, second = await approved(inc, "eve"), await approved(inc, "another")
        await inc.work()
        when = (await inc.incident()).contained_at
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=first)
        await inc.work()
        assert (await inc.incident()).status is Status.CONTAINED
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=second)
        await inc.work()
        incident = await inc.incident()
        assert (incident.status, incident.contained_at) == (Status.ACKNOWLEDGED, when), "the fact stays a fact"
