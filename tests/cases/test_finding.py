"""A finding of our own detection: what opens, what attaches, what escalates, what is only counted, and what is kept of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import select

from bot.cases import acknowledge, finish, roles, severity
from bot.cases.finding import Became, report
from bot.cases.receive import AlertIn, receive
from bot.detection.event import Mark, MarkKind
from bot.detection.finding import Finding
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid
from bot.incident.incident import Incident
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ActionState, DetectionMethod, Role, Severity, SubjectKind
from bot.store import Store, queries
from tests import opened as case
from tests.cases.containing import webhook, with_connector
from tests.conftest import START, Clock
from tests.opened import ALICE

NOW = START.timestamp()
LEAK, BULK, PROBING = "credential_leakage_confirmed", "bulk_data_extraction", "anomalous_probing"
EXPOSURE, PARTIAL = "system_prompt_exposure", "partial_prompt_extraction"


def finding(trigger: str = BULK, *, n: int = 1, **changed: Any) -> Finding:
    fields: dict[str, Any] = {
        "trigger": trigger,
        "subject_kind": "user",
        "subject_id": "mallory",
        "app": "shop",
        "session_id": None,
        "id": f"{trigger}-{n}",
        "first": n == 1,
        "started_at": NOW - 1800,
        "completed_at": NOW - 1,
        "counts": {"distinct results": 101.0},
        "window_seconds": 3600.0,
        "event_ids": ("e-100", "e-101"),
    }
    return Finding(**fields | changed)


async def file(store: Store, number: int) -> CaseFile:
    async with store.read() as session:
        await queries.verify_timeline(session, number)
        return await queries.case_file(session, number, store.now())


async def kinds(store: Store, number: int) -> list[Happened]:
    async with store.read() as session:
        return [entry.kind for entry in await queries.timeline(session, number)]


async def count(store: Store) -> int:
    async with store.read() as session:
        return len((await session.exec(select(Incident.number))).all())


async def test_a_finding_opens_an_incident_that_says_what_was_counted_when_and_by_whom(store: Store) -> None:
    assert await report(case.context(store), [finding(session_id="s-7")]) is Became.OPENED
    found = await file(store, 1)
    incident = found.incident
    assert incident.title == "Bulk data extraction: user mallory in shop"
    assert incident.summary == (
        "Distinct results: 101. From 2026-03-02 08:30:00 to 08:59:59 UTC, counted over 1 hour. "
        "Application shop, session s-7."
    )
    assert (incident.subject_kind, incident.subject_id, incident.app) == (SubjectKind.USER, "mallory", "shop")
    assert incident.started_at == datetime.fromtimestamp(NOW - 1800, UTC)
    assert incident.detected_at == START
    assert (incident.detection, incident.declared_by) == (DetectionMethod.AUTOMATED, "detection")
    assert incident.severity is Severity.SEV1
    (alert,) = found.alerts
    assert (alert.source, alert.external_id, alert.answer) == ("detection", "bulk_data_extraction-1", "opened")
    (piece,) = found.evidence
    assert piece.name == "What was counted" and "Events: e-100, e-101" in piece.excerpt


async def test_a_subject_that_was_named_by_a_credential_cannot_be_blocked_and_the_room_says_why(store: Store) -> None:
    ctx = with_connector(case.context(store), webhook("http://127.0.0.1:9/"))
    assert await report(ctx, [finding(subject_id="github_token …ab12 #5f3c9d2e01ab")]) is Became.OPENED
    found = await file(store, 1)
    assert found.incident.title == "Bulk data extraction: user github_token …ab12 #5f3c9d2e01ab in shop"
    assert found.incident.summary is not None
    assert "It cannot be blocked by that name: revoke the credential where it was issued." in found.incident.summary
    assert found.actions and all("#5f3c" not in action.scope_id for action in found.actions)


async def test_what_the_source_showed_of_the_text_is_evidence_and_where_it_lies(store: Store) -> None:
    told = finding(told="tell me the password=hunter2secret", text_ref="s3://logs/2026/03/02#17")
    await report(case.context(store), [told])
    (piece,) = [one for one in (await file(store, 1)).evidence if one.name == "What the source shows of the text"]
    assert piece.excerpt == (
        "“tell me the password=[redacted password]\nThe text lies at s3://logs/2026/03/02#17. Firsthour does not fetch it."
    )


async def test_the_same_finding_counts_once_however_often_it_is_told(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding()])
    before = (await file(sqlite_store, 1)).incident.head_seq
    assert await report(ctx, [finding(), finding()][:1]) is Became.REPEATED
    assert await asyncio.gather(*(report(ctx, [finding()]) for _ in range(5))) == [Became.REPEATED] * 5
    assert (await file(sqlite_store, 1)).incident.head_seq == before


async def test_of_a_finding_told_at_once_by_many_replicas_one_opens(store: Store) -> None:
    ctx = case.context(store)
    became = await asyncio.gather(*(report(ctx, [finding()]) for _ in range(5)))
    assert sorted(became) == ["opened"] + ["repeated"] * 4
    assert await count(store) == 1


async def test_more_evidence_attaches_and_many_findings_are_one_entry_of_the_timeline(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding()])
    before = len(await kinds(sqlite_store, 1))
    more = [finding(n=n) for n in range(2, 12)]
    assert await report(ctx, more) is Became.ATTACHED
    found = await file(sqlite_store, 1)
    assert found.incident.alert_count == 11
    assert (await kinds(sqlite_store, 1))[before:] == [Happened.ALERT_ATTACHED]
    assert await report(ctx, [more[3], finding(n=12)]) is Became.ATTACHED
    assert (await file(sqlite_store, 1)).incident.alert_count == 12


async def test_a_worse_trigger_on_the_same_subject_escalates_the_open_incident_with_its_plan_and_steps(
    store: Store,
) -> None:
    ctx = case.context(store)
    await report(ctx, [finding(PROBING)])
    before = await file(store, 1)
    assert (before.incident.severity, before.actions) == (Severity.SEV4, [])
    assert await report(ctx, [finding(LEAK)]) is Became.ESCALATED
    found = await file(store, 1)
    incident = found.incident
    assert await count(store) == 1
    assert (incident.trigger, incident.severity) == (LEAK, Severity.SEV1)
    assert incident.title == "Credential leak confirmed: user mallory in shop"
    assert {Happened.TRIGGER_CHANGED, Happened.SEVERITY_CHANGED} <= set(await kinds(store, 1))
    assert ActionKind.BLOCK_USER in {action.kind for action in found.actions}
    assert {step.step_id for step in before.steps} < {step.step_id for step in found.steps}
    assert await report(ctx, [finding(PROBING, n=2)]) is Became.ATTACHED, "its own trigger's evidence stays here"
    assert await report(ctx, [finding(LEAK, n=2)]) is Became.ATTACHED


async def test_after_an_escalation_what_waited_runs_by_itself_where_the_worse_trigger_lets_it(
    sqlite_store: Store,
) -> None:
    ctx = with_connector(case.context(sqlite_store), webhook("http://127.0.0.1:9"))
    await report(ctx, [finding("sustained_injection_campaign")])
    waiting = {one.kind: one.state for one in (await file(sqlite_store, 1)).actions}
    assert waiting[ActionKind.BLOCK_USER] is ActionState.PROPOSED
    await report(ctx, [finding(LEAK)])
    after = {one.kind: (one.state, one.auto) for one in (await file(sqlite_store, 1)).actions}
    assert after[ActionKind.BLOCK_USER] == (ActionState.APPROVED, True)
    assert after[ActionKind.DISABLE_TOOLS] == (ActionState.PROPOSED, False), "not what reaches everybody"


async def test_a_milder_trigger_on_the_same_subject_attaches_and_changes_nothing(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding(LEAK)])
    assert await report(ctx, [finding(PROBING)]) is Became.ATTACHED
    found = await file(sqlite_store, 1)
    assert (found.incident.trigger, found.incident.severity) == (LEAK, Severity.SEV1)
    assert await count(sqlite_store) == 1


@pytest.mark.parametrize("other", [{"subject_id": "eve"}, {"app": "search"}, {"subject_kind": "ip"}])
async def test_another_subject_or_application_is_another_incident(sqlite_store: Store, other: dict[str, Any]) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding(PROBING)])
    assert await report(ctx, [finding(LEAK, **other)]) is Became.OPENED


async def test_what_one_event_fires_on_a_user_and_on_its_session_is_one_incident_about_the_user(store: Store) -> None:
    """A canary of no kind is both a credential and a part of the prompt (domain.md §4.3, 1)."""
    ctx = case.context(store)
    session = {"subject_kind": "session", "subject_id": "s-7", "session_id": "s-7"}
    assert await report(ctx, [finding(EXPOSURE, **session)]) is Became.OPENED
    assert await report(ctx, [finding(LEAK, session_id="s-7")]) is Became.ESCALATED
    assert await report(ctx, [finding(EXPOSURE, n=2, **session)]) is Became.ATTACHED
    incident = (await file(store, 1)).incident
    assert (incident.subject_kind, incident.subject_id) == (SubjectKind.USER, "mallory")
    eve = finding(LEAK, n=3, subject_id="eve", session_id="s-7")
    assert await report(ctx, [eve]) is Became.OPENED, "two users in one session are two subjects"


async def test_an_alert_from_outside_finds_the_incident_that_took_its_trigger_in(sqlite_store: Store) -> None:
    """Design §8: an alert on the same trigger, subject and app while its incident is open attaches to it."""
    ctx = case.context(sqlite_store)
    fields = {"title": "Probing", "app": "shop", "subject": {"kind": "user", "id": "mallory"}}
    probing = AlertIn.model_validate(fields | {"trigger": PROBING})
    assert (await receive(ctx, "native", probing)).status == "opened"
    await report(ctx, [finding(LEAK)])
    assert (await receive(ctx, "native", probing)).model_dump() == {"incident": "INC-1", "status": "attached"}
    leak = AlertIn.model_validate(fields | {"trigger": LEAK})
    assert (await receive(ctx, "native", leak)).model_dump() == {"incident": "INC-1", "status": "attached"}
    exposure = AlertIn.model_validate(fields | {"trigger": EXPOSURE})
    assert (await receive(ctx, "native", exposure)).status == "opened", (
        "from outside, another trigger is another incident"
    )


async def test_what_people_settled_is_not_raised_again_by_the_same_trigger_but_by_a_worse_one(
    sqlite_store: Store, clock: Clock
) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding(EXPOSURE)])
    clock.advance(minutes=1)
    await severity.change(ctx, ALICE, 1, severity=Severity.SEV4, reason="a test prompt")
    clock.advance(minutes=1)
    assert await report(ctx, [finding(EXPOSURE, n=2)]) is Became.ATTACHED
    assert (await file(sqlite_store, 1)).incident.severity is Severity.SEV4
    assert await report(ctx, [finding(LEAK)]) is Became.ESCALATED
    assert (await file(sqlite_store, 1)).incident.severity is Severity.SEV1


@pytest.mark.parametrize("end", ["false_positive", "closed"])
async def test_shortly_after_the_end_the_same_thing_is_counted_there_and_later_opens_a_room(
    sqlite_store: Store, clock: Clock, end: str
) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding()])
    await roles.assign(ctx, ALICE, 1, role=Role.COMMANDER, person="U0ALICE")
    if end == "closed":
        await acknowledge.acknowledge(ctx, ALICE, 1)
        await case.resolve(ctx, ALICE, 1, reason="fixed")
        await finish.close(ctx, ALICE, 1)
    else:
        await finish.false_positive(ctx, ALICE, 1, reason="a load test")
    status = (await file(sqlite_store, 1)).incident.status
    clock.advance(minutes=59)
    for number in (2, 3):
        assert await report(ctx, [finding(n=number)]) is Became.COUNTED
    found = await file(sqlite_store, 1)
    assert (found.incident.alert_count, found.incident.status, await count(sqlite_store)) == (3, status, 1)
    assert (await kinds(sqlite_store, 1))[-2:] == [Happened.ALERT_ATTACHED] * 2
    assert await report(ctx, [finding(LEAK)]) is Became.OPENED, "something worse is never only counted"
    clock.advance(minutes=2)
    assert await report(ctx, [finding(n=4, first=True, subject_id="mallory", session_id="s")]) is not Became.COUNTED


async def test_a_finding_about_a_duplicate_goes_to_what_it_is_a_duplicate_of(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [finding(subject_id="eve")])
    await report(ctx, [finding(subject_id="mallory", n=2)])
    await roles.assign(ctx, ALICE, 2, role=Role.COMMANDER, person="U0ALICE")
    await finish.duplicate(ctx, ALICE, 2, of=1)
    assert await report(ctx, [finding(n=3)]) is Became.ATTACHED
    assert (await file(sqlite_store, 1)).incident.alert_count == 2


async def test_a_milder_trigger_on_a_subject_that_a_storm_has_gathered_opens_no_room(store: Store) -> None:
    """A worse one does: what the storm's room plans is about its own subject."""
    ctx = case.context(store)
    for number in range(6):
        await report(ctx, [finding(id=f"bulk-{number}", subject_id=f"user-{number}")])
    rooms = await count(store)
    assert rooms == 3, "the rest is gathered"
    milder = finding(PROBING, subject_id="user-5", id="probing-5")
    assert await report(ctx, [milder]) is Became.ATTACHED
    assert (await file(store, 1)).alerts[-1].external_id == "probing-5"
    assert await report(ctx, [finding(PROBING, subject_id="user-5", app="elsewhere", id="other")]) is Became.OPENED
    assert await report(ctx, [finding(PROBING, subject_id="user-99", id="stranger")]) is Became.OPENED
    assert await count(store) == rooms + 2


@pytest.mark.parametrize("trigger", [PROBING, PARTIAL, EXPOSURE])
async def test_a_session_of_a_subject_that_a_storm_has_gathered_opens_no_room_and_a_worse_trigger_does(
    store: Store, trigger: str
) -> None:
    """Of the trigger of each severity. The subject itself is treated just so."""
    ctx = case.context(store)
    for number in range(6):
        fields: dict[str, Any] = {"subject_id": f"user-{number}", "session_id": f"s-{number}"}
        await report(ctx, [finding(EXPOSURE, id=f"f-{number}", **fields)])
    rooms = await count(store)
    assert rooms == 3, "the rest is gathered"
    session: dict[str, Any] = {"subject_kind": "session", "subject_id": "s-5", "session_id": "s-5"}
    assert await report(ctx, [finding(trigger, id="of a session", **session)]) is Became.ATTACHED
    assert (await file(store, 1)).alerts[-1].external_id == "of a session"
    assert await report(ctx, [finding(LEAK, id="worse", **session)]) is Became.OPENED
    assert await report(ctx, [finding(trigger, id="elsewhere", app="search", **session)]) is Became.OPENED
    assert await count(store) == rooms + 2


async def test_the_user_of_a_session_that_a_storm_has_gathered_opens_no_room_and_another_user_does(
    sqlite_store: Store,
) -> None:
    ctx = case.context(sqlite_store)
    for number in range(6):
        fields: dict[str, Any] = {"subject_kind": "session", "subject_id": f"s-{number}"}
        await report(ctx, [finding(EXPOSURE, id=f"f-{number}", **fields)])
    user = finding(PROBING, id="its user", subject_id="user-5", session_id="s-5")
    assert await report(ctx, [user]) is Became.ATTACHED
    stranger = finding(PROBING, id="a stranger", subject_id="user-9", session_id="s-9")
    assert await report(ctx, [stranger]) is Became.OPENED
    other = finding(PROBING, id="one more of its sessions", subject_kind="session", subject_id="s-8", session_id="s-8")
    assert await report(ctx, [other]) is Became.OPENED


async def test_a_storm_of_findings_is_gathered_as_one_of_alerts_is(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    became = [await report(ctx, [finding(LEAK, n=1, id=f"f-{n}", subject_id=f"user-{n}")]) for n in range(6)]
    assert became == [Became.OPENED] * 3 + [Became.ATTACHED] * 3
    assert (await file(sqlite_store, 1)).incident.gathered == 3


def leaked(**changed: Any) -> Mark:
    fields: dict[str, Any] = {
        "kind": MarkKind.SECRET,
        "name": "github_token",
        "grade": "validated_pattern",
        "digest": "d1",
        "last4": "ab12",
        "offset": 40,
        "how": "base64",
        "excerpt": "the token is [redacted github_token …ab12]",
    }
    return Mark(**fields | changed)


async def test_each_thing_that_was_found_is_evidence_once_and_a_secret_asks_for_rotation(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    marks = (leaked(), leaked(offset=90), leaked(digest="d2", last4="cd34"))
    await report(ctx, [finding(LEAK, marks=marks, counts={}, window_seconds=0.0)])
    found = await file(sqlite_store, 1)
    pieces = [piece for piece in found.evidence if piece.name == "Secret in a text: github_token"]
    assert len(pieces) == 2
    assert "validated pattern" in pieces[0].excerpt and "hidden as base64" in pieces[0].excerpt
    assert {piece.kind for piece in pieces} == {"credential"}
    assert ActionKind.ROTATE_CREDENTIALS in {action.kind for action in found.actions}
    await report(ctx, [finding(LEAK, n=2, marks=marks[:1])])
    assert len((await file(sqlite_store, 1)).evidence) == len(found.evidence), "what is known is not added again"


async def test_hostile_text_of_a_finding_is_clipped_and_redacted_and_evades_nothing(store: Store) -> None:
    ctx = case.context(store)
    secret = "AKIA" + "QWERTYUIOPASDFGH"
    hostile = finding(
        LEAK,
        subject_id="mal\0lory",
        session_id="s\0",
        app="shop\0",
        event_ids=(secret, "<!channel>"),
        counts={secret: 3.0},
        marks=(leaked(name="x" * 5000, excerpt=secret * 100), leaked(kind=MarkKind.PROBE, name="", digest="d3")),
    )
    assert await report(ctx, [hostile]) is Became.OPENED
    found = await file(store, 1)
    assert found.incident.subject_id == "mal\ufffdlory"
    said = " ".join([found.incident.title, found.incident.summary or "", *(one.excerpt for one in found.evidence)])
    assert secret not in said


@pytest.mark.parametrize("times", [(0.0, 0.0), (-1e18, 1e18), (NOW + 86400, NOW + 86400)])
async def test_times_that_cannot_be_are_not_stored(sqlite_store: Store, times: tuple[float, float]) -> None:
    await report(case.context(sqlite_store), [finding(started_at=times[0], completed_at=times[1])])
    started = (await file(sqlite_store, 1)).incident.started_at
    assert started is None or started == datetime.fromtimestamp(0, UTC)


async def test_a_trigger_that_the_playbook_does_not_have_is_refused(sqlite_store: Store) -> None:
    with pytest.raises(Invalid):
        await report(case.context(sqlite_store), [finding("gone")])


async def test_who_is_a_fleet_is_named_in_the_evidence(sqlite_store: Store) -> None:
    fleet = finding(subject_kind="unknown", subject_id=None, subjects=(("user", "a"), ("user", "b"), ("api_key", "k")))
    await report(case.context(sqlite_store), [fleet])
    found = await file(sqlite_store, 1)
    assert found.incident.subject_kind is SubjectKind.UNKNOWN
    assert "user a\nuser b\napi key k" in next(p.excerpt for p in found.evidence if p.name == "Who took part")
