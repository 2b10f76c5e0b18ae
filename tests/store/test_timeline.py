"""The timeline on a real database: it takes no change, and where somebody changed it all the same, it says where (law 11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from bot.incident.columns import Json
from bot.incident.errors import ChainBroken, NotFound
from bot.incident.incident import person
from bot.incident.timeline import Happened, TimelineEntry
from bot.store import Store, queries
from tests.conftest import Clock, open_incident


async def written(store: Store, clock: Clock, entries: int = 5) -> None:
    """INC-1 with so many entries, and INC-2 beside it."""
    async with store.unit() as unit:
        await open_incident(unit)
        await open_incident(unit)
    for n in range(2, entries + 1):
        clock.advance(timedelta(seconds=1, microseconds=n))
        async with store.unit() as unit:
            unit.record(
                await unit.incident(1), Happened.NOTE, person("U02BOB"), text=f"note {n} — “ü”", nested={"b": [1, None]}
            )


async def verified(store: Store, number: int = 1) -> int:
    async with store.read() as session:
        return await queries.verify_timeline(session, number)


async def tamper(store: Store, *statements: str) -> None:
    """As somebody could who owns the database: the triggers are dropped first."""
    on = "" if store.sqlite else " ON timeline_entry"
    drop = [f"DROP TRIGGER timeline_entry_no_{verb}{on}" for verb in ("update", "delete")]
    async with store.writing.begin() as connection:
        for statement in (*drop, *statements):
            await connection.execute(text(statement))


async def test_a_chain_that_nobody_touched_holds(store: Store, clock: Clock) -> None:
    await written(store, clock)
    assert (await verified(store), await verified(store, 2)) == (5, 1)
    with pytest.raises(NotFound):
        await verified(store, 3)


WHERE = "WHERE incident = 1 AND seq ="
BROKEN: dict[str, tuple[list[str], int, str]] = {
    "content": (
        [f'UPDATE timeline_entry SET data = \'{{"text": "other"}}\' {WHERE} 3'],
        3,
        "its content does not match",
    ),
    "actor": ([f"UPDATE timeline_entry SET actor = 'U03EVE' {WHERE} 3"], 3, "its content does not match"),
    "time": (
        [f"UPDATE timeline_entry SET at = '2026-03-02 09:00:09.000000' {WHERE} 4"],
        4,
        "its content does not match",
    ),
    "kind": ([f"UPDATE timeline_entry SET kind = 'joined' {WHERE} 2"], 2, "its content does not match"),
    "deleted in the middle": ([f"DELETE FROM timeline_entry {WHERE} 3"], 3, "entry 3 is missing, entry 4 follows"),
    "deleted at the start": ([f"DELETE FROM timeline_entry {WHERE} 1"], 1, "entry 1 is missing"),
    "deleted and closed up": (
        [f"DELETE FROM timeline_entry {WHERE} 3", f"UPDATE timeline_entry SET seq = 3 {WHERE} 4"],
        3,
        "it does not continue the entry before",
    ),
    "cut tail": (
        [f"DELETE FROM timeline_entry {WHERE} 5", f"DELETE FROM timeline_entry {WHERE} 4"],
        4,
        "4 to 5 are missing",
    ),
    "all of it": (["DELETE FROM timeline_entry WHERE incident = 1"], 1, "entries 1 to 5 are missing"),
    "swapped order": (
        [f"UPDATE timeline_entry SET seq = {to} {WHERE} {seq}" for seq, to in ((3, 99), (4, 3), (99, 4))],
        3,
        "it does not continue the entry before",
    ),
    "moved to another incident": (
        ["DELETE FROM timeline_entry WHERE incident = 2", f"UPDATE timeline_entry SET incident = 2 {WHERE} 1"],
        1,
        "entry 1 is missing",
    ),
    "rewritten hash": ([f"UPDATE timeline_entry SET hash = '{'f' * 64}' {WHERE} 5"], 5, "its content does not match"),
    "rewritten head": (["UPDATE incident SET head_hash = repeat_f WHERE number = 1"], 5, "says otherwise"),
    "shortened head": (["UPDATE incident SET head_seq = 4 WHERE number = 1"], 5, "says otherwise"),
}


@pytest.mark.parametrize("way", BROKEN)
async def test_a_changed_timeline_names_its_first_broken_link(store: Store, clock: Clock, way: str) -> None:
    await written(store, clock)
    statements, seq, why = BROKEN[way]
    await tamper(store, *(statement.replace("repeat_f", f"'{'f' * 64}'") for statement in statements))
    with pytest.raises(ChainBroken) as broken:
        await verified(store)
    assert (broken.value.incident, broken.value.seq) == ("INC-1", seq)
    assert why in str(broken.value)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE timeline_entry SET data = '{}'",
        "UPDATE timeline_entry SET hash = hash WHERE seq = 1",
        "DELETE FROM timeline_entry",
        "DELETE FROM timeline_entry WHERE seq = 1",
    ],
)
async def test_the_database_itself_refuses_to_change_or_delete_an_entry(
    store: Store, clock: Clock, statement: str
) -> None:
    await written(store, clock)
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.unit() as unit:
            await (await unit.session.connection()).execute(text(statement))
    assert await verified(store) == 5


async def test_postgres_refuses_to_empty_the_timeline(postgres_url: str) -> None:
    store = Store(postgres_url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.unit() as unit:
            await (await unit.session.connection()).execute(text("TRUNCATE timeline_entry"))
    await store.close()


async def test_the_last_so_many_entries_come_in_order(store: Store, clock: Clock) -> None:
    await written(store, clock)
    async with store.read() as session:
        assert [entry.seq for entry in await queries.timeline(session, 1, limit=2)] == [4, 5]


text_that_is_stored = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
json_data = st.dictionaries(
    text_that_is_stored,
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), text_that_is_stored),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text_that_is_stored, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=json_data)
async def test_whatever_an_entry_holds_its_link_is_the_same_when_it_is_read_again(store: Store, data: Json) -> None:
    async with store.unit() as unit:
        incident = await open_incident(unit)
        unit.record(incident, Happened.NOTE, person("U02BOB"), **data)
    assert await verified(store, incident.number) == 2
    async with store.read() as session:
        entry = (
            await session.exec(
                select(TimelineEntry).where(TimelineEntry.incident == incident.number, TimelineEntry.seq == 2)
            )
        ).one()
    assert entry.data == data
