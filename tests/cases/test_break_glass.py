"""Break-glass: whoever is in the room may, everybody sees it, and nothing that was decided is undone by it."""

from __future__ import annotations

import dataclasses

import pytest

from bot.cases import decide, finish
from bot.cases.break_glass import break_glass
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.incident import SYSTEM, Incident
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Decision, Via
from bot.store import Store
from bot.store.counts import counts
from tests import opened as case
from tests.cases.containing import ALICE, BOB, CAROL, GUEST, Room, room
from tests.conftest import Clock

S = ActionState
ROOM = "C0ROOM"
WHY = "nobody who may approve answers, and data is leaving"


async def in_room(inc: Room, **values: object) -> None:
    async with inc.store.unit() as unit:
        incident = await unit.incident(inc.number)
        incident.channel_id = ROOM
        for name, value in values.items():
            setattr(incident, name, value)


async def breaks(
    inc: Room, caller: Caller, index: int, *, why: str = WHY, channel: str | None = ROOM, digest: str | None = None
) -> str:
    return await break_glass(inc.ctx, caller, inc.number, index=index, reason=why, channel=channel, digest=digest)


async def safe_mode(inc: Room) -> int:
    return next(a.index for a in await inc.actions() if a.kind is ActionKind.ENABLE_SAFE_MODE)


async def counted(store: Store) -> int:
    async with store.read() as session:
        return (await counts(session, store.now())).glass_broken


async def test_a_responder_without_a_role_has_a_two_person_action_carried_out_at_once_and_loudly(store: Store) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await safe_mode(inc)
        action = await inc.action(index)
        assert action.signatures == 2
        answer = await breaks(inc, dataclasses.replace(BOB, via=Via.PANEL), index, digest=action.digest[:16])
        assert "You broke the glass" in answer and "<@U0ALICE> and the room are told" in answer
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED
        [row] = await inc.approvals()
        assert (row.decision, row.person, row.role, row.reason) == (Decision.BREAK_GLASS, "U0BOB", "break_glass", WHY)
        [entry] = await inc.timeline(Happened.GLASS_BROKEN)
        assert (entry.actor, entry.data["reason"], entry.data["via"]) == ("U0BOB", WHY, "panel")
        assert (entry.data["digest"], entry.data["of"]) == (action.digest, 2)
        assert not await inc.timeline(Happened.ACTION_APPROVED, Happened.ACTION_SIGNED), "nobody approved it"
        posts = [row.args for row in await case.intents(store, inc.number, IntentKind.POST)]
        assert {"message": "glass_broken", "action": index} in posts
        assert await counted(store) == 1


async def test_a_reason_is_needed_with_an_example_and_no_secret_of_it_is_kept(store: Store) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await inc.propose()
        with pytest.raises(Invalid, match=r"Say why .* `/incident contain break-glass \d+ nobody who may approve"):
            await breaks(inc, BOB, index, why="  ")
        await breaks(inc, BOB, index, why="the key AKIAIOSFODNN7EXAMPLE is in use")
        [entry] = await inc.timeline(Happened.GLASS_BROKEN)
        assert "AKIAIOSFODNN7EXAMPLE" not in entry.data["reason"]


@pytest.mark.parametrize(
    ("caller", "channel", "words"),
    [
        (GUEST, ROOM, "full member"),
        (Caller(SYSTEM), ROOM, "Only a person"),
        (BOB, "C0ELSEWHERE", "in the room of INC-1 only"),
        (BOB, "D0DIRECT", "in the room of INC-1 only"),
        (BOB, None, "in the room of INC-1 only"),
    ],
)
async def test_it_is_for_full_members_in_the_room_alone(
    store: Store, caller: Caller, channel: str | None, words: str
) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await inc.propose()
        with pytest.raises(Refused, match=words):
            await breaks(inc, caller, index, channel=channel)
        assert (await inc.action(index)).state is S.PROPOSED
        assert not await inc.approvals() and not await inc.timeline(Happened.GLASS_BROKEN)


async def test_while_there_is_no_room_nobody_breaks_the_glass(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        with pytest.raises(Refused, match="in the room of INC-1 only"):
            await breaks(inc, BOB, index, channel=None)


async def test_what_was_decided_expired_or_changed_is_not_undone_by_it(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await in_room(inc)
        declined = await inc.propose(target="eve-1")
        await decide.decline(inc.ctx, ALICE, inc.number, index=declined, reason="wrong person")
        with pytest.raises(Refused, match="was declined by <@U0ALICE>"):
            await breaks(inc, BOB, declined)
        changed = await inc.propose(target="eve-2")
        shown = (await inc.action(changed)).digest
        await inc.tamper(changed, scope_id="somebody-else")
        with pytest.raises(Refused, match="changed after it was shown to you"):
            await breaks(inc, BOB, changed, digest=shown[:16])
        late = await inc.propose(target="eve-3")
        clock.advance(minutes=60)
        with pytest.raises(Refused, match="expired at"):
            await breaks(inc, BOB, late)
        assert not await case.intents(store, inc.number, IntentKind.EXECUTE)


async def test_nothing_is_broken_after_the_end(store: Store) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await inc.propose()
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="it was a test")
        with pytest.raises(Refused, match="expired before anybody decided"):
            await breaks(inc, BOB, index)


async def test_who_signed_first_may_break_the_glass_when_no_second_person_comes(store: Store) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await safe_mode(inc)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await breaks(inc, ALICE, index)
        [row] = await inc.approvals()
        assert row.decision is Decision.BREAK_GLASS
        kinds = [e.kind for e in await inc.timeline(Happened.ACTION_SIGNED, Happened.GLASS_BROKEN)]
        assert kinds == [Happened.ACTION_SIGNED, Happened.GLASS_BROKEN], "the timeline keeps both"
        with pytest.raises(Refused, match="was approved by <@U0ALICE>"):
            await decide.approve(inc.ctx, CAROL, inc.number, index=index)


async def test_the_same_press_twice_counts_once_and_is_answered_alike(store: Store) -> None:
    async with room(store) as inc:
        await in_room(inc)
        index = await inc.propose()
        caller = Caller(BOB.actor, inbound="view:V1")
        first = await breaks(inc, caller, index)
        with pytest.raises(Repeated) as again:
            await breaks(inc, caller, index)
        assert again.value.answer == first
        assert len(await inc.timeline(Happened.GLASS_BROKEN)) == 1


async def test_in_a_drill_it_is_the_same_and_never_counted(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        await in_room(inc, drill=True)
        index = await inc.propose()
        await breaks(inc, BOB, index)
        incident: Incident = await inc.incident()
        assert incident.drill and await inc.timeline(Happened.GLASS_BROKEN)
        assert await counted(store) == 0
