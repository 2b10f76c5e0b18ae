"""The LangGraph connector against the library itself: langgraph-checkpoint-postgres writes and reads the threads.

What the stand-in of tests/connectors/langgraph_system.py writes is checked here against the library's own tables.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bot.connectors.contract import Effect
from bot.connectors.langgraph_postgres import Settings
from bot.connectors.langgraph_postgres_flush import LangGraphPostgres
from bot.incident.words import ScopeKind
from tests.connectors.langgraph_system import TABLES, flush
from tests.integration.conftest import Elsewhere

E = Effect
LIBRARY = """
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver

def say(saver, thread, user, text):
    config = {"configurable": {"thread_id": thread, "checkpoint_ns": "", "user_id": user}}
    before = saver.get_tuple(config)
    said, version, step = [], None, 0
    if before is not None:
        config["configurable"]["checkpoint_id"] = before.config["configurable"]["checkpoint_id"]
        said, version = before.checkpoint["channel_values"]["said"], before.checkpoint["channel_versions"]["said"]
        step = before.metadata["step"] + 1
    versions = {"said": saver.get_next_version(version, None)}
    checkpoint = empty_checkpoint() | {"channel_values": {"said": [*said, text]}, "channel_versions": versions}
    written = saver.put(config, checkpoint, {"source": "loop", "step": step}, versions)
    saver.put_writes(written, [("said", [f"answer to {text}"])], task_id=f"task-{step}")

def seen(one):
    return {"said": one.checkpoint["channel_values"]["said"], "metadata": one.metadata, "writes": one.pending_writes}

with PostgresSaver.from_conn_string(given["url"]) as saver:
    saver.setup()
    for thread, user, text in given.get("say", []):
        say(saver, thread, user, text)
    threads = {}
    for thread in given.get("read", []):
        threads[thread] = [seen(one) for one in saver.list({"configurable": {"thread_id": thread}})]
    print(json.dumps(threads))
"""
TALK = [
    ("t-mallory", "mallory", "obey me"),
    ("t-mallory", "mallory", "and leak"),
    ("t-second", "mallory", "again"),
    ("t-alice", "alice", "hello"),
]
THREADS = ["t-mallory", "t-second", "t-alice"]


@pytest.fixture
async def connector(empty_postgres_url: str) -> AsyncIterator[LangGraphPostgres]:
    settings = Settings.model_validate({"kind": "langgraph_postgres", "url_env": "THREADS_URL"})
    made = settings.connect("threads", {"THREADS_URL": empty_postgres_url})
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("scope_kind", "scope_id", "gone"),
    [
        (ScopeKind.SESSION, "t-mallory", {"t-mallory"}),
        (ScopeKind.USER, "mallory", {"t-mallory", "t-second"}),
    ],
)
async def test_an_agent_forgets_and_remembers_again(
    connector: LangGraphPostgres,
    empty_postgres_url: str,
    elsewhere: Elsewhere,
    scope_kind: ScopeKind,
    scope_id: str,
    gone: set[str],
) -> None:
    before = elsewhere(LIBRARY, url=empty_postgres_url, say=TALK, read=THREADS)
    assert [one["said"] for one in before["t-mallory"]] == [["obey me", "and leak"], ["obey me"]]
    assert before["t-mallory"][0]["metadata"]["user_id"] == "mallory"
    order = flush(scope_id, scope_kind)
    captured = await connector.snapshot(order)
    assert captured.snapshot is not None and set(captured.snapshot["threads"]) == gone
    assert (await connector.apply(order)).effect is E.APPLIED
    assert (await connector.verify(order)).effect is E.VERIFIED
    during = elsewhere(LIBRARY, url=empty_postgres_url, read=THREADS)
    assert {one for one in THREADS if during[one] == []} == gone
    assert during["t-alice"] == before["t-alice"]
    assert (await connector.revert(order, captured.snapshot)).effect is E.APPLIED
    assert (await connector.verify_revert(order)).effect is E.REVERTED
    assert elsewhere(LIBRARY, url=empty_postgres_url, read=THREADS) == before


async def test_a_conversation_that_goes_on_begins_anew_and_is_not_destroyed(
    connector: LangGraphPostgres, empty_postgres_url: str, elsewhere: Elsewhere
) -> None:
    elsewhere(LIBRARY, url=empty_postgres_url, say=TALK)
    await connector.apply(flush())
    again = elsewhere(LIBRARY, url=empty_postgres_url, say=[("t-mallory", "mallory", "hello?")], read=["t-mallory"])
    assert [one["said"] for one in again["t-mallory"]] == [["hello?"]]
    seen = await connector.verify(flush())
    assert seen.effect is E.VERIFIED and "began anew" in seen.detail
    assert (await connector.revert(flush(), None)).effect is E.FAILED
    assert elsewhere(LIBRARY, url=empty_postgres_url, read=["t-mallory"]) == again


async def test_the_stand_ins_tables_are_the_librarys(empty_postgres_url: str, elsewhere: Elsewhere) -> None:
    elsewhere(LIBRARY, url=empty_postgres_url)
    asked = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, column_name"
    )
    db = await asyncpg.connect(empty_postgres_url)
    theirs = await db.fetch(asked)
    names = re.findall(r"CREATE TABLE (\w+)", TABLES)
    await db.execute(f"DROP TABLE {', '.join(names)}; {TABLES}")
    assert await db.fetch(asked) == theirs
    await db.close()
