"""The log of seen events: what a crash leaves, what a full disk does, what is deleted, what a reader sees meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from bot.detection.event import Seen
from bot.incident.errors import Misconfigured
from bot.watch import disk
from bot.watch import log as event_log
from bot.watch.frames import FrameKind
from bot.watch.log import EventLog
from bot.watch.read import follow, read_log
from bot.watch.segments import segments
from tests.watch.seen import NOW, seen, until


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def log(tmp_path: Path, time: Time) -> AsyncIterator[EventLog]:
    opened = EventLog(tmp_path / "events", days=7, most_bytes=16 * 1024 * 1024, now=time)
    await opened.start()
    yield opened
    await opened.stop()


def put(log: EventLog, *some: Seen) -> None:
    log.append(FrameKind.SEEN, msgspec.msgpack.encode(some), events=len(some))


async def test_what_was_written_is_read_back_as_it_was_also_by_another_process(log: EventLog) -> None:
    there = [seen(n, NOW + n) for n in range(300)]
    for start in range(0, 300, 50):
        put(log, *there[start : start + 50])
    assert await log.written()
    assert list(read_log(log.folder)) == there
    assert list(read_log(log.folder, NOW + 100, NOW + 110)) == there[100:110]


async def test_a_torn_tail_hides_nothing_but_itself(log: EventLog, time: Time) -> None:
    put(log, seen(1))
    put(log, seen(2))
    await log.stop()
    (segment,) = segments(log.folder)
    whole = segment.path.read_bytes()
    for cut in range(1, 40, 3):
        segment.path.write_bytes(whole[:-cut])
        assert [one.event.event_id for one in read_log(log.folder)] == ["e-1"]
    again = EventLog(log.folder, days=7, most_bytes=16 * 1024 * 1024, now=time)
    await again.start()
    put(again, seen(3))
    await again.stop()
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-1", "e-3"]


async def test_damage_in_one_segment_leaves_the_others_readable(log: EventLog, time: Time) -> None:
    for number in range(3):
        put(log, seen(number))
        await log.written()
        time.now += disk.LONGEST + 1
    second = segments(log.folder)[1].path
    second.write_bytes(b"\xff" * second.stat().st_size)
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-0", "e-2"]


async def test_numbers_grow_over_restarts_also_where_the_clock_was_set_back(log: EventLog, time: Time) -> None:
    put(log, seen(1))
    before = log.number
    await log.stop()
    time.now -= 86400
    again = EventLog(log.folder, days=7, most_bytes=16 * 1024 * 1024, now=time)
    await again.start()
    assert again.number >= before
    await again.stop()


async def test_two_processes_on_one_folder_are_refused_in_words(log: EventLog, time: Time) -> None:
    with pytest.raises(Misconfigured, match="Another Firsthour process keeps its events in"):
        await EventLog(log.folder, days=7, most_bytes=16 * 1024 * 1024, now=time).start()


async def test_a_disk_that_refuses_stops_nothing_and_what_waited_is_written_once_it_takes_again(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "AGAIN", 0.01)
    put(log, seen(1))
    assert await log.written()
    full = threading.Event()
    full.set()
    write = os.write

    def fills_up(file: int, data: bytes) -> int:
        if full.is_set():
            write(file, bytes(data)[: len(data) // 2])  # a disk takes what still fits, and then nothing
            raise OSError(28, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(disk.os, "write", fills_up)
    put(log, seen(2))
    assert not await log.written()
    assert log.trouble == "No space left on device"
    put(log, seen(3))
    full.clear()
    await until(lambda: log.trouble is None)
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-1", "e-2", "e-3"]


async def test_of_a_batch_that_was_refused_in_its_middle_nothing_is_written_twice(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "AGAIN", 0.01)
    monkeypatch.setattr(disk, "PART", 1)
    write, refused = os.write, iter([False, True, True])

    def now_and_then(file: int, data: bytes) -> int:
        if next(refused, False):
            raise OSError(5, "Input/output error")
        return write(file, data)

    monkeypatch.setattr(disk.os, "write", now_and_then)
    for number in range(4):
        put(log, seen(number))
    assert not await log.written()
    await until(lambda: log.trouble is None)
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-0", "e-1", "e-2", "e-3"]


async def test_what_waits_for_a_disk_is_bounded_and_what_is_given_up_is_counted(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "MOST_WAITING", 2000)
    (tmp_path / "file").write_text("not a folder")
    log = EventLog(tmp_path / "file" / "events", days=7, most_bytes=16 * 1024 * 1024, now=time)
    await log.start()
    assert log.trouble is not None
    for number in range(100):
        put(log, seen(number))
    assert 85 <= log.unwritten <= 99
    await log.stop()


async def test_a_folder_that_can_be_made_later_is_used_from_then_on(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "AGAIN", 0.01)
    (tmp_path / "disk").write_text("not mounted yet")
    log = EventLog(tmp_path / "disk" / "events", days=7, most_bytes=16 * 1024 * 1024, now=time)
    await log.start()
    put(log, seen(1))
    (tmp_path / "disk").unlink()
    await until(lambda: log.trouble is None)
    await log.stop()
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-1"]


async def test_what_is_too_old_or_too_much_goes_the_oldest_first(log: EventLog, time: Time) -> None:
    for number in range(12):
        put(log, seen(number, time.now))
        await log.written()
        time.now += 86400
    left = [one.event.event_id for one in read_log(log.folder)]
    assert left[-1] == "e-11" and "e-2" not in left and "e-5" in left
    log._disk._most_bytes = 1
    put(log, seen(12, time.now))
    await log.written()
    time.now += 86400
    put(log, seen(13, time.now))
    await log.written()
    assert [one.event.event_id for one in read_log(log.folder)] == ["e-13"]


async def test_who_follows_sees_what_comes_and_nothing_from_before(log: EventLog, time: Time) -> None:
    put(log, seen(1))
    await log.written()
    found: list[str | None] = []
    following = follow(log.folder, poll=0.005)
    there = threading.Event()

    def listen() -> None:
        there.set()
        found.extend(next(following).event.event_id for _ in range(2))

    listener = threading.Thread(target=listen)
    listener.start()
    there.wait()
    number = 2
    while listener.is_alive():
        put(log, seen(number))
        await log.written()
        time.now += disk.LONGEST + 1 if number == 3 else 0
        number += 1
        listener.join(0.01)
    assert "e-1" not in found and len(found) == 2
    assert int(str(found[1])[2:]) == int(str(found[0])[2:]) + 1


def test_where_there_is_no_log_nothing_is_read(tmp_path: Path) -> None:
    assert list(read_log(tmp_path / "nowhere")) == []


async def test_what_no_disk_took_until_the_end_is_said(tmp_path: Path, time: Time) -> None:
    (tmp_path / "file").write_text("not a folder")
    log = EventLog(tmp_path / "file" / "events", days=7, most_bytes=2**24, now=time)
    await log.start()
    put(log, seen(1), seen(2))
    with capture_logs() as said:
        await log.stop()
    (left,) = [one for one in said if one["event"] == "watch.log_left_unwritten"]
    assert (left["count"], left["why"]) == (2, "Not a directory")
