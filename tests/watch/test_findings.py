"""What fired, on its way to the store: order, what goes together, and a store that is away or refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from prometheus_client import CollectorRegistry

from bot.detection.finding import Finding
from bot.incident.errors import Busy, Invalid
from bot.watch import findings as queue
from bot.watch.findings import Findings
from bot.watch.metrics import WatchMetrics
from tests.watch.seen import finding, until

SEVERITY = {"leak": 1, "bulk_data_extraction": 2, "probing": 4}


class Desk:
    """Who takes findings: it may be closed, or refuse one trigger."""

    def __init__(self) -> None:
        self.taken: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.away = False
        self.refuses = ""
        self.broken = False

    async def __call__(self, some: Sequence[Finding]) -> str:
        await self.open.wait()
        if self.away:
            raise Busy
        if some[0].trigger == self.refuses:
            raise Invalid("There is no such trigger.")
        if self.broken:
            raise ZeroDivisionError
        self.taken.append([one.id for one in some])
        return "opened"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def waiting(desk: Desk, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Findings]:
    monkeypatch.setattr(queue, "BACKOFF", 0.001)
    made = Findings(desk, WatchMetrics(registry), lambda trigger: SEVERITY[trigger])
    made.start()
    yield made
    desk.open.set()
    await made.stop()


async def test_the_most_severe_goes_first_and_what_opens_something_before_more_evidence(
    waiting: Findings, desk: Desk
) -> None:
    desk.open.clear()
    waiting.add(finding(id="blocks the desk"))
    await until(lambda: len(waiting) == 1)
    await asyncio.sleep(0)
    waiting.add(finding(id="more", trigger="leak", first=False, subject_id="eve"))
    waiting.add(finding(id="probing", trigger="probing"))
    waiting.add(finding(id="leak", trigger="leak"))
    desk.open.set()
    await until(lambda: not len(waiting))
    assert desk.taken == [["blocks the desk"], ["leak"], ["probing"], ["more"]]


async def test_what_waits_about_one_subject_goes_together_and_each_only_once(
    waiting: Findings, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PAUSE", 0.001)
    desk.open.clear()
    waiting.add(finding(id="first", subject_id="eve"))
    await asyncio.sleep(0)
    for number in [*range(450), *range(450)]:
        waiting.add(finding(id=f"f-{number}", first=number == 0))
    assert len(waiting) == 451
    desk.open.set()
    await until(lambda: not len(waiting))
    assert [len(some) for some in desk.taken] == [1, 200, 200, 50]


async def test_a_store_that_is_away_loses_nothing_and_is_tried_until_it_is_back(waiting: Findings, desk: Desk) -> None:
    desk.away = True
    for number in range(3):
        waiting.add(finding(id=f"f-{number}", subject_id=f"user-{number}"))
    await asyncio.sleep(0.02)
    assert len(waiting) == 3 and len(waiting.waiting) == 3
    desk.away = False
    await until(lambda: not len(waiting))
    assert sorted(desk.taken) == [["f-0"], ["f-1"], ["f-2"]]


@pytest.mark.parametrize("how", ["refused", "broken"])
async def test_what_can_never_be_committed_is_given_up_in_the_end_and_holds_nothing_else_up(
    waiting: Findings, desk: Desk, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(queue, "PAUSE", 0.001)
    if how == "refused":
        desk.refuses = "leak"
    else:
        desk.broken = True
    waiting.add(finding(id="gone", trigger="leak"))
    await until(lambda: not len(waiting))
    assert registry.get_sample_value("firsthour_findings_total", {"trigger": "leak", "outcome": "failed"}) == 1
    desk.broken = False
    waiting.add(finding(id="fine"))
    await until(lambda: not len(waiting))
    assert desk.taken == [["fine"]]


async def test_when_too_much_waits_more_evidence_is_given_up_and_what_opens_something_is_not(
    waiting: Findings, desk: Desk, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST", 5)
    monkeypatch.setattr(queue, "MOST_OF_ALL", 7)
    desk.away = True
    for number in range(10):
        waiting.add(finding(id=f"f-{number}", first=number == 9))
    assert [one.id for one in waiting.waiting] == ["f-0", "f-1", "f-2", "f-3", "f-4", "f-9"]
    for number in range(10, 20):
        waiting.add(finding(id=f"f-{number}"))
    assert len(waiting) == 7
    dropped = {"trigger": "bulk_data_extraction", "outcome": "dropped"}
    assert registry.get_sample_value("firsthour_findings_total", dropped) == 4 + 9
    desk.away = False


async def test_more_evidence_of_an_attack_that_goes_on_is_written_once_in_a_while(
    waiting: Findings, desk: Desk
) -> None:
    waiting.add(finding(id="first"))
    await until(lambda: desk.taken == [["first"]])
    waiting.add(finding(id="more-0", first=False))
    await until(lambda: desk.taken == [["first"], ["more-0"]])
    for number in range(1, 5):
        waiting.add(finding(id=f"more-{number}", first=False))
        await asyncio.sleep(0)
    assert len(desk.taken) == 2
    waiting.add(finding(id="urgent", trigger="leak"))
    await until(lambda: not len(waiting))
    assert desk.taken[2:] == [["urgent"], [f"more-{number}" for number in range(1, 5)]]
