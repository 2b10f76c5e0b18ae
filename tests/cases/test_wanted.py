"""Evidence that the playbook wants: asked for once where it is late, insisted on where nothing can be undone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.cases import acknowledge, attach, break_glass, decide, wanted
from bot.cases.attach import Given
from bot.incident.errors import Invalid, Refused
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, EvidenceKind, ScopeKind, Status
from bot.slack.messages import compose
from bot.store import Store, queries
from tests import opened as case
from tests.cases.containing import ALICE, BOB, GUEST, Room, room

K = EvidenceKind


@pytest.fixture
async def inc(store: Store) -> AsyncIterator[Room]:
    async with room(store) as opened:
        yield opened


async def asked(inc: Room) -> list[dict[str, object]]:
    rows = await case.intents(inc.store, inc.number, IntentKind.POST)
    return [row.args for row in rows if row.args.get("message") == "evidence_wanted"]


async def add(inc: Room, kind: EvidenceKind) -> None:
    await attach.attach(inc.ctx, BOB, inc.number, Given(kind), text=f"some {kind}")


async def contain(inc: Room) -> None:
    await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
    index = await inc.propose()
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    for action in await inc.actions():
        if action.state is ActionState.PROPOSED:
            await decide.decline(inc.ctx, ALICE, inc.number, index=action.index, reason="not needed")
    await inc.work()
    assert (await inc.incident()).status is Status.CONTAINED


async def shown(inc: Room) -> str | None:
    async with inc.store.read() as session:
        file = await queries.case_file(session, inc.number, inc.store.now())
    message = compose(file, inc.ctx.playbook, (await asked(inc))[0])
    return str(message.text) if message is not None else None


async def test_the_room_is_asked_once_for_what_containment_left_missing(inc: Room) -> None:
    await add(inc, K.LOGS)
    await contain(inc)
    assert await asked(inc) == [{"message": "evidence_wanted", "missing": ["model_state"]}]
    assert "*model state*" in str(await shown(inc))
    await add(inc, K.MODEL_STATE)
    assert await shown(inc) is None, "what came meanwhile is not asked for"


async def test_nothing_is_asked_where_everything_is_there(inc: Room) -> None:
    await add(inc, K.LOGS)
    await add(inc, K.MODEL_STATE)
    await contain(inc)
    assert await asked(inc) == []


async def test_somebody_says_why_it_is_missing_and_is_not_asked_again(inc: Room) -> None:
    with pytest.raises(Refused):
        await wanted.waive(inc.ctx, GUEST, inc.number, reason="because")
    with pytest.raises(Invalid):
        await wanted.waive(inc.ctx, BOB, inc.number, reason="  ")
    await wanted.waive(inc.ctx, BOB, inc.number, reason="overwritten before we saw it")
    (entry,) = await inc.timeline(Happened.EVIDENCE_WAIVED)
    assert entry.data["missing"] == ["model_state", "logs"] and entry.data["reason"] == "overwritten before we saw it"
    with pytest.raises(Refused, match="lacks no evidence"):
        await wanted.waive(inc.ctx, BOB, inc.number, reason="again")
    await contain(inc)
    assert await asked(inc) == []


async def test_what_cannot_be_undone_is_not_approved_without_the_evidence_or_a_reason(inc: Room) -> None:
    index = await inc.propose(ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL, "payments")
    assert await wanted.before_undoable(inc.ctx, inc.number, index) == (K.MODEL_STATE, K.LOGS)
    with pytest.raises(Invalid, match="cannot be undone") as refused:
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    assert refused.value.field == "reason" and (await inc.action(index)).state is ActionState.PROPOSED
    await decide.approve(inc.ctx, ALICE, inc.number, index=index, reason="it is being used right now")
    (entry,) = await inc.timeline(Happened.EVIDENCE_WAIVED)
    assert entry.data["before"] == f"Action {index} (rotate credentials)"
    await decide.approve(inc.ctx, BOB, inc.number, index=index, digest=(await inc.action(index)).digest)
    assert (await inc.action(index)).state is ActionState.APPROVED, "the second person is not asked again"


async def test_with_the_evidence_nobody_is_asked_for_a_reason(inc: Room) -> None:
    await add(inc, K.LOGS)
    await add(inc, K.MODEL_STATE)
    index = await inc.propose(ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL, "payments")
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    assert await inc.timeline(Happened.EVIDENCE_WAIVED) == []


async def test_what_can_be_undone_asks_for_nothing_and_break_glass_has_its_own_reason(inc: Room) -> None:
    block = await inc.propose()
    assert await wanted.before_undoable(inc.ctx, inc.number, block) == ()
    await decide.approve(inc.ctx, ALICE, inc.number, index=block)
    async with inc.store.unit() as unit:
        (await unit.incident(inc.number)).channel_id = "C0ROOM"
    index = await inc.propose(ActionKind.ROTATE_CREDENTIALS, ScopeKind.CREDENTIAL, "payments")
    await break_glass.break_glass(inc.ctx, BOB, inc.number, index=index, reason="it goes on", channel="C0ROOM")
    assert (await inc.action(index)).state is ActionState.APPROVED
