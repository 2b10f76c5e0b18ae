"""Alerts: what opens, what attaches, what was here before, and what of hostile text is kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.cases import finish, roles
from bot.cases.receive import AlertIn, Received, receive
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind, SurfaceKind
from bot.incident.timeline import Happened
from bot.incident.words import DetectionMethod, Role, Severity, Status, SubjectKind
from bot.store import Store, queries
from tests import opened as shared
from tests.conftest import Clock
from tests.opened import ALICE

SECRET = "AKIA" + "QWERTYUIOPASDFGH"


def alert(**fields: Any) -> AlertIn:
    body = {
        "trigger": "credential_leakage_confirmed",
        "title": "A key was in an answer",
        "subject": {"kind": "user", "id": "mallory"},
        "app": "chat",
    }
    return AlertIn.model_validate(body | fields)


async def case(store: Store, number: int) -> CaseFile:
    async with store.read() as session:
        await queries.verify_timeline(session, number)
        return await queries.case_file(session, number, store.now())


async def test_the_first_alert_opens_and_the_next_about_the_same_thing_attaches(store: Store) -> None:
    ctx = shared.context(store)
    assert await receive(ctx, "native", alert()) == Received(incident="INC-1", status="opened")
    assert await receive(ctx, "native", alert(title="again")) == Received(incident="INC-1", status="attached")
    file = await case(store, 1)
    assert (file.incident.alert_count, len(file.alerts)) == (2, 2)
    assert file.incident.severity is Severity.SEV1
    assert file.incident.detection is DetectionMethod.AUTOMATED


async def test_the_same_external_id_changes_nothing_and_names_the_same_incident(store: Store) -> None:
    ctx = shared.context(store)
    await receive(ctx, "native", alert(external_id="a-1"))
    before = (await case(store, 1)).incident.head_seq
    assert (await receive(ctx, "native", alert(external_id="a-1"))).status == "repeated"
    assert (await receive(ctx, "other", alert(external_id="a-1"))).status == "attached", (
        "another source's ids are its own"
    )
    assert (await case(store, 1)).incident.head_seq == before + 1


@pytest.mark.parametrize(
    "other",
    [
        {"subject": {"kind": "user", "id": "eve"}},
        {"app": "search"},
        {"trigger": "jailbreak_success"},
        {"subject": None},
    ],
)
async def test_another_subject_application_or_trigger_is_another_incident(store: Store, other: dict[str, Any]) -> None:
    ctx = shared.context(store)
    await receive(ctx, "native", alert())
    assert (await receive(ctx, "native", alert(**other))).incident == "INC-2"


async def test_fifty_alerts_at_once_are_one_incident_without_a_gap_in_the_numbers(store: Store) -> None:
    ctx = shared.context(store)
    answers = await asyncio.gather(*(receive(ctx, "native", alert(external_id=f"e-{n}")) for n in range(50)))
    assert {answer.incident for answer in answers} == {"INC-1"}
    assert sorted(answer.status for answer in answers).count("opened") == 1
    assert (await case(store, 1)).incident.alert_count == 50
    assert (await receive(ctx, "native", alert(app="search"))).incident == "INC-2"


async def test_the_same_alert_fifty_times_at_once_counts_once(store: Store) -> None:
    ctx = shared.context(store)
    answers = await asyncio.gather(*(receive(ctx, "native", alert(external_id="same")) for _ in range(50)))
    assert sorted({answer.status for answer in answers}) == ["opened", "repeated"]
    assert (await case(store, 1)).incident.alert_count == 1


async def test_after_the_end_a_new_alert_opens_a_new_incident(store: Store) -> None:
    ctx = shared.context(store)
    await receive(ctx, "native", alert())
    await roles.assign(ctx, ALICE, 1, role=Role.COMMANDER, person="U0ALICE")
    await finish.false_positive(ctx, ALICE, 1, reason="a test account")
    assert (await receive(ctx, "native", alert())).incident == "INC-2"


async def test_an_alert_that_is_worse_raises_the_severity_and_a_milder_one_does_not_lower_it(store: Store) -> None:
    ctx = shared.context(store)
    await receive(ctx, "native", alert(severity=3))
    await receive(ctx, "native", alert(severity=2))
    await receive(ctx, "native", alert(severity=4))
    file = await case(store, 1)
    assert file.incident.severity is Severity.SEV2
    assert file.incident.severity_confirmed_at is None, "no person has confirmed it"


async def test_an_unknown_trigger_is_refused_with_the_nearest_name_and_opens_nothing(store: Store) -> None:
    ctx = shared.context(store)
    with pytest.raises(Invalid, match="credential_leakage_confirmed"):
        await receive(ctx, "native", alert(trigger="credential_leak_confirmed"))
    async with store.read() as session:
        assert (await session.exec(select(Incident))).all() == []


async def test_secrets_are_redacted_before_anything_is_stored(store: Store) -> None:
    ctx = shared.context(store)
    said = {
        "title": f"key {SECRET}",
        "summary": f"it said {SECRET}",
        "evidence": [{"name": "answer", "text": f"… {SECRET}"}],
    }
    await receive(ctx, "native", alert(**said))
    file = await case(store, 1)
    async with store.read() as session:
        timeline = str([entry.data for entry in await queries.timeline(session, 1)])
    everything = f"{file.incident} {file.alerts} {file.evidence} {timeline}"
    assert SECRET not in everything
    assert "redacted" in file.incident.title
    [piece] = file.evidence
    assert (piece.size, len(piece.sha256)) == (len(f"… {SECRET}".encode()), 64)


async def test_a_title_of_ten_thousand_characters_is_clipped_and_the_same_evidence_is_kept_once(store: Store) -> None:
    ctx = shared.context(store)
    evidence = [{"name": "answer", "text": "the same"}, {"name": "answer", "text": "the same"}]
    await receive(ctx, "native", alert(title="x" * 10_000, evidence=evidence))
    await receive(ctx, "native", alert(evidence=evidence))
    file = await case(store, 1)
    assert len(file.incident.title) <= 300
    assert len(file.evidence) == 1


async def test_a_start_in_the_future_is_not_believed_and_an_earlier_one_is_taken_over(
    store: Store, clock: Clock
) -> None:
    ctx, now = shared.context(store), clock.now
    await receive(ctx, "native", alert(started_at=(now + timedelta(hours=1)).isoformat()))
    assert (await case(store, 1)).incident.started_at is None, "unknown is unknown, never a guess"
    await receive(ctx, "native", alert(started_at=(now - timedelta(minutes=9)).isoformat()))
    await receive(ctx, "native", alert(started_at=(now - timedelta(minutes=3)).isoformat()))
    assert (await case(store, 1)).incident.started_at == now - timedelta(minutes=9)


async def test_an_opening_writes_everything_that_a_room_needs_in_one_transaction(store: Store) -> None:
    ctx = shared.context(store)
    await receive(ctx, "native", alert())
    file = await case(store, 1)
    assert {(s.kind, s.part) for s in file.surfaces} == {
        (SurfaceKind.CARD, ""),
        (SurfaceKind.PANEL, ""),
        (SurfaceKind.ANNOUNCEMENT, ""),
        (SurfaceKind.CHECKLIST, "triage"),
    }
    kinds = {intent.kind for intent in await shared.intents(store, 1)}
    assert kinds == {IntentKind.OPEN_ROOM, IntentKind.SHOW}, "only the announcement needs no room"
    assert len(file.steps) > 40
    assert file.actions
    assert await shared.reminders(store, 1)
    assert file.incident.acknowledge_by == file.incident.declared_at + timedelta(minutes=15)
    assert file.incident.subject_kind is SubjectKind.USER
    assert file.incident.status is Status.OPEN
    async with store.read() as session:
        assert (await queries.timeline(session, 1))[0].kind is Happened.OPENED


async def test_a_case_file_reads_the_latest_of_many_alerts(store: Store) -> None:
    for n in range(queries.LATEST + 5):
        await receive(shared.context(store), "native", alert(external_id=f"again-{n}"))
    file = await case(store, 1)
    assert file.incident.alert_count == queries.LATEST + 5
    assert [alert.external_id for alert in file.alerts] == [f"again-{n}" for n in range(5, queries.LATEST + 5)]
