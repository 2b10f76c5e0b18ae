"""A proposal that is no longer what would be proposed today is decided about anew (design law 8)."""

from __future__ import annotations

import dataclasses

import pytest

from bot.cases import decide, restate, severity
from bot.connectors import Connectors
from bot.connectors.manual import Manual
from bot.incident.errors import Refused
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Severity
from bot.store import Store
from tests import opened as case
from tests.cases.containing import ALICE, BOB, Room, room

S = ActionState


async def safe_mode(inc: Room) -> int:
    return next(a.index for a in await inc.actions() if a.kind is ActionKind.ENABLE_SAFE_MODE)


async def executions(inc: Room) -> list[str]:
    return [row.key for row in await case.intents(inc.store, inc.number, IntentKind.EXECUTE)]


async def test_another_connector_is_shown_before_anything_is_carried_out(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        before = await inc.action(index)
        ctx = dataclasses.replace(inc.ctx, connectors=Connectors({"manual": Manual()}, {}))
        answer = await decide.approve(ctx, ALICE, inc.number, index=index, digest=before.digest[:16])
        assert "it would be carried out by “manual”" in answer and "Nothing was carried out" in answer
        assert f"press *Approve* there, or type `/incident contain approve {index}`" in answer
        now = await inc.action(index)
        assert (now.state, now.connector, now.edition) == (S.PROPOSED, "manual", 2)
        assert now.digest != before.digest and not await executions(inc) and not await inc.approvals()
        [entry] = await inc.timeline(Happened.ACTION_RESTATED)
        assert (entry.data["actions"], entry.data["digests"]) == ([index], {str(index): now.digest})
        with pytest.raises(Refused, match="changed after it was shown to you"):
            await decide.approve(ctx, ALICE, inc.number, index=index, digest=before.digest[:16])
        await decide.approve(ctx, ALICE, inc.number, index=index, digest=now.digest[:16])
        assert await executions(inc) == [f"execute:{inc.number}:{index}"]


async def test_what_needs_a_second_person_by_now_waits_for_one(store: Store) -> None:
    """As when the organisation's file takes the way back away: the webhook lost its `revert_url`."""
    async with room(store) as inc, room(store, user="other", revert=False) as without:
        index = await inc.propose()
        answer = await decide.approve(without.ctx, ALICE, inc.number, index=index, reason="the logs are being saved")
        assert "it cannot be undone" in answer and "2 must sign it" in answer
        await decide.approve(without.ctx, ALICE, inc.number, index=index, reason="the logs are being saved")
        assert not await executions(inc)


async def test_a_signature_for_what_it_was_does_not_count_for_what_it_is(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        shown = (await inc.action(index)).digest
        await severity.change(inc.ctx, ALICE, inc.number, severity=Severity.SEV2, reason="less than thought")
        with pytest.raises(Refused, match="changed after it was shown to you"):
            await decide.approve(inc.ctx, BOB, inc.number, index=index, digest=shown[:16])
        now = (await inc.action(index)).digest[:16]
        with pytest.raises(Refused, match="Only the commander"):  # the first signature is an approver's again
            await decide.approve(inc.ctx, BOB, inc.number, index=index, digest=now)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index, digest=now)
        assert not await executions(inc)
        await decide.approve(inc.ctx, BOB, inc.number, index=index, digest=now)
        assert len(await executions(inc)) == 1
        assert len(await inc.approvals()) == 2, "one row a person; the timeline keeps the earlier signature"
        signed = await inc.timeline(Happened.ACTION_SIGNED, Happened.ACTION_APPROVED)
        assert [(e.actor, e.data["signature"], e.data["of"]) for e in signed] == [
            ("U0ALICE", 1, 2), ("U0ALICE", 1, 2), ("U0BOB", 2, 2)
        ]  # fmt: skip


async def test_a_severity_restates_what_waits_and_nothing_that_was_decided(store: Store) -> None:
    async with room(store) as inc:
        waits, decided = await inc.propose(target="eve-1"), await inc.propose(target="eve-2")
        await decide.approve(inc.ctx, ALICE, inc.number, index=decided)
        await severity.change(inc.ctx, ALICE, inc.number, severity=Severity.SEV2, reason="less than thought")
        assert ((await inc.action(waits)).edition, (await inc.action(decided)).edition) == (2, 1)
        [entry] = await inc.timeline(Happened.ACTION_RESTATED)
        assert waits in entry.data["actions"] and decided not in entry.data["actions"]
        await inc.work()
        assert (await inc.action(decided)).state is S.VERIFIED, "it is carried out as it was approved"


async def test_what_is_the_same_as_ever_is_left_alone(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        async with store.unit() as unit:
            incident = await unit.incident(inc.number)
            action = next(a for a in await inc.actions() if a.index == index)
            assert restate.outdated(inc.ctx, unit, incident, action) is None
