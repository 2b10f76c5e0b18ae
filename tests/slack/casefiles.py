"""Case files for tests of renderers: one incident in any state, with everything that may be hostile made so on request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from bot.incident.casefile import CaseFile
from bot.incident.evidence import Evidence
from bot.incident.incident import Alert, Incident, RoleHeld, StakeholderUpdate
from bot.incident.validation import ValidationRun
from bot.incident.words import (
    ActionKind,
    ActionState,
    Decision,
    EvidenceKind,
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
from bot.playbook import Playbook, load

DECLARED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PARTS = ("alerts", "evidence", "steps", "actions", "approvals", "roles", "updates", "surfaces")
ALICE, BOB = "U01ALICE", "U02BOB"


@cache
def playbook() -> Playbook:
    return load()


def incident(**changed: Any) -> Incident:
    values: dict[str, Any] = {
        "number": 12,
        "title": "Canary token in an answer",
        "summary": "The answer to a support question held the canary token.",
        "severity": Severity.SEV1,
        "status": Status.OPEN,
        "trigger": "credential_leakage_confirmed",
        "subject_kind": SubjectKind.USER,
        "subject_id": "user_42",
        "app": "support-bot",
        "session_id": "session-9",
        "declared_by": "alertmanager",
        "declared_at": DECLARED,
        "detected_at": DECLARED - timedelta(minutes=2),
        "acknowledge_by": DECLARED + timedelta(minutes=15),
        "alert_count": 3,
        "playbook_digest": "0" * 64,
    }
    return Incident(**{**values, **changed})


def file(about: Incident | None = None, *, minutes: float = 7, **parts: Any) -> CaseFile:
    values: dict[str, Any] = dict.fromkeys(PARTS, ())
    return CaseFile(incident=about or incident(), now=DECLARED + timedelta(minutes=minutes), **{**values, **parts})


def action(index: int = 1, state: ActionState = ActionState.PROPOSED, **changed: Any) -> Action:
    values: dict[str, Any] = {
        "id": index,
        "incident": 12,
        "index": index,
        "kind": ActionKind.BLOCK_USER,
        "scope_kind": ScopeKind.USER,
        "scope_id": "user_42",
        "connector": "gate",
        "why": "The one who does it is stopped; everybody else keeps the service.",
        "effect": "Refuses every request of user_42. Nobody else is touched.",
        "reversible": True,
        "signatures": 1,
        "state": state,
        "proposed_by": "firsthour",
        "proposed_at": DECLARED,
        "expires_at": DECLARED + timedelta(minutes=60),
        "decided_at": DECLARED + timedelta(minutes=4),
        "verified_at": DECLARED + timedelta(minutes=5) if state is ActionState.VERIFIED else None,
        "reverted_at": DECLARED + timedelta(minutes=6) if state is ActionState.REVERTED else None,
        "result": None if state is ActionState.PROPOSED else "A probe as user_42 was refused, another was answered.",
    }
    return Action(**{**values, **changed})


def approval(action: int = 1, person: str = ALICE, decision: Decision = Decision.APPROVE, **changed: Any) -> Approval:
    values: dict[str, Any] = {
        "incident": 12,
        "action": action,
        "decision": decision,
        "person": person,
        "role": "commander",
        "digest": "d" * 64,
        "at": DECLARED + timedelta(minutes=4),
    }
    return Approval(**{**values, **changed})


def steps(
    phase: Phase = Phase.TRIAGE,
    *,
    severity: Severity = Severity.SEV1,
    trigger: str | None = "credential_leakage_confirmed",
    scenario: str | None = None,
    done: int = 0,
    number: int = 12,
) -> list[Step]:
    """The playbook's own steps of a phase, the first so many of them done."""
    composed = [one for one in playbook().steps(severity, trigger, None, scenario) if one.phase is phase]
    return [
        Step(
            incident=number,
            position=position,
            step_id=one.id,
            phase=one.phase,
            section=one.section,
            text=one.text,
            role=one.role,
            button=one.button,
            action=one.action,
            due_at=None if one.due_minutes is None else DECLARED + timedelta(minutes=one.due_minutes),
            state=StepState.DONE if position < done else StepState.OPEN,
            decided_by=ALICE if position < done else None,
            decided_at=DECLARED + timedelta(minutes=3) if position < done else None,
        )
        for position, one in enumerate(composed)
    ]


def commander(person: str = ALICE) -> RoleHeld:
    return RoleHeld(incident=12, role=Role.COMMANDER, person=person, since=DECLARED, by=person)


def update(text: str = "The leak is stopped. Customers need to do nothing.") -> StakeholderUpdate:
    return StakeholderUpdate(incident=12, text=text, by=BOB, at=DECLARED + timedelta(minutes=6))


def alert(title: str = "Canary token seen again") -> Alert:
    return Alert(
        incident=12,
        source="alertmanager",
        external_id="a-1",
        trigger="credential_leakage_confirmed",
        title=title,
        severity=Severity.SEV1,
        received_at=DECLARED,
        answer="attached",
    )


def evidence(text: str = "the answer as delivered") -> Evidence:
    return Evidence(
        incident=12,
        kind=EvidenceKind.TEXT,
        name=text,
        sha256="e" * 64,
        size=10,
        excerpt=text,
        source="alertmanager",
        added_by="alertmanager",
        added_at=DECLARED,
    )


def validation(text: str = "an attack succeeded", **changed: Any) -> ValidationRun:
    """Run 3, which an attack passed."""
    values: dict[str, Any] = {
        "id": 3, "incident": 12, "target": text[:120] or "staging", "pack": "c" * 64, "target_version": text,
        "vulnerable_version": text, "state": RunState.FINISHED, "verdict": Verdict.INCOMPLETE, "reason": f"INCOMPLETE: {text}",
        "started_by": ALICE, "started_at": DECLARED, "finished_at": DECLARED,
        "report": {
            "reasons": [text], "notes": [text], "payloads_total": 2, "excerpts": {"d" * 64: text},
            "payloads": [
                {"payload": "d" * 64, "successes": 2, "valid": 30, "variant_valid": 1, "lower": 0.01, "upper": 0.21,
                 "passed": False, "reason": text},
                {"payload": "e" * 64, "successes": 0, "valid": 30, "upper": 0.095, "passed": True, "reason": ""},
            ],
        },
    }  # fmt: skip
    return ValidationRun(**{**values, **changed})


def hostile_file(text: str, status: Status = Status.ACKNOWLEDGED) -> CaseFile:
    """Every field that text from outside can reach, filled with it. What the store cannot keep gets no further than it."""
    text = text.encode("utf-8", "replace").decode()
    ended = DECLARED if status in {Status.RESOLVED, Status.CLOSED, Status.FALSE_POSITIVE, Status.DUPLICATE} else None
    about = incident(
        title=text,
        summary=text,
        subject_id=text,
        app=text,
        session_id=text,
        declared_by=text,
        resolution=text,
        status=status,
        ended_at=ended,
        trigger=text if status is Status.OPEN else "credential_leakage_confirmed",
    )
    actions = [
        action(
            index,
            state,
            scope_id=text,
            effect=text,
            why=text,
            result=text,
            connector=text,
            blast_calls=1,
            blast_source=text,
            kept_at=DECLARED,
            kept_by=ALICE,
            kept_because=text,
        )
        for index, state in enumerate(ActionState, start=1)
    ]
    approvals = [approval(one.id or 0, reason=text, decision=Decision.DECLINE) for one in actions]
    listed = steps(done=3)
    for step in listed:
        step.text, step.section, step.note = text, text, text
    return file(
        about,
        alerts=[alert(text)],
        evidence=[evidence(text)],
        steps=listed,
        actions=actions,
        approvals=approvals,
        roles=[commander()],
        updates=[update(text)],
        validations=[validation(text)],
    )
