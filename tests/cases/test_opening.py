"""What an opening asks of the store: little, because beside a stream of events each statement waits for its turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from bot.cases.finding import Became, report
from bot.cases.receive import AlertIn, receive
from bot.incident.timeline import Happened
from bot.incident.words import ActionKind
from bot.store import Store, queries
from tests import opened as case
from tests.cases.test_finding import LEAK, finding, leaked

MOST = 23
"""Statements of an opening: five looks, the number, the incident twice, one for each table, the fingerprints' own."""
ATTACHES = 16


@pytest.fixture
def statements(sqlite_store: Store) -> Iterator[list[str]]:
    said: list[str] = []

    def seen(_: object, __: object, statement: str, *___: object) -> None:
        said.append(statement)

    engine = sqlite_store.engine.sync_engine
    event.listen(engine, "before_cursor_execute", seen)
    yield said
    event.remove(engine, "before_cursor_execute", seen)


def writes(said: list[str], what: str) -> int:
    return sum(one.startswith(what) for one in said)


async def test_a_finding_opens_and_more_evidence_attaches_in_few_statements(
    sqlite_store: Store, statements: list[str]
) -> None:
    ctx = case.context(sqlite_store)
    marks = (leaked(), leaked(digest="d2", last4="cd34"))
    assert await report(ctx, [finding(LEAK, marks=marks)]) is Became.OPENED
    assert len(statements) <= MOST
    assert writes(statements, "UPDATE incident") == 1, "the head is written with the last entry, not with each"
    assert writes(statements, "INSERT INTO evidence") == writes(statements, "INSERT INTO timeline_entry") == 1
    statements.clear()
    assert await report(ctx, [finding(LEAK, n=2, marks=(leaked(digest="d3"),))]) is Became.ATTACHED
    assert len(statements) <= ATTACHES


async def test_an_alert_is_looked_up_once_before_it_opens(sqlite_store: Store, statements: list[str]) -> None:
    fields = {
        "trigger": "jailbreak_success",
        "title": "A jailbreak",
        "evidence": [{"name": "a", "text": "What was sent"}],
    }
    await receive(case.context(sqlite_store), "native", AlertIn.model_validate(fields))
    assert len(statements) <= MOST
    assert sum("gathered_subject" in one for one in statements) == 1


async def test_the_plan_of_an_opening_knows_what_its_evidence_holds(store: Store) -> None:
    """It is made before the evidence is stored, and nothing of it is said twice."""
    await report(case.context(store), [finding(LEAK, marks=(leaked(),))])
    async with store.read() as session:
        file = await queries.case_file(session, 1, store.now())
        entries = await queries.timeline(session, 1)
        assert await queries.verify_timeline(session, 1) == len(entries) == file.incident.head_seq
    assert ActionKind.ROTATE_CREDENTIALS in {action.kind for action in file.actions}
    assert [action.index for action in file.actions] == list(range(1, len(file.actions) + 1))
    proposed = [entry.data["action"] for entry in entries if entry.kind is Happened.ACTION_PROPOSED]
    assert proposed == [action.index for action in file.actions]
    assert entries[0].kind is Happened.OPENED
    assert sum("Not proposed" in str(entry.data.get("text")) for entry in entries) <= 1
