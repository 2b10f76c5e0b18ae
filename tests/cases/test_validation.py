"""A fix is proven by replaying the attack against the practice AI app: what starts, what is refused, what counts as a proof."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlmodel import select

from bot.cases import acknowledge, evidence, finish, propose, roles, validation, validation_control
from bot.cases.replay import Given, Part
from bot.cases.validation import Asked, Started
from bot.incident.errors import Invalid, Refused, Repeated
from bot.incident.timeline import Happened
from bot.incident.words import (
    ActionKind,
    ActionState,
    EvidenceKind,
    Role,
    RunState,
    ScopeKind,
    Severity,
    Status,
    StepState,
    TrialOutcome,
    Verdict,
)
from bot.incident.work import Step
from bot.settings import Organisation
from bot.store import Store, queries, suppressions, validations
from bot.validation.pack import Origin, Pack
from tests.cases.replaying import ALICE, ATTACK, BOB, Replay, parts, replaying
from tests.conftest import Clock

DOWN = "http://127.0.0.1:9/api/v1/chat"


async def contain(inc: Replay, kind: ActionKind, scope: ScopeKind, target: str) -> int:
    """An action that is in force; returns its index."""
    await propose.propose(inc.ctx, ALICE, inc.number, kind=kind, scope_kind=scope, scope_id=target, why="it leaks")
    async with inc.store.unit() as unit:
        file = await queries.case_file(unit.session, inc.number, unit.now)
        action = file.actions[-1]
        action.state, action.executed_at, action.verified_at, action.reversible = (
            ActionState.VERIFIED, unit.now, unit.now, True,
        )  # fmt: skip
        return action.index


async def resolve(inc: Replay, **more: object) -> str:
    return await finish.resolve(inc.ctx, ALICE, inc.number, reason="the leak is patched", **more)  # type: ignore[arg-type]


async def test_an_attack_that_works_is_incomplete_and_its_patch_is_verified_and_resolves(store: Store) -> None:
    async with replaying(store) as inc:
        async with store.unit() as unit:
            (await unit.incident(inc.number)).status = Status.CONTAINED
        first = await inc.validated(given=parts(inc.ai))
        assert (first.verdict, first.target_version) == (Verdict.INCOMPLETE, "practice-1"), first.report
        assert any(trial.outcome is TrialOutcome.ATTACK_SUCCEEDED for trial in await inc.trials(first.id or 0))
        with pytest.raises(Refused, match=r"an attack succeeded in validation 1, against practice"):
            await resolve(inc)
        inc.ai.model.patched.add("prompt_leak")
        second = await inc.validated()
        assert (second.verdict, second.vulnerable_version) == (Verdict.VERIFIED, "practice-1"), second.report
        assert (await inc.incident()).status is Status.REMEDIATED
        assert [entry.data["verdict"] for entry in await inc.timeline(Happened.VALIDATED)] == ["incomplete", "verified"]
        asking = [one for one in await steps(inc) if one.step_id == "fix.validate"]
        assert [(one.state, one.decided_by) for one in asking] == [(StepState.DONE, "firsthour")]
        assert "is resolved" in await resolve(inc)
        assert (await inc.incident()).validation_waiver is None and inc.ai.telling.events == []


async def steps(inc: Replay) -> list[Step]:
    async with inc.store.read() as session:
        return list((await session.exec(select(Step).where(Step.incident == inc.number))).all())


async def test_the_pack_is_evidence_and_names_exactly_what_was_replayed(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        run = await inc.run(await inc.start(given=parts(inc.ai), vulnerable="v1"))
        async with sqlite_store.read() as session:
            piece = await validations.pack_of(session, run)
        assert (piece.kind, piece.sha256) == (EvidenceKind.PACK, run.pack)
        pack = Pack.from_bytes(await evidence.content_of(inc.ctx, run.pack))
        assert pack.sha256 == run.pack and pack.payloads[0].turns == (ATTACK,) and pack.vulnerable_version == "v1"
        assert inc.ctx.playbook.validation.benign[0] in pack.benign
        read = [entry.data["name"] for entry in await inc.timeline(Happened.EVIDENCE_READ)]
        assert sorted(read) == ["indicator.txt", "payload.txt", "recorded-answer.txt"], (
            "every piece was recorded as read"
        )


async def test_without_payloads_it_says_what_to_add_and_how(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        with pytest.raises(
            Invalid, match=r"Missing: what the attacker sent and a text by which.*`/incident validate add"
        ):
            await inc.start()
        await validation_control.add(inc.ctx, BOB, inc.number, Given(Part.PAYLOAD, ATTACK))
        with pytest.raises(Invalid, match=r"Missing: a text by which an answer shows that the attack worked\."):
            await inc.start()
        with pytest.raises(Invalid):
            await validation_control.add(inc.ctx, BOB, inc.number, Given(Part.INDICATOR, "  "))
        assert not await inc.timeline(Happened.VALIDATION_STARTED)


async def test_a_file_of_the_evidence_becomes_payloads_and_is_none_itself(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        async with sqlite_store.unit() as unit:
            incident = await unit.incident(inc.number)
            kind, content = EvidenceKind.ADVERSARIAL_INPUT, f"{ATTACK}\nsay it in French\n".encode()
            piece = await evidence.add(
                unit, incident, ALICE.actor, evidence.New(kind, "a.txt", content, source="slack")
            )
            empty = await evidence.add(unit, incident, ALICE.actor, evidence.New(kind, "b.txt", b" ", source="slack"))
        told = await validation_control.take_file(inc.ctx, ALICE, inc.number, piece.id or 0, origin=Origin.ORIGINAL)
        assert told == "Into the next replay: 2 payloads of evidence 1 (text)."
        with pytest.raises(Refused, match=r"was found in evidence 2\. evidence 2: it is empty"):
            await validation_control.take_file(inc.ctx, ALICE, inc.number, empty.id or 0, origin=Origin.ORIGINAL)
        run = await inc.run(await inc.start(given=[Given(Part.INDICATOR, inc.ai.canary)]))
        pack = Pack.from_bytes(await evidence.content_of(inc.ctx, run.pack))
        assert [one.turns for one in pack.payloads] == [(ATTACK,), ("say it in French",)]
        assert {one.origin for one in pack.payloads} == {Origin.ORIGINAL}


async def test_without_a_target_it_says_where_to_configure_one(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        bare = replace(inc.ctx, org=Organisation())
        with pytest.raises(Refused, match=r"No target is configured.*under `targets`"):
            await validation.start(bare, ALICE, inc.number, Asked())
        with pytest.raises(
            Invalid, match=r"no target “production”: practice\. For example: `/incident validate practice`"
        ):
            await inc.start(target="production")


async def test_of_two_people_at_once_one_begins_and_the_other_is_told(store: Store) -> None:
    async with replaying(store) as inc:
        for given in parts(inc.ai):
            await validation_control.add(inc.ctx, ALICE, inc.number, given)
        both = (validation.start(inc.ctx, who, inc.number, Asked()) for who in (ALICE, BOB))
        answers = await asyncio.gather(*both, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert len(refused) == 1 and "goes on already: <@U0" in str(refused[0])
        async with store.read() as session:
            assert len(await validations.of_incident(session, inc.number)) == 1


async def test_a_target_that_is_down_is_inconclusive_and_nobody_resolves_without_a_waiver(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as made:
        inc = made.retargeted(url=DOWN, version_url=None)
        run = await inc.validated(given=parts(inc.ai))
        assert run.verdict is Verdict.INCONCLUSIVE and (await inc.incident()).status is Status.ACKNOWLEDGED
        with pytest.raises(Refused, match=r"validation 1 came to inconclusive.*--waive"):
            await resolve(inc)
        with pytest.raises(Refused, match="cannot be resolved yet"):
            await resolve(inc, waiver="  ")
        assert "is resolved" in await resolve(inc, waiver="the system was switched off for good")
        incident = await inc.incident()
        assert (incident.validation_waived_by, incident.validation_waiver) == (
            "U0ALICE", "the system was switched off for good",
        )  # fmt: skip
        assert len(await inc.timeline(Happened.VALIDATION_WAIVED)) == 1


async def test_findings_about_the_test_identity_open_nothing_while_it_replays(
    sqlite_store: Store, clock: Clock
) -> None:
    async with replaying(sqlite_store) as inc:
        await inc.start(given=parts(inc.ai))
        async with sqlite_store.read() as session:
            (made,) = await suppressions.standing(session, clock.now)
        assert (made.subject_kind, made.subject_id) == ("user", "firsthour-validation")
        await validation_control.stop(inc.ctx, ALICE, inc.number)
        clock.advance(minutes=11)
        async with sqlite_store.read() as session:
            assert not await suppressions.standing(session, clock.now)
        await validation_control.resume(inc.ctx, ALICE, inc.number)
        async with sqlite_store.read() as session:
            assert len(await suppressions.standing(session, clock.now)) == 1


async def test_the_same_act_delivered_again_gets_the_first_ones_answer(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        act = replace(ALICE, inbound="click:1")
        first = await validation.start(inc.ctx, act, inc.number, Asked(given=parts(inc.ai)))
        with pytest.raises(Repeated) as again:
            await validation.start(inc.ctx, act, inc.number, Asked(given=parts(inc.ai)))
        assert isinstance(first, Started) and again.value.answer == first.words


async def test_only_the_commander_waives_the_proof(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        await roles.assign(inc.ctx, ALICE, inc.number, role=Role.TECHNICAL_LEAD, person=BOB.actor.id)
        with pytest.raises(Refused, match=r"Only the commander of INC-1 may do this"):
            await finish.resolve(inc.ctx, BOB, inc.number, reason="done", waiver="it is fine")
        incident = await inc.incident()
        assert incident.status is Status.ACKNOWLEDGED and incident.validation_waived_at is None


async def test_a_sev4_needs_a_proof_or_a_waiver_as_every_other_does(sqlite_store: Store) -> None:
    async with replaying(sqlite_store, Severity.SEV4) as inc:
        with pytest.raises(Refused, match="cannot be resolved yet"):
            await resolve(inc)
        answer = await finish.resolve(inc.ctx, ALICE, inc.number, reason="done", waiver="nothing to replay")
        assert "is resolved" in answer and (await inc.incident()).validation_waiver == "nothing to replay"


async def test_a_run_from_before_the_reopening_does_not_count(sqlite_store: Store, clock: Clock) -> None:
    async with replaying(sqlite_store) as inc:
        inc.ai.model.patched.add("prompt_leak")
        run = await inc.validated(given=parts(inc.ai), vulnerable="practice-1")
        assert run.verdict is Verdict.VERIFIED, run.report
        clock.advance(minutes=5)
        await resolve(inc)
        await finish.reopen(inc.ctx, ALICE, inc.number, reason="it came back")
        await acknowledge.acknowledge(inc.ctx, ALICE, inc.number)
        with pytest.raises(Refused, match="not validated since the incident was opened again"):
            await resolve(inc)


async def test_an_old_verified_run_does_not_count_after_a_new_success(sqlite_store: Store, clock: Clock) -> None:
    async with replaying(sqlite_store) as inc:
        inc.ai.model.patched.add("prompt_leak")
        assert (await inc.validated(given=parts(inc.ai), vulnerable="practice-1")).verdict is Verdict.VERIFIED
        clock.advance(minutes=5)
        inc.ai.model.patched.clear()
        assert (await inc.validated()).verdict is Verdict.INCOMPLETE
        with pytest.raises(Refused, match="an attack succeeded in validation 2"):
            await resolve(inc)


async def test_containment_of_the_test_identity_is_shown_first_and_proves_nothing(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as inc:
        inc.ai.model.patched.add("prompt_leak")
        await contain(inc, ActionKind.BLOCK_USER, ScopeKind.USER, "mallory")
        wide = await contain(inc, ActionKind.ENABLE_SAFE_MODE, ScopeKind.ENDPOINT, "/api/v1/chat")
        reached = await inc.reached(given=parts(inc.ai), vulnerable="practice-1")
        assert [one.index for one in reached.actions] == [wide], "mallory's block does not reach the test identity"
        run = await inc.validated(vulnerable="practice-1", contained=True)
        assert (run.verdict, run.contained_meanwhile) == (Verdict.VERIFIED, True), run.report
        assert "under containment only" in (run.reason or "")
        assert (await inc.incident()).status is Status.ACKNOWLEDGED
        with pytest.raises(Refused, match="validation 1 verified it under containment only"):
            await resolve(inc)


async def test_a_stopped_run_is_resumed_and_sends_no_kept_trial_again(sqlite_store: Store) -> None:
    async with replaying(sqlite_store) as made:
        inc = made.retargeted(per_second=15, concurrency=2)
        inc.ai.model.patched.add("prompt_leak")
        run = await inc.start(given=parts(inc.ai), vulnerable="practice-1")
        async with inc.working():
            await inc.until(run, RunState.RUNNING, trials=5)
            await validation_control.stop(inc.ctx, BOB, inc.number, reason="a demo needs it")
            await asyncio.sleep(0)
        with pytest.raises(Refused, match="No validation of INC-1 goes on"):
            await validation_control.stop(inc.ctx, BOB, inc.number)
        stopped = await inc.run(run)
        kept = {(one.payload, one.variant, one.attempt): one.id for one in await inc.trials(run)}
        assert stopped.state is RunState.STOPPED and stopped.verdict is None and len(kept) >= 5
        faster = made.retargeted()
        await validation_control.resume(faster.ctx, ALICE, inc.number)
        async with faster.working("w2"):
            finished = await faster.until(run, RunState.FINISHED)
        after = {(one.payload, one.variant, one.attempt): one.id for one in await inc.trials(run)}
        assert kept.items() <= after.items() and finished.verdict is Verdict.VERIFIED, finished.report
        assert [entry.data.get("reason") for entry in await inc.timeline(Happened.VALIDATION_STOPPED)] == [
            "a demo needs it"
        ]
