"""How far a proposed action reaches: asked outside of any transaction, kept, shown, and what hangs on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.cases import blast, decide, execute, finish, roles
from bot.cases.declare import Declaration, declare
from bot.cases.receive import AlertIn, receive
from bot.connectors import Order, Plan
from bot.connectors.webhook import Webhook
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, Role, ScopeKind
from bot.store import Store, intents
from bot.store.intents import LEASE
from bot.store.runner import Runner
from tests import opened as case
from tests.cases.containing import ALICE, Room, room, webhook, with_connector
from tests.conftest import Clock
from tests.connectors.receiver import receiving

K, S = ActionKind, ActionState
NOBODY_KNOWS = Plan("It is told to block.")


@dataclass
class Counting:
    """What a system that counts answers; None where it does not answer in time."""

    answer: Plan | None
    asked: int = 0

    async def plan(self, order: Order) -> Plan:
        self.asked += 1
        if self.answer is None:
            await asyncio.Event().wait()
        assert self.answer is not None
        return self.answer


@contextlib.asynccontextmanager
async def keyed(
    store: Store, counting: Counting, *, kind: str = "api_key", auto: str = "single_subject", **org: object
) -> AsyncIterator[Room]:
    """An incident about an API key, whose connector counts."""
    async with receiving() as far:
        connector: Webhook = webhook(far.url)
        connector.plan = counting.plan  # type: ignore[method-assign]
        ctx = with_connector(case.context(store, auto_contain=auto, **org), connector)
        alert = {
            "trigger": "bulk_data_extraction",
            "title": "Everything",
            "subject": {"kind": kind, "id": "k-1"},
            "app": "chat",
        }
        number = int((await receive(ctx, "native", AlertIn.model_validate(alert))).incident.removeprefix("INC-"))
        await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person=ALICE.actor.id)
        yield Room(ctx, far, number)
        await connector.close()


async def planned(inc: Room, owner: str = "w1") -> None:
    handlers = execute.handlers(inc.ctx)
    runner = Runner(inc.store, handlers, owner=owner, gave_up=None)  # type: ignore[arg-type]
    for claim in await intents.claim(inc.store, owner, limit=10, kinds=(IntentKind.PLAN,)):
        await runner.settle(claim, await handlers[claim.kind](claim))


async def test_the_figures_are_kept_with_the_action_and_no_approval_hangs_on_them(store: Store) -> None:
    async with keyed(
        store, Counting(Plan("…", 41, 1, "the gate's decisions of the last hour")), kind="user", auto="off"
    ) as inc:
        before = {one.index: one.digest for one in await inc.actions()}
        await planned(inc)
        for one in await inc.actions():
            assert (one.blast_calls, one.blast_subjects) == (41, 1)
            assert one.blast_source == "the gate's decisions of the last hour" and one.blast_at is not None
            assert one.digest == before[one.index]
        index = await inc.propose()
        await planned(inc)
        assert (await inc.action(index)).blast_calls == 41
        await decide.approve(inc.ctx, ALICE, inc.number, index=index, digest=(await inc.action(index)).digest[:16])
        await inc.work()
        assert (await inc.action(index)).state is S.VERIFIED


@pytest.mark.parametrize("answer", [NOBODY_KNOWS, Plan("…", -1, -5), None])
async def test_what_nobody_knows_stays_unknown(
    store: Store, monkeypatch: pytest.MonkeyPatch, answer: Plan | None
) -> None:
    monkeypatch.setattr(blast, "BUDGET", 0.05)
    async with keyed(store, Counting(answer)) as inc:
        await planned(inc)
        assert {(one.blast_calls, one.blast_subjects) for one in await inc.actions()} == {(None, None)}
        assert all(one.blast_at is not None for one in await inc.actions())


async def test_a_connector_that_left_the_file_and_work_by_hand_leave_it_unknown(store: Store) -> None:
    async with keyed(store, Counting(Plan("…", 41, 1))) as inc:
        inc.ctx = with_connector(inc.ctx, None)
        await planned(inc)
        assert {one.blast_calls for one in await inc.actions()} == {None}
        await inc.propose(target="by-hand")
        assert len(await case.intents(store, inc.number, IntentKind.PLAN)) == 1


async def test_a_key_of_one_user_is_contained_by_itself_once_that_is_known(store: Store) -> None:
    async with keyed(store, Counting(Plan("…", 41, 1))) as inc:
        [block, *_] = await inc.actions()
        assert (block.kind, block.scope_kind, block.state) == (K.BLOCK_USER, ScopeKind.API_KEY, S.PROPOSED)
        await planned(inc)
        [block, *others] = await inc.actions()
        assert (block.state, block.auto) == (S.APPROVED, True)
        assert {one.state for one in others} == {S.PROPOSED}
        await inc.work()
        assert set(inc.far.in_force) == {("block_user", "api_key", "k-1")}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Plan("…", 41, 3), "3 users were behind the key"),
        (Plan("…", 0, 0), "0 users were behind the key"),
        (Plan("…", 41), "how many users share the key is not known"),
        (NOBODY_KNOWS, "not known"),
        (None, "not known"),
    ],
)
async def test_a_key_that_more_may_share_waits_for_a_person(
    store: Store, monkeypatch: pytest.MonkeyPatch, answer: Plan | None, why: str
) -> None:
    monkeypatch.setattr(blast, "BUDGET", 0.05)
    async with keyed(store, Counting(answer)) as inc:
        await planned(inc)
        [block, *_] = await inc.actions()
        assert (block.state, block.auto) == (S.PROPOSED, False)
        assert any(why in entry.data["text"] for entry in await inc.timeline(Happened.NOTE))
        assert not await case.intents(store, inc.number, IntentKind.EXECUTE)
        await decide.approve(inc.ctx, ALICE, inc.number, index=block.index)
        await inc.work()
        assert (await inc.action(block.index)).state is S.VERIFIED


async def test_what_a_person_decided_while_it_was_asked_stays_decided(store: Store) -> None:
    async with keyed(store, Counting(Plan("…", 41, 1))) as inc:
        await decide.decline(inc.ctx, ALICE, inc.number, index=1, reason="the key is the load test's")
        await planned(inc)
        assert (await inc.action(1)).state is S.DECLINED
        assert (await inc.action(1)).blast_calls == 41


async def test_an_answer_after_the_end_or_the_expiry_runs_nothing(store: Store, clock: Clock) -> None:
    async with keyed(store, Counting(Plan("…", 41, 1))) as inc:
        clock.advance(hours=2)
        await planned(inc)
        assert (await inc.action(1)).state is S.PROPOSED
        assert not await case.intents(store, inc.number, IntentKind.EXECUTE)
        await finish.false_positive(inc.ctx, ALICE, inc.number, reason="a load test")


async def test_a_crash_between_the_question_and_its_record_asks_again_and_runs_once(store: Store, clock: Clock) -> None:
    counting = Counting(Plan("…", 41, 1))
    async with keyed(store, counting) as inc:
        [claim] = await intents.claim(store, "dying", limit=10, kinds=(IntentKind.PLAN,))
        await execute.handlers(inc.ctx)[claim.kind](claim)
        clock.advance(LEASE)
        await planned(inc, "next")
        assert (await inc.action(1)).state is S.APPROVED
        assert len(await case.intents(store, inc.number, IntentKind.EXECUTE)) == 1


@pytest.mark.parametrize(("said", "runs"), [(False, False), (True, True), (None, True)])
async def test_the_organisation_switches_single_triggers(store: Store, said: bool | None, runs: bool) -> None:
    switches = {} if said is None else {"bulk_data_extraction": said}
    async with keyed(store, Counting(NOBODY_KNOWS), kind="user", auto_contain_triggers=switches) as inc:
        assert (await inc.action(1)).auto is runs


async def test_the_organisations_own_switch_turns_every_trigger_off(store: Store) -> None:
    on = {"bulk_data_extraction": True}
    async with keyed(store, Counting(Plan("…", 1, 1)), kind="user", auto="off", auto_contain_triggers=on) as inc:
        await planned(inc)
        assert not await case.intents(store, inc.number, IntentKind.EXECUTE)


async def test_a_credential_in_the_evidence_brings_its_rotation_once(store: Store) -> None:
    async with room(store) as inc:
        ctx, secret = inc.ctx, "AK" + "IA" + "QWERTYUIOPASDFGH"
        alert = {
            "trigger": "jailbreak_success",
            "title": "It swears",
            "subject": {"kind": "user", "id": "trudy"},
            "app": "chat",
        }

        async def fires(text: str) -> int:
            given = AlertIn.model_validate({**alert, "evidence": [{"name": "answer", "text": text}]})
            return int((await receive(ctx, "native", given)).incident.removeprefix("INC-"))

        async def rotations() -> int:
            return len([one for one in await other.actions() if one.kind is K.ROTATE_CREDENTIALS])

        other = Room(ctx, inc.far, await fires("it said nothing of use"))
        assert await rotations() == 0
        await fires(f"the key is {secret}")
        assert await rotations() == 1
        await fires(f"the key is still {secret}")
        assert await rotations() == 1


async def test_poisoned_documents_are_taken_out_of_retrieval(store: Store) -> None:
    async with room(store) as inc:
        said = {
            "severity": "2",
            "title": "Planted documents",
            "category": "data_poisoning",
            "subject_kind": "document",
            "subject_id": "doc-9",
            "app": "chat",
        }
        await declare(inc.ctx, ALICE, Declaration.model_validate(said))
        actions = await Room(inc.ctx, inc.far, inc.number + 1).actions()
        restricted = [(one.scope_kind, one.scope_id) for one in actions if one.kind is K.RESTRICT_RAG]
        assert restricted == [(ScopeKind.DOCUMENT, "doc-9"), (ScopeKind.APPLICATION, "chat")]
