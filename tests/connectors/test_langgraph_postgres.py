from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import ValidationError

from bot.connectors.conformance import HOSTILE, PROMISES, Fault, Promise, name_of, promises, timeout_for
from bot.connectors.contract import Effect
from bot.connectors.langgraph_postgres import Settings
from bot.connectors.langgraph_postgres_flush import LangGraphPostgres
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from tests.conftest import postgres_database
from tests.connectors.langgraph_system import PASSWORD, SAID, Threads, case, connected, flush, threads

E = Effect


@pytest.fixture
async def empty_url(postgres_server: str) -> AsyncIterator[str]:
    async with postgres_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
async def system(empty_url: str) -> AsyncIterator[Threads]:
    async with threads(empty_url) as system:
        yield system


@pytest.fixture
def connector(system: Threads) -> LangGraphPostgres:
    return connected(system)


@pytest.mark.parametrize("promise", promises(Threads.faults), ids=name_of)
async def test_it_keeps_its_promises(empty_url: str, promise: Promise) -> None:
    async with case(empty_url, timeout_for(promise)) as one:
        await promise(one)


def test_only_what_http_knows_is_left_out() -> None:
    assert len(PROMISES) - len(promises(Threads.faults)) == len({Fault.REDIRECT})


async def test_hostile_threads_are_flushed_alone(system: Threads, connector: LangGraphPostgres) -> None:
    for number, scope_id in enumerate(HOSTILE):
        await system.remember(scope_id, user_id=scope_id)
        order = flush(scope_id, [ScopeKind.SESSION, ScopeKind.USER][number % 2])
        assert (await connector.apply(order)).effect is E.APPLIED
        assert await system.behaves_blocked(order)
        assert (await connector.verify(order)).effect is E.VERIFIED
        assert (await connector.revert(order, None)).effect is E.APPLIED
        assert not await system.behaves_blocked(order)
    assert len(await system.db.fetch("SELECT FROM checkpoints")) == 4 + len(HOSTILE)


async def test_every_row_comes_back_as_it_was(system: Threads, connector: LangGraphPostgres) -> None:
    await system.db.execute("INSERT INTO checkpoint_blobs VALUES ('t-mallory', 'sub|1', 'gone', '1', 'empty', NULL)")
    # A later version of the library adds a column: it is kept too.
    await system.db.execute("ALTER TABLE checkpoints ADD COLUMN note TEXT; UPDATE checkpoints SET note = 'kept'")
    before = await system.state()
    assert (await connector.apply(flush())).detail == "threads put aside 1 thread (7 rows)."
    assert await system.db.fetchval("SELECT count(*) FROM checkpoint_blobs WHERE thread_id = 't-mallory'") == 0
    assert (await connector.revert(flush(), None)).effect is E.APPLIED
    assert await system.state() == before


async def test_a_users_threads_are_found_by_the_checkpoints_metadata(
    system: Threads, connector: LangGraphPostgres
) -> None:
    await system.remember("t-second", user_id="mallory")
    order = flush("mallory", ScopeKind.USER)
    captured = await connector.snapshot(order)
    assert captured.snapshot is not None and captured.snapshot["threads"] == ["t-mallory", "t-second"]
    assert (await connector.apply(order)).effect is E.APPLIED
    assert (await connector.verify(order)).effect is E.VERIFIED
    assert await system.db.fetch("SELECT DISTINCT thread_id FROM checkpoints") == [("t-alice",)]
    assert (await connector.revert(order, captured.snapshot)).effect is E.APPLIED
    assert not await system.behaves_blocked(flush("t-second"))


async def test_a_thread_that_two_users_share_is_not_flushed_as_one_users(
    system: Threads, connector: LangGraphPostgres
) -> None:
    await system.remember("t-alice", 2, user_id="mallory")
    before = await system.state()
    refused = await connector.apply(flush("mallory", ScopeKind.USER))
    assert refused.effect is E.FAILED and "shares a thread" in refused.detail
    assert await system.state() == before


async def test_a_run_under_way_that_continues_the_old_memory_is_found_out(
    system: Threads, connector: LangGraphPostgres
) -> None:
    last = await system.db.fetchval("SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = 't-mallory'")
    await connector.apply(flush())
    await system.remember("t-mallory", 2, parent=last)
    seen = await connector.verify(flush())
    assert seen.effect is E.NOT_IN_FORCE and "a run was under way" in seen.detail


async def test_a_thread_that_begins_anew_is_new_memory_and_survives_a_revert(
    system: Threads, connector: LangGraphPostgres
) -> None:
    await connector.apply(flush())
    await system.remember("t-mallory", -1)
    assert (await connector.verify(flush())).detail.endswith("1 thread began anew since.")
    refused = await connector.revert(flush(), None)
    assert refused.effect is E.FAILED and "began anew" in refused.detail
    assert await system.db.fetchval("SELECT count(*) FROM checkpoints WHERE thread_id = 't-mallory'") == 1
    await system.db.execute("DELETE FROM checkpoints WHERE thread_id = 't-mallory'")
    assert (await connector.revert(flush(), None)).effect is E.APPLIED
    assert not await system.behaves_blocked(flush())


async def test_rows_that_a_policy_keeps_are_said_and_nothing_is_half_done(
    system: Threads, connector: LangGraphPostgres
) -> None:
    await system.db.execute(
        "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER stay BEFORE DELETE ON checkpoints FOR EACH ROW EXECUTE FUNCTION stay()"
    )
    before = await system.state()
    applied = await connector.apply(flush())
    assert applied.effect is E.FAILED and "kept rows" in applied.detail
    assert await system.state() == before


async def test_nothing_found_is_never_called_contained(system: Threads, connector: LangGraphPostgres) -> None:
    for order in (flush("t-nobody"), flush("nobody", ScopeKind.USER), flush("10.0.0.1", ScopeKind.IP)):
        assert (await connector.snapshot(order)).effect is E.FAILED
        applied = await connector.apply(order)
        assert applied.effect is E.FAILED and "Nothing was changed" in applied.detail
    assert (await connector.verify(flush("t-nobody"))).effect is E.NOT_IN_FORCE


async def test_when_everybodys_memory_is_gone_nobody_knows(system: Threads, connector: LangGraphPostgres) -> None:
    await connector.apply(flush())
    await system.db.execute("DELETE FROM checkpoints")
    assert (await connector.verify(flush())).effect is E.UNKNOWN


async def test_rows_that_somebody_holds_are_waited_for_only_so_long(system: Threads) -> None:
    connector = connected(system, timeout_seconds=0.3)
    async with system.db.transaction():
        await system.db.execute("SELECT FROM checkpoints FOR UPDATE")
        applied = await connector.apply(flush())
    assert applied.effect is E.FAILED and "Nothing was changed" in applied.detail
    assert not await system.behaves_blocked(flush())


async def test_a_snapshot_and_the_log_hold_ids_and_digests_only(
    system: Threads, connector: LangGraphPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    captured = await connector.snapshot(flush())
    again = await connector.snapshot(replace(flush(), key="another"))
    assert captured.snapshot == again.snapshot and captured.snapshot is not None
    assert captured.snapshot["checkpoint_blobs"]["rows"] == 2
    for word in (json.dumps(captured.snapshot), caplog.text):
        assert SAID not in word and PASSWORD not in word


async def test_missing_tables_and_rights_are_named(system: Threads, connector: LangGraphPostgres) -> None:
    assert (await connector.health()).effect is E.VERIFIED
    elsewhere = await connected(system, table_schema="agents").health()
    assert elsewhere.effect is E.FAILED and "table_schema" in elsewhere.detail
    await system.db.execute("REVOKE DELETE ON checkpoint_writes FROM firsthour_connector")
    applied = await connector.apply(flush())
    assert applied.effect is E.FAILED and "may not do" in applied.detail
    assert not await system.behaves_blocked(flush())


@pytest.mark.parametrize("url", [f"https://u:{PASSWORD}@host/db", f"postgresql://u:{PASSWORD}@host:port/db"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    given = Settings.model_validate({"kind": "langgraph_postgres", "url_env": "THREADS_URL"})
    with pytest.raises(Misconfigured) as refused:
        given.connect("threads", {"THREADS_URL": url})
    assert "threads.url_env" in str(refused.value) and PASSWORD not in str(refused.value)
    assert refused.value.__context__ is None


def test_a_schema_is_a_name_and_nothing_else() -> None:
    assert Settings.enforces == {ActionKind.FLUSH_MEMORY}
    with pytest.raises(ValidationError):
        Settings.model_validate({"kind": "langgraph_postgres", "url_env": "X", "table_schema": 'public"; DROP TABLE x'})


async def test_an_order_of_another_kind_is_refused_in_words(connector: LangGraphPostgres) -> None:
    order = replace(flush(), kind=ActionKind.BLOCK_USER)
    assert "will refuse" in connector.effect_of(order.kind, order.scope_kind, order.scope_id)
    refused = await connector.apply(order)
    assert refused.effect is E.FAILED and "does not block user" in refused.detail
