"""Classification: what joins, what goes, what stays; twice, at once, early and late."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.cases import phases, steps
from bot.cases.classify import classify
from bot.cases.context import Context
from bot.cases.finding import Became, report
from bot.incident.caller import Caller
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import person
from bot.incident.learning import ReviewAnswer
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, Category, Phase, Severity, Status
from bot.incident.work import Step
from bot.store import Store, learning, queries
from tests import opened as case
from tests.cases.test_finding import LEAK, PROBING, finding
from tests.conftest import Clock

BOB = Caller(person("U0BOB"))
POISON, INJECTION = Category.DATA_POISONING, Category.PROMPT_INJECTION


async def file(store: Store) -> CaseFile:
    async with store.read() as session:
        return await queries.case_file(session, 1, store.now())


async def ids(store: Store) -> Mapping[str, Step]:
    return {step.step_id: step for step in (await file(store)).steps}


async def said(store: Store, kind: Happened) -> int:
    async with store.read() as session:
        return sum(entry.kind is kind for entry in await queries.timeline(session, 1))


async def uncategorised(ctx: Context, severity: Severity = Severity.SEV1) -> None:
    await case.opened(ctx, severity)
    async with ctx.store.unit() as unit:
        (await unit.incident(1)).category = None


async def test_the_steps_and_the_containment_of_the_category_join_and_others_go(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    before = await file(store)
    old = before.incident.category
    assert old is not None and old is not POISON
    answer = await classify(ctx, case.ALICE, 1, category=POISON, tags="aml.t0070, T0020 llm04", vectors="a planted PDF")
    after, steps_now = await file(store), await ids(store)
    assert "is classified: Data poisoning" in answer and "joined the checklists" in answer
    assert after.incident.tags == ["AML.T0070", "AML.T0020", "LLM04"]
    assert f"investigate.{POISON}" in steps_now and f"investigate.{old}" not in steps_now
    composed = [one.id for one in ctx.playbook.steps(Severity.SEV1, after.incident.trigger, POISON)]
    assert [step.step_id for step in after.steps] == composed
    added = after.actions[len(before.actions) :]
    assert {one.kind for one in added} == {ActionKind.RESTRICT_RAG}
    async with store.read() as session:
        assert await learning.answers(session, 1) == {"vectors": "a planted PDF"}
    assert await said(store, Happened.CLASSIFIED) == 1


async def test_the_same_classification_again_changes_nothing(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await classify(ctx, case.ALICE, 1, category=POISON, tags="LLM04")
    before = await file(store)
    assert "classified as that already" in await classify(ctx, BOB, 1, category=POISON, tags="llm04")
    assert "classified as that already" in await classify(ctx, BOB, 1, category=POISON)
    after = await file(store)
    assert (len(after.steps), len(after.actions), after.incident.head_seq) == (
        len(before.steps), len(before.actions), before.incident.head_seq,
    )  # fmt: skip


async def test_two_people_at_once_double_nothing(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await asyncio.gather(*(classify(ctx, who, 1, category=POISON) for who in (case.ALICE, BOB, case.ALICE, BOB)))
    after = await file(store)
    assert await said(store, Happened.CLASSIFIED) == 1
    assert len({step.step_id for step in after.steps}) == len(after.steps)
    assert len({(one.kind, one.scope_kind, one.scope_id) for one in after.actions}) == len(after.actions)


async def test_a_category_that_changes_twice_leaves_what_was_touched_and_nothing_else(store: Store) -> None:
    ctx = case.context(store)
    await uncategorised(ctx)
    first = await ids(store)
    await classify(ctx, case.ALICE, 1, category=POISON)
    await steps.done(ctx, case.ALICE, 1, step_id="investigate.data_poisoning")
    await classify(ctx, BOB, 1, category=Category.MODEL_THEFT)
    await classify(ctx, BOB, 1, category=INJECTION)
    last = await ids(store)
    extra = set(last) - set(first)
    assert "investigate.data_poisoning" in last and "investigate.model_theft" not in last
    assert all("data_poisoning" in one or "injection" in one or one in last for one in extra)
    wanted = {one.id for one in ctx.playbook.steps(Severity.SEV1, "credential_leakage_confirmed", INJECTION)}
    assert set(last) - wanted == {"investigate.data_poisoning"}
    assert await said(store, Happened.CLASSIFIED) == 3


async def test_before_the_acknowledgement_it_may_be_classified_too(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await classify(ctx, case.ALICE, 1, category=INJECTION)
    incident = (await file(store)).incident
    assert incident.status is Status.OPEN and incident.acknowledged_at is None
    assert incident.tags == [], "classified, and no technique named"


async def test_a_step_that_joins_late_has_its_whole_time_from_now(sqlite_store: Store, clock: Clock) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    await phases.start(ctx, case.ALICE, 1, phase=Phase.INVESTIGATION)
    clock.now += timedelta(days=3)
    await classify(ctx, case.ALICE, 1, category=POISON)
    due = (await ids(sqlite_store))["investigate.data_poisoning"].due_at
    assert due == clock.now + timedelta(days=1)


async def test_the_next_phase_begins_where_the_last_open_step_of_one_goes(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await uncategorised(ctx)
    await classify(ctx, case.ALICE, 1, category=POISON)
    await phases.start(ctx, case.ALICE, 1, phase=Phase.INVESTIGATION)
    for step in (await file(sqlite_store)).of_phase(Phase.INVESTIGATION):
        if step.step_id != "investigate.data_poisoning" and "tools" not in step.step_id:
            await steps.done(ctx, case.ALICE, 1, step_id=step.step_id)
    left = [one.step_id for one in (await file(sqlite_store)).open_steps if one.phase is Phase.INVESTIGATION]
    assert left == ["investigate.data_poisoning"]
    await classify(ctx, case.ALICE, 1, category=Category.INFRASTRUCTURE)
    await steps.done(ctx, case.ALICE, 1, step_id="investigate.infrastructure")
    async with sqlite_store.read() as session:
        began = [e.data["phase"] for e in await queries.timeline(session, 1) if e.kind is Happened.PHASE_BEGAN]
    assert began[-1] == "remediation"


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("AML.T9951", "AML.T"),
        ("AML.T0051.009", "AML.T0051.00"),
        ("jailbreak", "AML.T0054"),
        ("LLM11", "LLM"),
        ("zzz", "Use ids"),
    ],
)
async def test_an_unknown_id_is_refused_with_the_nearest(sqlite_store: Store, typed: str, nearest: str) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    with pytest.raises(Invalid) as refused:
        await classify(ctx, case.ALICE, 1, category=INJECTION, tags=f"LLM01 {typed}")
    assert nearest in str(refused.value)
    assert (await file(sqlite_store)).incident.tags is None


async def test_what_was_typed_as_an_id_neither_mentions_nor_formats(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    with pytest.raises(Invalid) as refused:
        await classify(ctx, case.ALICE, 1, category=INJECTION, tags="<!channel>`*x*`\u202e")
    assert "<" not in str(refused.value) and "\u202e" not in str(refused.value)


async def test_after_the_end_it_is_recorded_and_the_checklists_stay(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    before = await ids(sqlite_store)
    async with sqlite_store.unit() as unit:
        incident = await unit.incident(1)
        incident.status, incident.ended_at = Status.RESOLVED, unit.now
    await classify(ctx, case.ALICE, 1, category=POISON, tags="AML.T0020")
    assert set(await ids(sqlite_store)) == set(before)
    assert (await file(sqlite_store)).incident.category is POISON


async def test_a_guest_classifies_nothing(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    with pytest.raises(Refused):
        await classify(ctx, Caller(person("U0GINA"), full_member=False), 1, category=POISON)
    async with sqlite_store.read() as session:
        assert await session.get(ReviewAnswer, 1) is None


async def test_a_worse_trigger_does_not_overrule_the_person_who_classified(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding(PROBING)])
    await classify(ctx, case.ALICE, 1, category=POISON)
    assert await report(ctx, [finding(LEAK)]) is Became.ESCALATED
    assert (await file(sqlite_store)).incident.category is POISON
