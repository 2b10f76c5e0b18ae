from __future__ import annotations

import asyncio
import dataclasses
import logging

import pytest
from pydantic import SecretStr
from sqlmodel import select

from bot.cases import actions, attempt, decide, execute, finish
from bot.connectors import Connectors, Effect, Result
from bot.connectors.manual import Manual
from bot.connectors.practice import Practice
from bot.connectors.practice_users import Users
from bot.incident.outward import Intent, IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, ScopeKind, Severity, Status
from bot.incident.work import Approval
from bot.practice.ai_app import PracticeAiApp
from bot.store import Store
from bot.store.intents import LEASE
from bot.store.runner import Done, Later, Never
from tests import opened as case
from tests.cases.containing import ALICE, Room, room, webhook, with_connector
from tests.conftest import Clock
from tests.connectors.receiver import SECRET

K, C, S = ActionKind, ScopeKind, ActionState
MINUTE = 61


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSES", (0.0,))


async def approved(inc: Room, target: str = "eve") -> int:
    index = await inc.propose(target=target)
    await decide.approve(inc.ctx, ALICE, inc.number, index=index)
    return index


async def done(inc: Room, index: int) -> int:
    """How often the receiving end really carried the action out."""
    return inc.far.done[(await inc.action(index)).key]


async def test_it_is_applied_verified_and_recorded(store: Store) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        [outcome] = await inc.work()
        assert isinstance(outcome, Done)
        action = await inc.action(index)
        assert action.state is S.VERIFIED
        assert "asked again" in (action.result or "")
        assert action.executed_at and action.verified_at
        entries = await inc.timeline(Happened.ACTION_EXECUTING, Happened.ACTION_VERIFIED)
        assert [(e.kind, e.actor_kind, e.actor) for e in entries] == [
            (Happened.ACTION_EXECUTING, "connector", "soar"),
            (Happened.ACTION_VERIFIED, "connector", "soar"),
        ]
        assert await done(inc, index) == 1
        assert await inc.told() == [], "what went well is in the panel, not in a post"


async def test_a_connector_that_is_down_fails_and_the_room_is_told(store: Store) -> None:
    async with room(store) as inc:
        inc.ctx = with_connector(inc.ctx, webhook("http://127.0.0.1:9"))
        index = await approved(inc)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.FAILED
        assert "could not be reached" in (action.result or "")
        assert await inc.told() == [f"{index}:failed"]
        assert not await inc.pending()


@pytest.mark.parametrize("fault", ["error_after", "reset_after"])
async def test_an_error_after_the_deed_is_settled_by_looking_and_not_done_twice(store: Store, fault: str) -> None:
    async with room(store) as inc:
        inc.far.faults.append(fault)
        index = await approved(inc)
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED
        assert len([path for path, _, _ in inc.far.asked if path == "/apply"]) == 1


async def test_a_slow_system_is_unknown_until_a_later_look_verifies_it(store: Store, clock: Clock) -> None:
    async with room(store, seconds=0.2) as inc:
        inc.far.faults.append("slow")
        inc.far.verify_answers += [500, 500]
        index = await approved(inc)
        [outcome] = await inc.work()
        assert isinstance(outcome, Later) and outcome.uncertain
        assert (await inc.action(index)).state is S.UNKNOWN
        assert await inc.told() == [], "it is looked at again before anybody is bothered"
        clock.advance(seconds=MINUTE)
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED
        assert await done(inc, index) == 1
        kinds = [e.kind for e in await inc.timeline(Happened.ACTION_UNKNOWN, Happened.ACTION_VERIFIED)]
        assert kinds == [Happened.ACTION_UNKNOWN, Happened.ACTION_VERIFIED]


async def test_a_yes_without_the_deed_is_a_failure(store: Store) -> None:
    async with room(store) as inc:
        inc.far.faults.append("lie")
        index = await approved(inc)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.FAILED
        assert "It is not contained" in (action.result or "")
        assert await inc.told() == [f"{index}:failed"]


async def test_no_answer_and_no_deed_is_applied_again_with_the_same_key(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        inc.far.faults.append("error_before")
        index = await approved(inc)
        await inc.work()
        assert (await inc.action(index)).state is S.UNKNOWN
        clock.advance(seconds=MINUTE)
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED
        keys = {headers["Idempotency-Key"] for path, _, headers in inc.far.asked if path == "/apply"}
        assert keys == {(await inc.action(index)).key}


async def test_what_stays_unknown_is_said_in_the_room_once(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        inc.far.faults.append("error_after")
        inc.far.verify_answers += [500] * 100
        index = await approved(inc)
        for turn in range(attempt.ATTEMPTS):
            assert await inc.told() == [], f"attempt {turn}"
            [outcome] = await inc.work()
            clock.advance(seconds=MINUTE)
        assert isinstance(outcome, Done)
        action = await inc.action(index)
        assert action.state is S.UNKNOWN
        assert "look there, then attest or revert" in (action.result or "")
        assert await inc.told() == [f"{index}:unknown"]
        assert len(await inc.timeline(Happened.ACTION_UNKNOWN)) == 1
        assert len([path for path, _, _ in inc.far.asked if path == "/apply"]) == 1, "it was never repeated blindly"
        assert not await inc.pending()


async def test_a_crash_between_the_deed_and_its_record_does_nothing_twice(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        [claim] = await inc.claims("dying")
        await execute.handlers(inc.ctx)[claim.kind](claim)  # and the process dies before it settles
        assert (await inc.action(index)).state is S.EXECUTING
        assert await inc.work("next") == [], "the lease still holds"
        clock.advance(LEASE)
        [outcome] = await inc.work("next")
        assert isinstance(outcome, Done)
        assert (await inc.action(index)).state is S.VERIFIED
        paths = [path for path, _, _ in inc.far.asked]
        assert paths.count("/apply") == 1
        assert await done(inc, index) == 1


async def test_a_crash_before_the_deed_is_made_good(store: Store, clock: Clock) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        await inc.claims("dying")
        clock.advance(LEASE)
        await inc.work("next")
        assert (await inc.action(index)).state is S.VERIFIED
        assert [path for path, _, _ in inc.far.asked] == ["/verify", "/apply", "/verify"], "it looked first"


async def test_two_workers_carry_an_action_out_once(store: Store) -> None:
    async with room(store) as inc:
        indices = [await approved(inc, f"eve-{turn}") for turn in range(4)]
        await asyncio.gather(*(inc.work(f"w{turn}") for turn in range(3)))
        assert [await done(inc, index) for index in indices] == [1, 1, 1, 1]
        assert {(await inc.action(index)).state for index in indices} == {S.VERIFIED}


async def test_what_changed_after_the_approval_is_not_carried_out(store: Store) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        await inc.tamper(index, scope_id="somebody-else")
        [outcome] = await inc.work()
        assert isinstance(outcome, Never)
        action = await inc.action(index)
        assert action.state is S.FAILED
        assert "no longer what was approved" in (action.result or "")
        assert not inc.far.asked
        assert await inc.told() == [f"{index}:failed"]


async def test_without_its_signatures_it_is_not_carried_out(store: Store) -> None:
    async with room(store) as inc:
        index = await inc.propose()
        async with store.unit() as unit:  # somebody writes an intent past the use case
            incident = await unit.incident(inc.number)
            await actions.carry_out(unit, incident, await actions.find(unit, incident, index))
        await inc.work()
        assert (await inc.action(index)).state is S.FAILED
        assert not inc.far.asked


@pytest.mark.parametrize("changed", [{"scope_id": "somebody-else"}, {"auto": True, "effect": "nothing"}])
async def test_signatures_that_nobody_gave_are_found_out_by_the_timeline(
    store: Store, changed: dict[str, object]
) -> None:
    """Somebody with the database's password changes the action, its approval and its intent alike."""
    async with room(store) as inc:
        index = await approved(inc)
        await inc.tamper(index, **changed)
        digest = (await inc.action(index)).digest
        async with store.unit() as unit:
            for row in (await unit.session.exec(select(Approval))).all():
                row.digest = digest
            for intent in (await unit.session.exec(select(Intent).where(Intent.kind == IntentKind.EXECUTE))).all():
                intent.args = {"action": index, "digest": digest}
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.FAILED and "The timeline does not say that this was approved" in (action.result or "")
        assert not inc.far.asked
        assert await inc.told() == [f"{index}:failed"]


async def test_a_connector_that_left_the_file_fails_in_words(store: Store) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        inc.ctx = dataclasses.replace(inc.ctx, connectors=Connectors({"manual": Manual()}, {}))
        await inc.work()
        assert "no longer in the organisation's file" in ((await inc.action(index)).result or "")


async def test_a_drill_never_reaches_a_real_system(store: Store) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        async with store.unit() as unit:
            (await unit.incident(inc.number)).drill = True
        await inc.work()
        assert "This is a drill" in ((await inc.action(index)).result or "")
        assert not inc.far.asked
        fresh = await inc.propose(target="another")
        assert (await inc.action(fresh)).connector == "manual"


async def test_nothing_begins_after_the_incident_ended(store: Store) -> None:
    async with room(store) as inc:
        index = await approved(inc)
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="it was a test")
        await inc.work()
        assert (await inc.action(index)).state is S.FAILED
        assert not inc.far.asked


async def test_by_hand_a_person_is_told_what_to_do(store: Store) -> None:
    async with room(store, by_hand=True) as inc:
        index = await approved(inc)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.EXECUTING
        assert "Do it now by hand: Block user eve" in (action.result or "")
        assert await inc.told() == [f"{index}:executing"]
        assert not await inc.pending()


async def test_where_nobody_but_a_person_can_look_it_is_unknown_and_says_so(store: Store) -> None:
    async with room(store, verify=False) as inc:
        index = await approved(inc)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.UNKNOWN
        assert "said yes (200)" in (action.result or "")
        assert "A person has to look there and attest" in (action.result or "")
        assert await inc.told() == [f"{index}:unknown"]
        assert await done(inc, index) == 1


async def test_with_a_wrong_secret_it_fails(store: Store) -> None:
    async with room(store, secret="not-the-secret") as inc:
        index = await approved(inc)
        await inc.work()
        assert (await inc.action(index)).state is S.FAILED
        assert not inc.far.in_force


async def test_secrets_are_in_no_log_no_entry_and_no_result(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with room(store) as inc:
            inc.far.faults += ["refuse", ""]
            failed, good = await approved(inc), await approved(inc, "another")
            await inc.work()
            assert {(await inc.action(i)).state for i in (failed, good)} == {S.FAILED, S.VERIFIED}
            said = [str(e.data) for e in await inc.timeline()] + [str(a.model_dump()) for a in await inc.actions()]
    assert SECRET not in caplog.text
    assert not any(SECRET in text for text in said)


async def test_evidence_is_captured_before_what_would_destroy_it(store: Store) -> None:
    async with room(store) as inc, PracticeAiApp() as app:
        await app.ask("remember that my pin is 4711", user="eve")
        users = Users(app.url, SecretStr(app.chat_token))
        practice = Practice("practice", root=app.url, token=SecretStr(app.admin_token), users=users, seconds=5)
        inc.ctx = with_connector(inc.ctx, practice)
        index = await inc.propose(K.FLUSH_MEMORY)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED
        order = [e.kind for e in await inc.timeline(Happened.EVIDENCE_ADDED, Happened.ACTION_VERIFIED)]
        assert order == [Happened.EVIDENCE_ADDED, Happened.ACTION_VERIFIED]
        assert not any("4711" in str(e.data) for e in await inc.timeline())
        assert "4711" not in str((await inc.action(index)).snapshot)
        await practice.close()


async def test_the_practice_app_is_contained_by_itself_though_one_action_hides_the_other(store: Store) -> None:
    async with room(store) as inc, PracticeAiApp() as app:
        users = Users(app.url, SecretStr(app.chat_token))
        practice = Practice("practice", root=app.url, token=SecretStr(app.admin_token), users=users, seconds=5)
        inc.ctx = with_connector(case.context(store), practice)
        inc.number = await case.opened(inc.ctx, Severity.SEV2, user="somebody-else")
        await inc.work()
        ran = {a.kind: a.state for a in await inc.actions() if a.auto}
        assert ran == {K.BLOCK_USER: S.VERIFIED, K.RATE_LIMIT: S.VERIFIED}
        assert (await app.ask("hello", user="somebody-else"))[0] == 403
        assert (await app.ask("hello", user="nora"))[0] == 200
        await practice.close()


async def test_without_its_evidence_it_is_not_carried_out(store: Store) -> None:
    class Blind(Manual):
        async def snapshot(self, order: object) -> Result:
            return Result(Effect.FAILED, "It cannot be read.")

    async with room(store) as inc:
        inc.ctx = with_connector(inc.ctx, Blind("blind"))
        index = await inc.propose(K.FLUSH_MEMORY)
        await decide.approve(inc.ctx, ALICE, inc.number, index=index)
        await inc.work()
        action = await inc.action(index)
        assert action.state is S.FAILED
        assert "Evidence comes first" in (action.result or "")


async def test_the_incident_is_not_contained_before_it_is_acknowledged(store: Store) -> None:
    async with room(store) as inc:
        await approved(inc)
        await inc.work()
        assert (await inc.incident()).status is Status.OPEN
