"""Incidents to write about: one that has everything, one that has nothing, and one that lasted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.incident.columns import Json
from bot.incident.deadlines import BusinessCalendar
from bot.incident.evidence import Evidence
from bot.incident.incident import Actor, Incident, RoleHeld, StakeholderUpdate, person
from bot.incident.learning import ActionItem, Exposure, ReviewAnswer
from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.incident.words import (
    ActionKind,
    ActionState,
    ActorKind,
    Category,
    Decision,
    EvidenceKind,
    EvidenceState,
    ItemKind,
    Phase,
    Role,
    RunState,
    ScopeKind,
    Severity,
    Status,
    StepState,
    SubjectKind,
    Verdict,
)
from bot.incident.work import Action, Approval, Step
from bot.review.about import About
from bot.review.documents import Desk
from bot.settings import Organisation
from bot.store import Store, Unit
from tests.opened import playbook

H = Happened
ALICE, BOB = "U0ALICE01", "U0BOB0002"
DIGEST = "a" * 64
HOSTILE = (
    "<script>alert(1)</script> [click](https://evil.example) ![x](http://evil.example/p.png) `code` | cell | "
    "\n# heading\n- item\n1. one\n<@U0MALLORY> @channel https://evil.example www.evil.example me@evil.example "
    "\u202egnp.exe\u200b **bold** __under__ ~~gone~~ &lt;b&gt; $$x$$ =cmd|' /C calc'!A0"
)


def desk(store: Store, **org: Any) -> Desk:
    return Desk(store, playbook(), Organisation(**org), BusinessCalendar())


async def about(store: Store, number: int, **args: Any) -> About:
    return await desk(store).about({"incident": number, **args})


async def bare(store: Store) -> int:
    """Nothing but its opening."""
    async with store.unit() as unit:
        incident = await _incident(unit, title="Something odd")
    return incident.number


async def _incident(unit: Unit, **given: Any) -> Incident:
    told: dict[str, Any] = {
        "number": await unit.next_number(),
        "title": "A canary key was in an answer",
        "severity": Severity.SEV1,
        "declared_by": "native",
        "declared_at": unit.now,
        "playbook_digest": DIGEST,
    } | given
    incident = Incident(**told)
    unit.add(incident)
    source = Actor(kind=ActorKind.ALERT, id="native")
    unit.record(incident, H.OPENED, source, title=incident.title, severity=incident.severity.value)
    await unit.flush()
    return incident


async def whole(store: Store, clock: Any, *, text: str = "the key stood in a retrieved document") -> int:
    """An incident in which everything happened that a review tells of. `text` stands wherever somebody wrote."""
    async with store.unit() as unit:
        incident = await _incident(
            unit,
            trigger="credential_leakage_confirmed",
            category=Category.PROMPT_INJECTION,
            subject_kind=SubjectKind.USER,
            subject_id="mallory@example.com",
            session_id="session-4711",
            app="shop",
            detected_at=unit.now,
            started_at=unit.now - timedelta(minutes=30),
            alert_count=3,
            resolution=text,
            tags=["AML.T0051", "LLM01"],
        )
        number = incident.number
        unit.add(RoleHeld(incident=number, role=Role.COMMANDER, person=ALICE, since=unit.now, by=ALICE))
        unit.record(incident, H.ROLE_TAKEN, person(ALICE), person=ALICE, role="commander")
        await _evidence(unit, incident, text)
    clock.advance(minutes=4)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.acknowledged_at, incident.status = unit.now, Status.ACKNOWLEDGED
        unit.record(incident, H.ACKNOWLEDGED, person(ALICE))
        unit.record(incident, H.SEVERITY_CHANGED, person(ALICE), **{"from": 2, "to": 1, "reason": text})
        await _containment(unit, incident, clock, text)
    clock.advance(hours=2)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        await _learned(unit, incident, text)
    return number


async def _evidence(unit: Unit, incident: Incident, text: str) -> None:
    piece = Evidence(
        incident=incident.number, kind=EvidenceKind.ADVERSARIAL_INPUT, name="prompt.txt", sha256=DIGEST, size=42, excerpt=text,
        source="native", added_by="native", added_at=unit.now, captured_at=unit.now, state=EvidenceState.KEPT,
    )  # fmt: skip
    unit.add(piece)
    said = {"name": "prompt.txt", "sha256": DIGEST}
    unit.record(incident, H.EVIDENCE_ADDED, Actor(kind=ActorKind.ALERT, id="native"), **said)
    unit.record(incident, H.EVIDENCE_READ, person(BOB), via="export", reason=text, **said)


async def _containment(unit: Unit, incident: Incident, clock: Any, text: str) -> None:
    now = unit.now
    action = Action(
        incident=incident.number, index=1, kind=ActionKind.BLOCK_USER, scope_kind=ScopeKind.USER,
        scope_id="mallory@example.com", connector="gate", why=text, effect="One user cannot call the model.", reversible=True,
        state=ActionState.REVERTED, proposed_by="firsthour", proposed_at=now, decided_at=now + timedelta(seconds=50),
        executed_at=now + timedelta(seconds=51), verified_at=now + timedelta(seconds=53), result="asked as mallory: 403",
        reverted_at=now + timedelta(hours=2), blast_calls=12, blast_subjects=1, blast_source="the gate's log", blast_at=now,
    )  # fmt: skip
    glass = Action(
        incident=incident.number, index=2, kind=ActionKind.ROTATE_CREDENTIALS, scope_kind=ScopeKind.CREDENTIAL,
        scope_id="billing-db", connector="manual", why=text, effect="The key is replaced.", reversible=False,
        state=ActionState.VERIFIED, proposed_by=ALICE, proposed_at=now, decided_at=now, executed_at=now, verified_at=now,
        result=text, kept_at=now, kept_by=ALICE, kept_because=text,
    )  # fmt: skip
    unit.add(action, glass)
    await unit.flush()
    for one, decision in ((action, Decision.APPROVE), (glass, Decision.BREAK_GLASS)):
        unit.add(
            Approval(
                incident=incident.number,
                action=one.id or 0,
                decision=decision,
                person=ALICE,
                role="commander",
                digest=one.digest,
                at=now,
                reason=text,
            )
        )
    unit.record(
        incident, H.ACTION_APPROVED, person(ALICE), action=1, kind="block_user", scope="user", digest=action.digest
    )
    unit.record(incident, H.ACTION_EXECUTING, Actor(kind=ActorKind.CONNECTOR, id="gate"), action=1, kind="block_user")
    unit.record(incident, H.ACTION_VERIFIED, Actor(kind=ActorKind.CONNECTOR, id="gate"), action=1, result=text)
    incident.contained_at, incident.status = now + timedelta(seconds=53), Status.CONTAINED


async def _learned(unit: Unit, incident: Incident, text: str) -> None:
    now, number = unit.now, incident.number
    report: Json = {
        "summary": "VERIFIED: none of 1 payloads succeeded in 300 trials",
        "payloads": [
            {"payload": DIGEST, "valid": 30, "trials": 300, "successes": 0, "lower": 0, "upper": 0.095, "passed": True}
        ],
    }
    unit.add(
        StakeholderUpdate(incident=number, text=text, by=ALICE, at=now),
        ValidationRun(
            incident=number, target="shop-staging", pack=DIGEST, target_version="v2", vulnerable_version="v1",
            state=RunState.FINISHED, verdict=Verdict.VERIFIED, started_by=ALICE, started_at=now,
            finished_at=now + timedelta(minutes=3), report=report,
        ),
        Exposure(
            incident=number, models=["acme-large"], environments=["production"], data_classes=["credentials"],
            users_exposed=1, basis=text, by=ALICE, at=now,
        ),
        ReviewAnswer(incident=number, question="why", text=f"{text} <@{ALICE}>", by=ALICE, at=now),
        ReviewAnswer(incident=number, question="went_well", text=text, by=ALICE, at=now),
        ReviewAnswer(incident=number, question="clock.gdpr", text=text, by=ALICE, at=now),
        ActionItem(incident=number, key="red_team", text=text, kind=ItemKind.PREVENT, owner=BOB, created_at=now),
        Step(
            incident=number, position=1, step_id="triage.confirm", phase=Phase.TRIAGE, section="Confirm", text="Confirm it",
            state=StepState.SKIPPED, decided_by=BOB, decided_at=now, note=text,
        ),
    )  # fmt: skip
    unit.record(incident, H.QUESTION_ANSWERED, person(ALICE), question="why", text=text)
    unit.record(incident, H.NOTE, person(BOB), text=text)
    unit.record(incident, H.VALIDATED, person(ALICE), run=1, verdict="verified", target="shop-staging")
    incident.remediated_at = incident.resolved_at = incident.ended_at = now
    incident.status = Status.RESOLVED


async def lasting(store: Store, clock: Any, *, entries: int) -> int:
    """Ninety days of alerts, with a decision now and then."""
    async with store.unit() as unit:
        incident = await _incident(unit)
        number = incident.number
    batches = max(1, entries // 2000)
    for _ in range(batches):
        clock.advance(days=90 / batches)
        async with store.unit() as unit:
            incident = await unit.incident(number)
            source = Actor(kind=ActorKind.ALERT, id="native")
            for count in range(entries // batches - 1):
                unit.record(incident, H.ALERT_ATTACHED, source, source="native", count=count, title="again")
            unit.record(incident, H.SEVERITY_CHANGED, person(ALICE), **{"from": 1, "to": 2})
    return number
