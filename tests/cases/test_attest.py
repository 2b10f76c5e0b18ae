from __future__ import annotations

import pytest

from bot.cases import acknowledge, attest, decide, revert, roles
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.incident import person
from bot.incident.timeline import Happened
from bot.incident.words import ActionState, Role, Status
from bot.store import Store
from tests.cases.containing import ALICE, BOB, CAROL, GUEST, Room, room

S = ActionState


async def waiting(inc: Room) -> int:
    index = await inc.propose()
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    await inc.work()
    return index


async def test_a_person_attests_and_it_counts_as_verified_by_them(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        index = await waiting(inc)
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        assert (await inc.incident()).status is Status.ACKNOWLEDGED, "nobody has said that it is done"
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.TECHNICAL_LEAD, person="U0BOB")
        await attest.attest(inc.ctx, BOB, inc.number, index=index, statement="blocked eve, a request as her got 403")
        action = await inc.action(index)
        assert action.state is S.VERIFIED
        assert "blocked eve" in (action.result or "")
        [entry] = await inc.timeline(Happened.ACTION_VERIFIED)
        assert (entry.actor, entry.data["attested"]) == ("U0BOB", True)
        await inc.decline_the_rest()
        assert (await inc.incident()).status is Status.CONTAINED


@pytest.mark.parametrize(("caller", "words"), [(CAROL, "Only the commander"), (GUEST, "full member")])
async def test_who_has_no_part_in_the_incident_cannot_attest(store: Store, caller: Caller, words: str) -> None:
    async with room(store, by_hand=True) as inc:
        index = await waiting(inc)
        with pytest.raises(Refused, match=words):
            await attest.attest(inc.ctx, caller, inc.number, index=index, statement="done")
        assert (await inc.action(index)).state is S.EXECUTING


async def test_a_statement_is_needed_and_redacted(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        index = await waiting(inc)
        with pytest.raises(Invalid, match="Say what you did"):
            await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement=" ")
        key = "AK" + "IA" + "QWERTYUIOPASDFGH"
        await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement=f"revoked {key}")
        assert key not in ((await inc.action(index)).result or "")
        assert not any(key in str(entry.data) for entry in await inc.timeline())


async def test_nothing_is_attested_that_nobody_waits_for(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        with pytest.raises(Refused, match="is proposed: nothing waits"):
            await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="done")
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        with pytest.raises(Refused, match="is verified: nothing waits"):
            await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="done")


async def test_what_a_system_is_carrying_out_cannot_be_attested_meanwhile(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.tamper(index, state=S.EXECUTING)
        with pytest.raises(Refused, match="nothing waits"):
            await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="done")


async def test_an_outcome_that_is_not_known_is_settled_by_who_looked(store: Store) -> None:
    async with room(store, verify=False) as inc:
        index = await waiting(inc)
        assert (await inc.action(index)).state is S.UNKNOWN
        await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="seen in their console")
        assert (await inc.action(index)).state is S.VERIFIED
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        with pytest.raises(Refused, match="is being reverted right now"):
            await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="gone")
        await inc.work()
        assert f"{index}:revert_asked_1" in await inc.told()
        assert (await inc.action(index)).state is S.UNKNOWN, "the system said yes and nobody has looked"
        await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="gone from their console")
        assert (await inc.action(index)).state is S.REVERTED


async def test_what_was_done_by_hand_is_undone_by_hand(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        index = await waiting(inc)
        await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="done")
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        action = await inc.action(index)
        assert (action.state, "Undo it now by hand" in (action.result or "")) == (S.VERIFIED, True)
        await attest.attest(inc.ctx, ALICE, inc.number, index=index, statement="undone")
        assert (await inc.action(index)).state is S.REVERTED
        [entry] = await inc.timeline(Happened.ACTION_REVERTED)
        assert entry.data["attested"] is True


async def test_a_repeated_press_attests_once(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        index = await waiting(inc)
        caller = Caller(person("U0ALICE"), inbound="view:V2")
        first = await attest.attest(inc.ctx, caller, inc.number, index=index, statement="done")
        with pytest.raises(Repeated) as again:
            await attest.attest(inc.ctx, caller, inc.number, index=index, statement="done")
        assert again.value.answer == first
        assert len(await inc.timeline(Happened.ACTION_VERIFIED)) == 1
