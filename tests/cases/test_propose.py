from __future__ import annotations

from datetime import timedelta

import pytest

from bot.cases import finish, propose
from bot.cases.receive import AlertIn, receive
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.incident import person
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, ScopeKind, Severity
from bot.store import Store, queries
from tests import opened as case
from tests.cases.containing import ALICE, CAROL, GUEST, Room, room

K, C, S = ActionKind, ScopeKind, ActionState


async def shown(room: Room) -> list[tuple[str, str, str]]:
    return [(a.kind.value, a.scope_kind.value, a.scope_id) for a in await room.actions()]


async def test_a_sev1_offers_the_smallest_scope_first_and_says_what_it_cannot_name(store: Store) -> None:
    async with room(store) as inc:
        assert await shown(inc) == [
            ("block_user", "user", "mallory"),
            ("disable_tools", "user", "mallory"),
            ("rotate_credentials", "credential", "exposed in INC-1"),
            ("enable_safe_mode", "application", "chat"),
            ("disable_tools", "application", "chat"),
        ]
        assert {a.state for a in await inc.actions()} == {S.PROPOSED}
        [note] = await inc.timeline(Happened.NOTE)
        assert "disable endpoint (endpoint)" in note.data["text"]


async def test_an_incident_without_a_known_subject_says_that_nothing_can_be_proposed(store: Store) -> None:
    ctx = case.context(store)
    alert = AlertIn.model_validate({"trigger": "credential_leakage_confirmed", "title": "A leak", "severity": 1})
    number = int((await receive(ctx, "native", alert)).incident.removeprefix("INC-"))
    async with store.read() as session:
        texts = [e.data["text"] for e in await queries.timeline(session, number) if e.kind is Happened.NOTE]
    assert any("Not proposed" in text for text in texts)


async def test_a_sev4_is_watched_and_not_contained(store: Store) -> None:
    async with room(store, severity=Severity.SEV4) as inc:
        assert await shown(inc) == []


async def test_planning_again_adds_nothing_twice(store: Store) -> None:
    async with room(store) as inc:
        before, notes = await shown(inc), await inc.timeline(Happened.NOTE)
        async with store.unit() as unit:
            await propose.plan(inc.ctx, unit, await unit.incident(inc.number))
        assert await shown(inc) == before
        assert len(await inc.timeline(Happened.NOTE)) == len(notes)


@pytest.mark.parametrize("user", ["*", "**", "a\u202eb", "x" * 200])
async def test_a_subject_that_is_no_single_subject_is_never_contained_by_itself(store: Store, user: str) -> None:
    async with room(store, user=user, auto_contain="single_subject") as inc:
        assert {scope for _, scope, _ in await shown(inc)} == {"application", "credential"}
        await inc.work()
        assert not inc.far.done


async def test_system_wide_actions_need_two_people_and_single_subject_ones_need_one(store: Store) -> None:
    async with room(store) as inc:
        assert {a.scope_kind: a.signatures for a in await inc.actions()} == {
            C.USER: 1,
            C.CREDENTIAL: 2,
            C.APPLICATION: 2,
        }


async def test_an_action_that_cannot_be_undone_needs_two_people(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose(K.ROTATE_CREDENTIALS, C.CREDENTIAL, "payments")
        assert ((await inc.action(index)).reversible, (await inc.action(index)).signatures) == (False, 2)


async def test_through_a_connector_without_a_way_back_every_action_needs_two_people(store: Store) -> None:
    async with room(store, revert=False, auto_contain="single_subject") as inc:
        assert {(a.reversible, a.signatures, a.auto) for a in await inc.actions()} == {(False, 2, False)}


async def test_a_proposal_expires_and_somebody_is_reminded_of_that(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        action = await inc.action(index)
        assert action.expires_at == action.proposed_at + timedelta(minutes=60)
        keys = {row.key for row in await case.reminders(store, inc.number, ReminderKind.ACTION_EXPIRY)}
        assert f"expiry:{inc.number}:{index}" in keys


async def test_the_same_action_on_the_same_target_is_refused_with_a_pointer_to_the_first(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose(target="eve")
        with pytest.raises(Refused, match=rf"Action {index} \(block user\) on the same target waits for a decision"):
            await inc.propose(target=" eve ")
        await inc.propose(target="another")


async def test_a_repeated_click_proposes_once(store: Store) -> None:
    async with room(store) as inc:
        caller = Caller(person("U0CAROL"), inbound="view:V1")
        asked = {"kind": K.BLOCK_USER, "scope_kind": C.USER, "scope_id": "eve", "why": "it is harmful"}
        first = await propose.propose(inc.ctx, caller, inc.number, **asked)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(Repeated) as again:
                await propose.propose(inc.ctx, caller, inc.number, **asked)  # type: ignore[arg-type]
            assert again.value.answer == first
        assert [a.scope_id for a in await inc.actions()].count("eve") == 1


@pytest.mark.parametrize(
    ("kind", "scope", "target", "words"),
    [
        (K.BLOCK_USER, C.EVERYONE, "*", "works on one of these"),
        (K.BLOCK_USER, C.USER, "*", "wildcard"),
        (K.BLOCK_USER, C.USER, "  ", "Name the user"),
        (K.BLOCK_USER, C.USER, "a\u200bb", "invisible"),
        (K.BLOCK_USER, C.USER, "a\nb", "invisible"),
        (K.BLOCK_USER, C.USER, "x" * 161, "160 fit"),
        (K.BLOCK_USER, C.USER, "github_token …ab12 #5f3c9d2e01ab", "stands for a credential"),
        (K.BLOCK_USER, C.SESSION, "bearer_token #5f3c9d2e01ab", "stands for a credential"),
        (K.ROTATE_CREDENTIALS, C.CREDENTIAL, "AK" + "IA" + "QWERTYUIOPASDFGH", "looks like a secret"),
    ],
)
async def test_a_target_that_nobody_could_judge_is_refused(
    store: Store, kind: ActionKind, scope: ScopeKind, target: str, words: str
) -> None:
    async with room(store) as inc:
        before = len(await inc.actions())
        with pytest.raises(Invalid, match=words) as refused:
            await inc.propose(kind, scope, target)
        assert "QWERTY" not in str(refused.value)
        assert len(await inc.actions()) == before


async def test_a_guest_cannot_propose_and_nothing_is_proposed_after_the_end(store: Store) -> None:
    async with room(store) as inc:
        asked = {"kind": K.BLOCK_USER, "scope_kind": C.USER, "scope_id": "eve", "why": "it is harmful"}
        with pytest.raises(Refused, match="full member"):
            await propose.propose(inc.ctx, GUEST, inc.number, **asked)  # type: ignore[arg-type]
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="it was a test")
        with pytest.raises(Refused, match="has ended"):
            await propose.propose(inc.ctx, CAROL, inc.number, **asked)  # type: ignore[arg-type]


async def test_a_secret_in_the_reason_is_redacted_before_it_is_stored(store: Store) -> None:
    async with room(store) as inc:
        key = "AK" + "IA" + "QWERTYUIOPASDFGH"
        await propose.propose(
            inc.ctx, CAROL, inc.number, kind=K.BLOCK_USER, scope_kind=C.USER, scope_id="eve", why=f"used {key}"
        )
        assert key not in (await inc.actions())[-1].why
        assert not any(key in str(entry.data) for entry in await inc.timeline())


async def test_a_reversible_single_subject_action_runs_by_itself_and_says_so(store: Store) -> None:
    async with room(store, auto_contain="single_subject", commander=False) as inc:
        [block, *others] = await inc.actions()
        assert (block.kind, block.state, block.auto) == (K.BLOCK_USER, S.APPROVED, True)
        assert {a.state for a in others} == {S.PROPOSED}
        [approved] = await inc.timeline(Happened.ACTION_APPROVED)
        assert approved.data["auto"] is True
        await inc.work()
        assert (await inc.action(block.index)).state is S.VERIFIED
        assert set(inc.far.in_force) == {("block_user", "user", "mallory")}


async def test_switched_off_nothing_runs_by_itself(store: Store) -> None:
    async with room(store, auto_contain="off") as inc:
        assert not await case.intents(store, inc.number, IntentKind.EXECUTE)


async def test_what_a_person_does_by_hand_never_runs_by_itself(store: Store) -> None:
    async with room(store, auto_contain="single_subject", by_hand=True) as inc:
        assert {(a.state, a.auto) for a in await inc.actions()} == {(S.PROPOSED, False)}


async def test_the_same_alert_again_contains_nobody_twice(store: Store) -> None:
    async with room(store, auto_contain="single_subject") as inc:
        alert = AlertIn.model_validate(
            {
                "trigger": "credential_leakage_confirmed",
                "title": "Again",
                "severity": 1,
                "subject": {"kind": "user", "id": "mallory"},
                "app": "chat",
            }
        )
        assert (await receive(inc.ctx, "native", alert)).status == "attached"
        assert len(await case.intents(store, inc.number, IntentKind.EXECUTE)) == 1
