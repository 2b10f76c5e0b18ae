"""What metrics ask of the store: which incidents, when stakeholders were told, which evidence was secured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event
from sqlmodel import col, update

from bot.cases import note
from bot.incident.evidence import Evidence
from bot.incident.incident import Incident, StakeholderUpdate
from bot.incident.outward import Surface, SurfaceKind
from bot.incident.words import EvidenceKind, EvidenceState, Severity
from bot.store import Store, measured
from tests.conftest import START
from tests.measurable import row
from tests.opened import ALICE, context, opened


async def changed(store: Store, number: int, **values: Any) -> None:
    async with store.unit() as unit:
        await unit.session.exec(update(Incident).where(col(Incident.number) == number).values(**values))


async def test_drills_are_never_read_and_the_end_of_a_span_is_not_in_it(store: Store) -> None:
    ctx = context(store)
    numbers = [await opened(ctx, user=f"u{n}", app=f"a{n}") for n in range(4)]
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    await changed(store, numbers[0], declared_at=midnight)
    await changed(store, numbers[1], declared_at=midnight - timedelta(microseconds=1))
    await changed(store, numbers[2], declared_at=datetime(2026, 4, 1, tzinfo=UTC))
    await changed(store, numbers[3], declared_at=midnight, drill=True)
    async with store.read() as session:
        march = await measured.between(session, midnight, datetime(2026, 4, 1, tzinfo=UTC))
        both = await measured.between(session, midnight - timedelta(days=1), datetime(2026, 4, 2, tzinfo=UTC), most=2)
    assert [one.number for one in march] == [numbers[0]]
    assert march[0].declared_at == midnight and march[0].severity is Severity.SEV1
    assert [one.number for one in both] == [numbers[2], numbers[0]], (
        "the latest first, so that a bound drops the oldest"
    )


async def test_stakeholders_are_told_by_the_announcement_or_by_an_update_that_came_sooner(store: Store) -> None:
    ctx = context(store)
    one, other, silent, odd = [await opened(ctx, user=f"u{n}", app=f"a{n}") for n in range(4)]
    posted = {one: f"{START.timestamp() + 60:.6f}", other: f"{START.timestamp() + 600:.6f}", odd: "no-time"}
    async with store.unit() as unit:
        for number, ts in posted.items():
            announced = (Surface.incident == number, Surface.kind == SurfaceKind.ANNOUNCEMENT)
            await unit.session.exec(update(Surface).where(*announced).values(ts=ts))
        for number, minutes in ((one, 5), (other, 5), (other, 90)):
            unit.add(StakeholderUpdate(incident=number, text="x", by="U0ALICE", at=START + timedelta(minutes=minutes)))
    async with store.read() as session:
        told = await measured.told(session, [row(number) for number in (one, other, silent, odd)])
    assert told == {one: START + timedelta(minutes=1), other: START + timedelta(minutes=5)}


async def test_evidence_counts_once_a_kind_and_only_what_the_vault_holds(store: Store) -> None:
    one, other = [await opened(context(store), user=f"u{n}", app=f"a{n}") for n in range(2)]
    pieces = (
        (one, EvidenceKind.LOGS, EvidenceState.KEPT, "a"),
        (one, EvidenceKind.LOGS, EvidenceState.KEPT, "b"),
        (one, EvidenceKind.MODEL_STATE, EvidenceState.KEPT, "c"),
        (one, EvidenceKind.SCREENSHOT, EvidenceState.WAITING, "d"),
        (other, EvidenceKind.LOGS, EvidenceState.LOST, "e"),
    )
    async with store.unit() as unit:
        for number, kind, state, name in pieces:
            about = {"source": "cli", "excerpt": "", "added_by": "U0ALICE", "added_at": START, "size": 1}
            unit.add(Evidence(incident=number, kind=kind, state=state, name=name, sha256=name * 64, **about))
    async with store.read() as session:
        found = await measured.kept(session, [row(one), row(other)])
        assert found == {one: {EvidenceKind.LOGS, EvidenceKind.MODEL_STATE}}
        assert await measured.kept(session, []) == {} == await measured.told(session, [])


async def test_no_question_reads_a_whole_table_or_any_timeline(sqlite_store: Store) -> None:
    ctx = context(sqlite_store)
    number = await opened(ctx)
    await note.note(ctx, ALICE, number, text="x")
    asked: list[tuple[str, Any]] = []

    @event.listens_for(sqlite_store.engine.sync_engine, "before_cursor_execute")
    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    async with sqlite_store.read() as session:
        found = await measured.between(session, START - timedelta(days=1), START + timedelta(days=1))
        await measured.told(session, found)
        await measured.kept(session, found)
    questions = [(statement, given) for statement, given in asked if statement.startswith("SELECT")]
    assert len(questions) == 4 and not any("timeline_entry" in statement for statement, _ in questions)
    async with sqlite_store.engine.connect() as connection:
        for statement, given in questions:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)).all()
            assert all("SEARCH" in step.detail for step in plan if "SCAN" in step.detail or "SEARCH" in step.detail), (
                plan
            )


def test_a_moment_of_slacks_that_is_none_is_not_known() -> None:
    assert [measured.posted_at(ts) for ts in ("", "nan", "1e300", "-1e300")] == [None] * 4
