"""The way back to normal: nothing stays in force in silence, and what was done last is undone first."""

from __future__ import annotations

import pytest

from bot.cases import attempt, decide, finish, recovery, revert, roles, undo
from bot.cases.acknowledge import acknowledge
from bot.cases.gave_up import gave_up
from bot.cases.recovery import Decided
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Role, ScopeKind, Severity, Status
from bot.store import Store
from bot.store.runner import Later, Runner
from tests import opened as case
from tests.cases.containing import ALICE, BOB, Room, room, with_connector
from tests.conftest import Clock

K, C, S = ActionKind, ScopeKind, ActionState


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def in_force(inc: Room, clock: Clock, *targets: str) -> list[int]:
    """Contain these one after the other."""
    indexes = []
    for target in targets:
        clock.advance(seconds=5)
        indexes.append(await inc.propose(target=target))
        await decide.approve(inc.ctx, ALICE, inc.number, index=indexes[-1])
        await inc.work()
        assert (await inc.action(indexes[-1])).state in {S.VERIFIED, S.EXECUTING}
    return indexes


async def resolve(inc: Room, **decided: object) -> str:
    return await case.resolve(inc.ctx, ALICE, inc.number, reason="the filter is live", decided=Decided(**decided))  # type: ignore[arg-type]


async def acknowledged(inc: Room) -> None:
    await acknowledge(inc.ctx, ALICE, inc.number)


async def test_what_is_in_force_must_be_decided_about_before_the_end(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        first, second = await in_force(inc, clock, "eve", "trudy")
        with pytest.raises(
            Refused, match=rf"Still in force: {second} \(block user\), {first} \(block user\). Decide about"
        ):
            await resolve(inc)
        with pytest.raises(Refused, match=rf"Still in force: {second} "):
            await resolve(inc, revert=frozenset({first}))
        with pytest.raises(Invalid, match="Say why it stays in force"):
            await resolve(inc, revert=frozenset({first}), keep=frozenset({second}), because=" ")
        with pytest.raises(Refused, match="Action 99 is not in force"):
            await resolve(inc, everything=True, keep=frozenset({99}), because="it is")
        with pytest.raises(Invalid, match="both reverted and kept"):
            await resolve(inc, revert=frozenset({first}), keep=frozenset({first, second}), because="it is")
        assert (await inc.incident()).status is not Status.RESOLVED
        assert not await inc.timeline(Happened.REVERT_ASKED, Happened.ACTION_KEPT)


async def test_the_latest_is_reverted_first_and_what_stays_is_written_down(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        first, second, third = await in_force(inc, clock, "eve", "trudy", "oscar")
        secret = "AK" + "IA" + "QWERTYUIOPASDFGH"
        keep = {"keep": frozenset({second}), "because": f"trudy's account was taken over with {secret}"}
        answer = await resolve(inc, revert=frozenset({first, third}), **keep)
        assert f"Being reverted, the latest first: {third} (block user), {first} (block user)." in answer
        assert f"Left in force: {second} (block user)." in answer
        early, late = sorted(await inc.claims(), key=lambda claim: int(claim.args["action"]))
        runner = Runner(store, {}, owner="w1", gave_up=gave_up)
        for claim in (early, late):  # whoever takes the earlier one first has to wait
            outcome = await undo.carry_out(inc.ctx, claim)
            assert isinstance(outcome, Later) is (claim is early)
            await runner.settle(claim, outcome)
        assert ((await inc.action(third)).state, (await inc.action(first)).state) == (S.REVERTED, S.VERIFIED)
        clock.advance(undo.SOON)
        await inc.work()
        undone = [entry.data["action"] for entry in await inc.timeline(Happened.ACTION_REVERTED)]
        assert undone == [third, first]
        kept = await inc.action(second)
        assert (kept.state, kept.kept_by) == (S.VERIFIED, "U0ALICE")
        assert "taken over" in (kept.kept_because or "") and secret not in (kept.kept_because or "")
        [entry] = await inc.timeline(Happened.ACTION_KEPT)
        assert entry.data["action"] == second and secret not in entry.data["reason"]
        assert (await inc.incident()).status is Status.RESOLVED
        await finish.close(inc.ctx, ALICE, inc.number)


async def test_a_revert_that_fails_after_the_end_must_be_decided_before_it_is_closed(
    store: Store, clock: Clock
) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        [index] = await in_force(inc, clock, "eve")
        inc.far.revert_faults.append("refuse")
        await resolve(inc, everything=True)
        await inc.work()
        assert await inc.told() == [f"{index}:revert_failed_1"]
        with pytest.raises(Refused, match=rf"nobody decided about: {index} \(block user\)"):
            await finish.close(inc.ctx, ALICE, inc.number)
        await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="the vendor lifts it tomorrow")
        await finish.close(inc.ctx, ALICE, inc.number)


async def test_what_cannot_be_undone_stays_and_is_named(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        index = await inc.propose(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments")
        await decide.approve(inc.ctx, ALICE, inc.number, index=index, reason="it is in use")
        await decide.approve(inc.ctx, BOB, inc.number, index=index, digest=(await inc.action(index)).digest)
        await inc.work()
        assert f"Left in force: {index} (rotate credentials)." in await resolve(inc)
        assert (await inc.action(index)).kept_because == "it cannot be undone"
        await finish.close(inc.ctx, ALICE, inc.number)


async def test_only_who_may_approve_decides_what_becomes_of_it(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.TECHNICAL_LEAD, person=BOB.actor.id)
        [index] = await in_force(inc, clock, "eve")
        for decided in (Decided(everything=True), Decided(keep=frozenset({index}), because="it must")):
            with pytest.raises(Refused, match="commander"):
                await case.resolve(inc.ctx, BOB, inc.number, reason="done", decided=decided)
        with pytest.raises(Refused, match="commander"):
            await recovery.keep(inc.ctx, BOB, inc.number, index=index, reason="it must")
        assert (await inc.incident()).ended_at is None


async def test_what_is_being_carried_out_is_waited_for_and_work_by_hand_is_kept_or_attested(
    store: Store, clock: Clock
) -> None:
    async with room(store) as inc:
        await acknowledged(inc)
        index = await inc.propose(target="eve")
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.tamper(index, state=S.EXECUTING)  # as a worker marks it before it goes out
        with pytest.raises(Refused, match="is being carried out right now"):
            await resolve(inc, everything=True)
    async with room(store, by_hand=True, user="somebody") as inc:
        await acknowledged(inc)
        [index] = await in_force(inc, clock, "eve")
        with pytest.raises(Refused, match="waits for a person"):
            await resolve(inc, everything=True)
        await resolve(inc, keep=frozenset({index}), because="the console is locked until tomorrow")


async def test_a_false_positive_lifts_everything_and_a_duplicate_leaves_it_to_the_other(
    store: Store, clock: Clock
) -> None:
    async with room(store) as inc:
        first, second = await in_force(inc, clock, "eve", "trudy")
        answer = await finish.false_positive(inc.ctx, ALICE, inc.number, reason="a load test")
        assert f"the latest first: {second} (block user), {first} (block user)" in answer
        for _ in range(2):
            await inc.work()
            clock.advance(undo.SOON)
        assert not inc.far.in_force
    async with room(store, user="other") as inc:
        [index] = await in_force(inc, clock, "eve")
        into = await case.opened(inc.ctx, Severity.SEV1, user="same-thing")
        assert "stays in force" in await finish.duplicate(inc.ctx, ALICE, inc.number, of=into)
        assert (await inc.action(index)).kept_because == f"the work goes on in INC-{into}"
        notes = await Room(inc.ctx, inc.far, into).timeline(Happened.NOTE)
        assert any(
            f"Still in force there: {index} (block user)" in one.data["text"] for one in notes if one.actor == SYSTEM.id
        )


async def test_keeping_needs_a_reason_and_something_in_force(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        waiting = await inc.propose(target="waits")
        with pytest.raises(Refused, match="nothing in force to keep"):
            await recovery.keep(inc.ctx, ALICE, inc.number, index=waiting, reason="it must")
        [index] = await in_force(inc, clock, "eve")
        with pytest.raises(Invalid, match="Say why"):
            await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="  ")
        await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="it must")
        assert (await inc.action(index)).kept_because == "it must"
        await revert.ask_revert(inc.ctx, ALICE, inc.number, index=index)
        assert (await inc.action(index)).kept_because is None
        with pytest.raises(Refused, match="is being reverted: <@U0ALICE> asked for it"):
            await recovery.keep(inc.ctx, ALICE, inc.number, index=index, reason="it must")


async def test_a_connector_that_left_the_file_while_nobody_knew_leaves_it_unknown(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        inc.far.faults.append("error_after")
        inc.far.verify_answers += [500, 500]
        index = await inc.propose(target="eve")
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.UNKNOWN
        inc.ctx = with_connector(inc.ctx, None)
        clock.advance(minutes=2)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.UNKNOWN and "It had begun: look there" in (action.result or "")
        assert inc.far.in_force
