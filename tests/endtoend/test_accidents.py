"""Slack, the network and the store fail on purpose, and nothing is lost, doubled or left without an answer."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from bot.incident.timeline import Happened
from bot.practice.shapes import DidNotRespond
from bot.practice.state import Channel
from bot.store import queries

from .conftest import Scene, key_of

EARLIER = 0.05
"""Seconds by which a request may seem earlier than it was sent: two clocks are compared."""
IN_FLIGHT = 0.5
"""Seconds in which requests may arrive that were sent before the refusal was read."""


async def test_a_rate_limit_is_waited_for_exactly_and_nothing_is_lost(scene: Scene) -> None:
    scene.workspace.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=2, times=2)
    room = await scene.opened()
    posts = scene.workspace.record.calls("chat.postMessage")
    limited = [call for call in posts if call.status == 429]
    assert limited
    for refusal in limited:
        over = refusal.started + refusal.seconds
        after = [call.started for call in posts if call.started > over + IN_FLIGHT]
        assert all(started >= over + 2 - EARLIER for started in after)
    _complete_once(scene, room)


async def test_errors_of_slack_are_outlived(scene: Scene) -> None:
    for method in ("conversations.create", "chat.postMessage", "conversations.invite", "pins.add", "chat.update"):
        scene.workspace.faults.add(method=method, kind="status", status=500, times=2)
    room = await scene.opened()
    await scene.press(scene.alice, room, "take_command")
    await scene.shows(room, "card", "Incident commander:")
    await scene.until(lambda: room.pins)
    _complete_once(scene, room)


async def test_what_slack_stored_before_the_connection_broke_is_found_and_not_repeated(scene: Scene) -> None:
    for method, times in (
        ("conversations.create", 1),
        ("chat.postMessage", 4),
        ("pins.add", 1),
        ("conversations.invite", 1),
    ):
        scene.workspace.faults.add(method=method, when="after", kind="reset", times=times)
    room = await scene.opened()
    await scene.until(lambda: room.pins)
    await scene.until(lambda: scene.surface("incidents", "announcement"))
    await scene.press(scene.alice, room, "acknowledge")
    await scene.shows(room, "checklist:containment", "of ")
    _complete_once(scene, room)
    made = [call for call in scene.workspace.record.calls("conversations.create") if call.done]
    assert len(made) == 1 and len(scene.rooms(1)) == 1


def _complete_once(scene: Scene, room: Channel) -> None:
    """Every message carries its own key, and none stands twice; the card alone is pinned."""
    keys = Counter(key_of(m) for m in [*scene.workspace.messages(room), *scene.workspace.messages("incidents")])
    assert keys["show:1:card:"] == keys["show:1:panel:"] == keys["show:1:checklist:triage"] == 1
    assert keys["show:1:announcement:"] <= 1 and max(keys.values()) == 1 and "" not in keys
    assert len(room.pins) <= 1


async def test_a_cut_connection_loses_no_acknowledged_command_and_doubles_none(scene: Scene) -> None:
    room = await scene.opened()
    sure: list[str] = []

    async def note(number: int) -> None:
        with contextlib.suppress(DidNotRespond):  # then Slack tells the person so, and they type it again
            await scene.alice.slash(room, f"/incident note cut {number};")
            sure.append(f"cut {number};")

    for round_ in range(3):
        notes = [asyncio.create_task(note(round_ * 10 + n)) for n in range(8)]
        await scene.workspace.abort_sockets()
        await asyncio.gather(*notes)
        await scene.until(lambda: scene.workspace.connected == 2)
        await note(round_ * 10 + 9)
    assert {"cut 9;", "cut 19;", "cut 29;"} <= set(sure)
    await _noted(scene, sure)
    assert set(Counter(await _notes(scene)).values()) == {1}


async def test_a_refreshed_connection_loses_nothing_at_all(scene: Scene) -> None:
    room = await scene.opened()
    for round_ in range(3):
        notes = [scene.alice.slash(room, f"/incident note refresh {round_ * 10 + n};") for n in range(8)]
        await asyncio.gather(scene.workspace.disconnect("refresh_requested"), *notes)
        await scene.until(lambda: scene.workspace.connected == 2)
    await _noted(scene, [f"refresh {round_ * 10 + n};" for round_ in range(3) for n in range(8)])
    assert set(Counter(await _notes(scene)).values()) == {1}


async def _notes(scene: Scene) -> list[str]:
    async with scene.house.store.read() as session:
        entries = await queries.timeline(session, 1)
    return [str(one.data["text"]) for one in entries if one.kind is Happened.NOTE and one.actor != "firsthour"]


async def _noted(scene: Scene, wanted: list[str]) -> None:
    async def lacks() -> bool:
        return not set(wanted) <= set(await _notes(scene))

    await scene.while_(lacks)


@contextlib.contextmanager
def _elsewhere(scene: Scene) -> Iterator[Callable[[str], Awaitable[object]]]:
    """Another program on the same SQLite file. Off the loop, so that the house can let go of the file meanwhile."""
    path = Path(str(scene.house.store.url.database))
    connection = sqlite3.connect(path, isolation_level=None, timeout=5, check_same_thread=False)
    try:
        yield lambda statement: asyncio.to_thread(connection.execute, statement)
    finally:
        connection.close()


async def test_where_the_store_is_locked_the_person_is_acknowledged_and_told_and_later_it_works(scene: Scene) -> None:
    room = await scene.opened()
    with _elsewhere(scene) as other:
        await other("BEGIN IMMEDIATE")
        await scene.press(scene.alice, room, "acknowledge")
        assert scene.workspace.record.acks[-1].seconds < 1
        refused = await scene.post(external_id="locked")
        assert refused.status_code == 503 and "retry-after" in refused.headers
        await scene.told(scene.alice, "The store is busy. Nothing was changed; try again in a moment.")
        await other("ROLLBACK")
    assert (await scene.file()).incident.acknowledged_at is None
    await scene.press(scene.alice, room, "acknowledge")
    await scene.told(scene.alice, "You acknowledged INC-1")
    assert (await scene.post(external_id="locked")).json() == {"incident": "INC-1", "status": "attached"}
    await scene.shows(room, "card", "*Alerts*\n2")


async def test_a_fault_of_ours_is_acknowledged_apologised_for_and_leaks_nothing(scene: Scene) -> None:
    room = await scene.opened()
    with _elsewhere(scene) as other:
        await other("ALTER TABLE inbound_key RENAME TO hidden")
        await scene.press(scene.alice, room, "acknowledge")
        said = await scene.told(scene.alice, "Something went wrong on our side (ref ")
        assert "inbound_key" not in said.text and "Traceback" not in said.text
        await other("ALTER TABLE hidden RENAME TO inbound_key")
    await scene.press(scene.alice, room, "acknowledge")
    await scene.told(scene.alice, "You acknowledged INC-1")


async def test_slack_away_for_a_while_loses_nothing_and_every_surface_converges(scene: Scene) -> None:
    room = await scene.led()
    scene.workspace.web.down = True
    await scene.press(scene.alice, room, "step_done", "1|triage.confirm")
    assert (await scene.post(subject={"kind": "user", "id": "eve"})).status_code == 202
    await scene.until(lambda: [c for c in scene.workspace.record.calls("conversations.create") if c.status == 503])
    scene.workspace.web.down = False
    await scene.shows(room, "checklist:triage", "1 of 15 done")
    await scene.room(2)
    _complete_once(scene, room)


async def test_what_was_changed_back_while_an_answer_was_lost_is_shown_as_it_is(scene: Scene) -> None:
    """Slack took the change, nobody knows it, and meanwhile it was taken back: what was last recorded looks right again."""
    room = await scene.led()
    await scene.quiet()
    lost = scene.workspace.faults.add(method="conversations.setTopic", when="after", kind="reset")
    scene.workspace.faults.add(method="chat.update", when="after", kind="reset", times=4)
    await scene.asks(scene.alice, "sev 2 one tenant only", "INC-1 is SEV-2 now", room)
    await scene.until(lambda: lost.hits)
    await scene.asks(scene.alice, "sev 1 it was two after all", "INC-1 is SEV-1 now", room)
    await scene.quiet()
    assert room.topic.startswith("INC-1 · SEV-1")
    await scene.shows(room, "card", "SEV-1 Critical")
    await scene.shows("incidents", "announcement", "SEV-1 Critical")
