"""What is counted by the session is about the end user, wherever the event that completed it names one.

Events go through the shipped rules and the real engine, so that what counts by the session and what names the user meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.cases.finding import Became, report
from bot.cases.suppressed import suppressed_by
from bot.detection.engine import Engine
from bot.detection.event import Mark, MarkKind, Outcome, Seen, UserKind, Verdict
from bot.detection.finding import Finding
from bot.incident.incident import Incident
from bot.incident.registered import Suppression
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind, ScopeKind, Severity, SubjectKind
from bot.store import Store, queries
from bot.tuning.tail import Readers, Wanted, in_words
from bot.watch.read import Fired
from tests import opened as case
from tests.conftest import START
from tests.detection.reference import answer, fragment

EXPOSURE, PARTIAL, JAILBREAK = "system_prompt_exposure", "partial_prompt_extraction", "jailbreak_success"
LEAK = "credential_leakage_confirmed"
CANARY = Mark(MarkKind.CANARY, "prompt canary", "system_prompt", "c")
FLAGGED = (Verdict("safety", Outcome.FLAG, score=0.9),)
BY_SESSION: dict[str, dict[str, Any]] = {
    EXPOSURE: {"marks": (CANARY,)},
    PARTIAL: {"marks": (fragment(1),)},
    JAILBREAK: {"verdicts": FLAGGED},
}


def told(session: str, at: float = 0.0, user: str | None = "mallory", **event: Any) -> Seen:
    marks = event.pop("marks", ())
    return answer(at, *marks, user=user, app="shop", session_id=session, event_id=f"{session}-{at}", **event)


def fires(*events: Seen) -> list[Finding]:
    return Engine(case.playbook().rules, most_keys=1000).take(events)


def one(trigger: str, session: str = "s-1", at: float = 0.0, **event: Any) -> Finding:
    (finding,) = fires(told(session, at, **BY_SESSION[trigger], **event))
    assert finding.trigger == trigger
    return finding


@pytest.mark.parametrize("trigger", BY_SESSION)
def test_the_finding_is_about_the_end_user_and_tells_the_session(trigger: str) -> None:
    finding = one(trigger)
    assert (finding.subject_kind, finding.subject_id, finding.session_id) == ("user", "mallory", "s-1")


@pytest.mark.parametrize("trigger", BY_SESSION)
@pytest.mark.parametrize("event", [{"user": None}, {"user": "k", "user_kind": UserKind.API_KEY}])
def test_where_no_end_user_is_known_it_is_about_the_session(trigger: str, event: dict[str, Any]) -> None:
    finding = one(trigger, **event)
    assert (finding.subject_kind, finding.subject_id) == ("session", "s-1")


def test_it_still_is_counted_by_the_session() -> None:
    spread = [told(f"s-{n % 2}", n, marks=(fragment(n),)) for n in range(4)]
    assert {found.trigger for found in fires(*spread)} == {PARTIAL}
    of_two = [told("s-1", n, f"user-{n % 2}", marks=(fragment(n),)) for n in range(4)]
    *_, last = fires(*of_two)
    assert (last.trigger, last.subject_id, last.counts) == (EXPOSURE, "user-1", {"distinct fragments": 4})


@pytest.mark.parametrize("trigger", BY_SESSION)
def test_a_suppression_of_the_user_or_of_the_session_covers_it(trigger: str) -> None:
    def covers(kind: str, subject: str) -> bool:
        made = Suppression(
            id=1, reason="red team", made_by="U0ALICE", made_at=START, starts_at=START,
            ends_at=START + timedelta(days=1), subject_kind=kind, subject_id=subject,
        )  # fmt: skip
        return suppressed_by(one(trigger), None, [made], START) is not None

    assert covers("user", "mallory") and covers("session", "s-1")
    assert not covers("user", "alice") and not covers("session", "s-2")


async def incidents(store: Store) -> list[Incident]:
    async with store.read() as session:
        return list((await session.exec(select(Incident))).all())


async def test_ten_sessions_of_one_user_are_one_room(store: Store) -> None:
    ctx = case.context(store)
    became = [await report(ctx, [one(EXPOSURE, f"s-{n}", float(n))]) for n in range(10)]
    assert became == [Became.OPENED] + [Became.ATTACHED] * 9
    (incident,) = await incidents(store)
    assert (incident.alert_count, incident.gathered) == (10, 0)
    other = one(EXPOSURE, "s-10", user="trudy")
    assert await report(ctx, [other]) is Became.OPENED


async def test_a_worse_trigger_from_another_session_escalates_and_a_milder_one_attaches(store: Store) -> None:
    ctx = case.context(store)
    assert await report(ctx, [one(JAILBREAK, "s-1")]) is Became.OPENED
    assert await report(ctx, [one(EXPOSURE, "s-2")]) is Became.ESCALATED
    token = Mark(MarkKind.SECRET, "github_token", "validated_pattern", "d", "5678")
    (leak,) = fires(told("s-3", marks=(token,)))
    assert await report(ctx, [leak]) is Became.ESCALATED
    assert await report(ctx, [one(PARTIAL, "s-4")]) is Became.ATTACHED
    (incident,) = await incidents(store)
    assert (incident.trigger, incident.severity, incident.subject_id) == (LEAK, Severity.SEV1, "mallory")


async def test_an_event_of_the_session_alone_finds_the_users_room(store: Store) -> None:
    ctx = case.context(store)
    assert await report(ctx, [one(EXPOSURE, "s-1")]) is Became.OPENED
    assert await report(ctx, [one(JAILBREAK, "s-1", 5.0, user=None)]) is Became.ATTACHED
    (incident,) = await incidents(store)
    assert (incident.subject_kind, incident.subject_id) == (SubjectKind.USER, "mallory")


async def test_the_room_names_the_user_and_every_session(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [one(EXPOSURE, "s-1")])
    await report(ctx, [one(EXPOSURE, "s-2", 60.0)])
    async with sqlite_store.read() as session:
        found = await queries.case_file(session, 1, sqlite_store.now())
    assert found.incident.title == "System prompt exposure: user mallory in shop"
    assert "session s-1" in (found.incident.summary or "")
    counted = [piece.excerpt for piece in found.evidence if piece.name == "What was counted"]
    assert ["Session s-1" in counted[0], "Session s-2" in counted[1]] == [True, True]


async def test_the_plan_is_about_the_user(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await report(ctx, [one(EXPOSURE)])
    async with sqlite_store.read() as session:
        found = await queries.case_file(session, 1, sqlite_store.now())
    planned = {action.kind: (action.scope_kind, action.scope_id) for action in found.actions}
    assert planned[ActionKind.BLOCK_USER] == (ScopeKind.USER, "mallory")
    assert ScopeKind.SESSION not in {kind for kind, _ in planned.values()}


def lines(user: str) -> Iterator[str]:
    readers = Readers(case.playbook().rules)
    wanted = Wanted(readers, user)
    for trigger in BY_SESSION:
        finding = one(trigger)
        if wanted.finding(finding):
            yield in_words(Fired(finding, None), readers)


def test_events_tail_finds_it_by_user_and_by_session() -> None:
    by_user = list(lines("mallory"))
    assert len(by_user) == len(BY_SESSION) and by_user == list(lines("s-1"))
    assert all("user:mallory  session:s-1" in line for line in by_user)
    assert not list(lines("alice"))


async def test_what_opens_after_its_first_finding_was_suppressed_says_what_was_counted(store: Store) -> None:
    """The suppression ended while the cool-down ran: what comes now is more evidence to the engine, and the first here."""
    ctx = case.context(store)
    *_, more = fires(told("s-1", marks=(fragment(0),)), told("s-1", 70.0, marks=(fragment(1),)))
    assert not more.first
    assert await report(ctx, [more]) is Became.OPENED
    four = [told("s-1", 70.0 * n, marks=(fragment(n),)) for n in range(5)]
    worse = [finding for finding in fires(*four) if finding.trigger == EXPOSURE][-1]
    assert not worse.first
    assert await report(ctx, [worse]) is Became.ESCALATED
    async with store.read() as session:
        found = await queries.case_file(session, 1, store.now())
        kinds = [entry.kind for entry in await queries.timeline(session, 1)]
    counted = [piece.excerpt for piece in found.evidence if piece.name == "What was counted"]
    assert ["Distinct fragments: 2" in counted[0].capitalize(), "distinct fragments: 5" in counted[1]] == [True, True]
    assert Happened.TRIGGER_CHANGED in kinds
