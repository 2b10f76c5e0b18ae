from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection
from typing import Any

import pytest

from bot.cases import decide, finish, roles
from bot.cases import severity as severity_of
from bot.incident.approval import OnRoster
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, NotFound, Refused, Repeated
from bot.incident.incident import SYSTEM, person
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Decision, Role, ScopeKind, Severity, Via
from bot.settings import RosterEntry
from bot.store import Store
from tests import opened as case
from tests.cases.containing import ALICE, BOB, CAROL, GUEST, Room, room
from tests.conftest import Clock

K, C, S = ActionKind, ScopeKind, ActionState


async def safe_mode(inc: Room) -> int:
    """A system-wide action that waits for two people."""
    return next(a.index for a in await inc.actions() if a.kind is K.ENABLE_SAFE_MODE)


async def press(inc: Room, caller: Caller, index: int) -> str:
    """The panel's button, which carries what it showed."""
    digest = (await inc.action(index)).digest[:16]
    return await decide.approve(inc.ctx, caller, inc.number, index=index, digest=digest)


async def executions(inc: Room) -> list[str]:
    return [row.key for row in await case.intents(inc.store, inc.number, IntentKind.EXECUTE)]


async def test_the_commander_approves_and_it_is_carried_out(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        answer = await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        assert "is being carried out" in answer
        action = await inc.action(index)
        [row] = await inc.approvals()
        assert (action.state, row.person, row.role, row.digest) == (
            S.APPROVED, "U0ALICE", "commander", action.digest
        )  # fmt: skip
        assert await executions(inc) == [f"execute:{inc.number}:{index}"]
        due = [r.args for r in await case.reminders(store, inc.number, ReminderKind.ACTION_EXPIRY)]
        assert {"action": index} not in due, "nobody needs to be reminded of it any more"


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        (BOB, "Only the commander .* may decide about containment. That is <@U0ALICE> now"),
        (GUEST, "full member"),
        (Caller(SYSTEM), "Only a person"),
    ],
)
async def test_an_unknown_approver_is_refused_with_a_reason(store: Store, caller: Caller, words: str) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        for act in (
            decide.approve(inc.ctx, caller, inc.number, index=index),
            decide.decline(inc.ctx, caller, inc.number, index=index, reason="no"),
        ):
            with pytest.raises(Refused, match=words):
                await act
        assert (await inc.action(index)).state is S.PROPOSED
        assert not await inc.approvals()


async def test_with_nobody_in_command_the_refusal_says_what_to_press(store: Store) -> None:
    async with room(store, commander=False) as inc:
        index = await inc.propose()
        with pytest.raises(Refused, match=r"press \*Take command\* first"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)


async def test_who_handed_command_over_decides_no_more(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.COMMANDER, person="U0BOB")
        with pytest.raises(Refused, match="<@U0BOB> now"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await decide.approve(inc.ctx, BOB, inc.number, index=index)


async def test_a_declined_action_cannot_be_approved_later(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        await decide.decline(inc.ctx, ALICE, inc.number, index=index, reason="wrong person")
        with pytest.raises(
            Refused, match=r"was declined by <@U0ALICE> at 09:00 UTC. Propose it again .* Nothing was changed"
        ):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        [entry] = await inc.timeline(Happened.ACTION_DECLINED)
        assert entry.data["reason"] == "wrong person"
        assert not await executions(inc)


async def test_declining_needs_a_reason(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        with pytest.raises(Invalid, match="Say why"):
            await decide.decline(inc.ctx, ALICE, inc.number, index=index, reason="  ")


async def test_an_expired_proposal_cannot_be_approved_even_before_the_sweep(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        clock.advance(minutes=60)
        with pytest.raises(Refused, match=r"expired at 10:00 UTC\. Propose it again"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)


async def test_an_approval_counts_only_for_what_was_shown(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        shown = (await inc.action(index)).digest
        await inc.tamper(index, scope_id="somebody-else")
        with pytest.raises(Refused, match="changed after it was shown to you"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index, digest=shown[:16])
        assert not await executions(inc)


@pytest.mark.parametrize("digits", [16, 40, 64])
async def test_the_beginning_of_the_digest_is_enough(store: Store, digits: int) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        shown = (await inc.action(index)).digest[:digits]
        await decide.approve(inc.ctx, ALICE, inc.number, index=index, digest=shown)


@pytest.mark.parametrize("shown", ["", "abc", "0" * 16])
async def test_too_short_or_another_digest_is_refused(store: Store, shown: str) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        given = (await inc.action(index)).digest[:15] if shown == "abc" else shown
        with pytest.raises(Refused, match="changed after it was shown"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index, digest=given)


async def test_two_people_sign_a_system_wide_action(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        answer = await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        assert "A second person must sign" in answer
        assert "Any other full member" in answer
        assert (await inc.action(index)).state is S.PROPOSED
        assert not await executions(inc)
        assert "is being carried out" in await press(inc, BOB, index)
        assert [(a.person, a.role) for a in await inc.approvals()] == [
            ("U0ALICE", "commander"), ("U0BOB", "second_person")
        ]  # fmt: skip
        assert [e.actor for e in await inc.timeline(Happened.ACTION_SIGNED, Happened.ACTION_APPROVED)] == [
            "U0ALICE", "U0BOB"
        ]  # fmt: skip


async def test_the_second_signature_comes_from_another_person_and_not_from_a_guest(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        with pytest.raises(Refused, match="Only the commander"):
            await decide.approve(inc.ctx, BOB, inc.number, index=index)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        with pytest.raises(Refused, match="You have signed action"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        with pytest.raises(Refused, match="full member"):
            await decide.approve(inc.ctx, GUEST, inc.number, index=index)
        assert (await inc.action(index)).state is S.PROPOSED


async def test_who_holds_no_role_signs_second_only_what_the_panel_shows(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        with pytest.raises(Refused, match=r"Press \*Approve\* in the containment panel"):
            await decide.approve(inc.ctx, BOB, inc.number, index=index)
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.TECHNICAL_LEAD, person="U0BOB")
        await decide.approve(inc.ctx, BOB, inc.number, index=index)
        assert [a.role for a in await inc.approvals()] == ["commander", "technical_lead"]


async def test_who_signed_first_may_think_again_before_the_second_signs(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await decide.decline(inc.ctx, ALICE, inc.number, index=index, reason="too wide")
        with pytest.raises(Refused, match="was declined by <@U0ALICE>"):
            await decide.approve(inc.ctx, BOB, inc.number, index=index)
        [row] = await inc.approvals()
        assert row.decision is Decision.DECLINE


async def test_a_role_of_the_roster_may_sign_where_the_playbook_says_so(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        policy = inc.ctx.playbook.actions[K.BLOCK_USER].model_copy(update={"approvers": ("commander", "ciso")})
        assert "ciso" in policy.approvers_for(Severity.SEV1)
        actions = dict(inc.ctx.playbook.actions) | {K.BLOCK_USER: policy}
        org = inc.ctx.org.model_copy(update={"roster": {"ciso": RosterEntry(people=("U0BOB",))}})
        ctx = dataclasses.replace(inc.ctx, playbook=dataclasses.replace(inc.ctx.playbook, actions=actions), org=org)
        await decide.approve(ctx, BOB, inc.number, index=index)
        assert [a.role for a in await inc.approvals()] == ["ciso"]


async def test_the_timeline_says_who_signed_what_as_whom_and_from_where(store: Store) -> None:
    """All that an export needs: the digest, the role, the way, and which signature of how many it was."""
    async with room(store) as inc:
        index = await safe_mode(inc)
        digest = (await inc.action(index)).digest
        alice, bob = dataclasses.replace(ALICE, via=Via.DIRECT), dataclasses.replace(BOB, via=Via.PANEL)
        await decide.approve(inc.ctx, alice, inc.number, index=index, digest=digest[:16])
        await press(inc, bob, index)
        first, last = await inc.timeline(Happened.ACTION_SIGNED, Happened.ACTION_APPROVED)
        common = {"digest": digest, "of": 2, "action": index}
        assert first.data.items() >= (common | {"role": "commander", "signature": 1, "via": "direct_message"}).items()
        assert last.data.items() >= (common | {"role": "second_person", "signature": 2, "via": "panel"}).items()
        other = await inc.propose()
        typed = dataclasses.replace(ALICE, via=Via.COMMAND)
        await decide.decline(inc.ctx, typed, inc.number, index=other, reason="no")
        [declined] = await inc.timeline(Happened.ACTION_DECLINED)
        assert (declined.data["via"], declined.data["digest"]) == ("command", (await inc.action(other)).digest)


async def test_what_was_proposed_again_is_named_to_whoever_presses_the_old_button(store: Store) -> None:
    async with room(store) as inc:
        old = await inc.propose()
        await decide.decline(inc.ctx, ALICE, inc.number, index=old, reason="not sure yet")
        again = await inc.propose()
        with pytest.raises(Refused, match=f"It was proposed again as action {again}: decide about that one"):
            await press(inc, ALICE, old)


@dataclasses.dataclass
class Slack:
    """What Slack says of the roster, as `bot.slack.membership` hands it on."""

    says: OnRoster
    asked: list[tuple[str, list[str]]] = dataclasses.field(default_factory=list)

    async def roles_of(self, person: str, roles: Collection[str]) -> OnRoster:
        self.asked.append((person, list(roles)))
        return self.says


async def test_somebody_of_a_usergroup_approves_and_without_an_answer_of_slack_nobody_does(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        org = inc.ctx.org.model_copy(update={"roster": {"ciso": RosterEntry(usergroups=("@ciso",))}})
        dark = Slack(OnRoster(unsure={"ciso": "Slack did not answer in time; try again in a moment"}))
        ctx = dataclasses.replace(inc.ctx, org=org, membership=dark)
        with pytest.raises(Refused, match="Whether you are the ciso is not known: Slack did not answer in time"):
            await decide.approve(ctx, BOB, inc.number, index=index)
        assert dark.asked == [("U0BOB", ["ciso"])]
        await decide.approve(ctx, ALICE, inc.number, index=index)  # the commander needs no roster
        lit = dataclasses.replace(ctx, membership=Slack(OnRoster(frozenset({"ciso"}))))
        other = await inc.propose(K.ENABLE_SAFE_MODE, C.EVERYONE)
        await decide.approve(lit, BOB, inc.number, index=other)
        assert [(a.person, a.role) for a in await inc.approvals()] == [("U0ALICE", "commander"), ("U0BOB", "ciso")]


async def test_severity_decides_who_of_the_roster_may_approve(store: Store) -> None:
    async with room(store, severity=Severity.SEV2) as inc:
        index = await inc.propose(K.ENABLE_SAFE_MODE, C.EVERYONE)
        org = inc.ctx.org.model_copy(update={"roster": {"ciso": RosterEntry(people=("U0BOB",))}})
        ctx = dataclasses.replace(inc.ctx, org=org)
        with pytest.raises(Refused, match=r"Only the commander of this incident"):
            await decide.approve(ctx, BOB, inc.number, index=index)
        await severity_of.change(ctx, ALICE, inc.number, severity=Severity.SEV1, reason="it spreads")
        assert "You signed" in await decide.approve(ctx, BOB, inc.number, index=index)


async def together(*acts: Any) -> tuple[list[str], list[str]]:
    """Answers and refusals of acts that happen at the same time."""
    results = await asyncio.gather(*acts, return_exceptions=True)
    unexpected = [r for r in results if isinstance(r, BaseException) and not isinstance(r, Refused | Repeated)]
    assert not unexpected
    return [r for r in results if isinstance(r, str)], [str(r) for r in results if isinstance(r, Exception)]


async def test_approve_and_decline_at_once_make_one_decision_and_the_other_is_told_who_and_when(store: Store) -> None:
    async with room(store) as inc:
        for turn in range(5):
            index = await inc.propose(target=f"eve-{turn}")
            answers, refusals = await together(
                decide.approve(inc.ctx, ALICE, inc.number, index=index),
                decide.decline(inc.ctx, ALICE, inc.number, index=index, reason="no"),
            )
            assert (len(answers), len(refusals)) == (1, 1)
            assert "by <@U0ALICE> at 09:00 UTC" in refusals[0]
            assert ("approved" in answers[0]) == ("was approved" in refusals[0])
            approved = (await inc.action(index)).state is S.APPROVED
            assert (f"execute:{inc.number}:{index}" in await executions(inc)) == approved


async def test_two_people_who_sign_a_two_person_action_at_once_are_both_counted(store: Store) -> None:
    async with room(store) as inc:
        index = await safe_mode(inc)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        answers, refusals = await together(
            press(inc, BOB, index),
            press(inc, CAROL, index),
        )
        assert (len(answers), len(refusals)) == (1, 1)
        assert "was approved by" in refusals[0]
        assert len(await executions(inc)) == 1


async def test_the_same_press_three_times_counts_once_and_is_answered_alike(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        caller = Caller(person("U0ALICE"), inbound="block_actions:1.2:U0ALICE:approve")
        first = await decide.approve(inc.ctx, caller, inc.number, index=index)
        for _ in range(2):
            with pytest.raises(Repeated) as again:
                await decide.approve(inc.ctx, caller, inc.number, index=index)
            assert again.value.answer == first
        assert len(await inc.approvals()) == len(await executions(inc)) == 1
        assert len(await inc.timeline(Happened.ACTION_APPROVED)) == 1


async def test_one_person_by_two_ways_at_once_signs_once(store: Store) -> None:
    """The panel and the direct message carry the same action to the same commander: one signature, never two."""
    async with room(store) as inc:
        index = await safe_mode(inc)
        digest = (await inc.action(index)).digest[:16]
        ways = [dataclasses.replace(ALICE, inbound=f"click:{way}", via=way) for way in (Via.PANEL, Via.DIRECT)]
        answers, refusals = await together(
            *(decide.approve(inc.ctx, way, inc.number, index=index, digest=digest) for way in ways),
            decide.approve(inc.ctx, dataclasses.replace(ALICE, via=Via.COMMAND), inc.number, index=index),
        )
        assert (len(answers), len(refusals)) == (1, 2)
        assert all("You have signed action" in one for one in refusals)
        assert len(await inc.approvals()) == 1 and not await executions(inc)


async def test_a_second_press_with_an_id_of_its_own_is_told_who_was_first(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        with pytest.raises(Refused, match="was approved by <@U0ALICE> at 09:00 UTC"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)


async def test_an_alternative_stays_open_and_that_is_said(store: Store) -> None:
    async with room(store) as inc:
        safe = await safe_mode(inc)
        other = await inc.propose(K.DISABLE_ENDPOINT, C.ENDPOINT, "/api/v1/chat")
        await inc.tamper(other, alternative_to=K.ENABLE_SAFE_MODE)
        await decide.approve(inc.ctx, ALICE, inc.number, index=safe)
        answer = await press(inc, BOB, safe)
        assert f"Action {other} (disable endpoint) is an alternative to it and stays open" in answer
        assert (await inc.action(other)).state is S.PROPOSED


async def test_nothing_is_decided_after_the_end_and_nothing_that_is_not_there(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        with pytest.raises(NotFound, match="has no action 99"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=99)
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="it was a test")
        with pytest.raises(Refused, match="expired before anybody decided"):
            await decide.approve(inc.ctx, ALICE, inc.number, index=index)
