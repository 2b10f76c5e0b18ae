from __future__ import annotations

import pytest

from bot.cases import acknowledge, attempt, decide, expire, revert
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Status
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


async def test_verified_means_contained_once_the_plan_is_decided_and_investigation_begins(store: Store) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        await approved(inc, "eve")
        await inc.work()
        assert (await inc.incident()).status is Status.ACKNOWLEDGED, "the rest of the plan waits for a decision"
        await inc.decline_the_rest()
        incident = await inc.incident()
        assert (incident.status, incident.contained_at) == (Status.CONTAINED, inc.store.now())
        assert "investigation" in await phases(inc)
        [entry] = await inc.timeline(Happened.STATUS_CHANGED)
        assert (entry.data["from"], entry.data["to"]) == ("acknowledged", "contained")


async def test_what_ran_before_the_acknowledgement_counts_with_it(store: Store) -> None:
    async with room(store, auto_contain="single_subject") as inc:
        await inc.work()
        assert (await inc.incident()).status is Status.OPEN
        await inc.decline_the_rest()
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
        await inc.decline_the_rest()
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
        await inc.decline_the_rest()
        when = (await inc.incident()).contained_at
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=first)
        await inc.work()
        assert (await inc.incident()).status is Status.CONTAINED
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=second)
        await inc.work()
        incident = await inc.incident()
        assert (incident.status, incident.contained_at) == (Status.ACKNOWLEDGED, when), "the fact stays a fact"


async def test_of_two_alternatives_one_is_enough(store: Store) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        await approved(inc, "eve")
        await inc.work()
        other = next(one for one in await inc.actions() if one.state is S.PROPOSED)
        await inc.tamper(other.index, alternative_to=ActionKind.BLOCK_USER)
        for action in await inc.actions():
            if action.state is S.PROPOSED and action.index != other.index:
                await decide.decline(inc.ctx, ALICE, inc.number, index=action.index, reason="not needed")
        assert (await inc.incident()).status is Status.CONTAINED
        assert (await inc.action(other.index)).state is S.PROPOSED


async def test_a_proposal_that_expires_no_longer_keeps_it_from_being_contained(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        await approved(inc, "eve")
        await inc.work()
        clock.advance(hours=2)
        for action in await inc.actions():
            async with store.unit() as unit:
                await expire.expire(inc.ctx, unit, await unit.incident(inc.number), action.index)
        assert (await inc.incident()).status is Status.CONTAINED
