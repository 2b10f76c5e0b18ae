"""Documents: shared once whatever fails between, recorded by their hash, and in words where they cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from bot.incident.columns import Json
from bot.incident.document import Document
from bot.incident.errors import Refused
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened
from bot.practice.server import PracticeWorkspace
from bot.practice.state import File
from bot.settings import Organisation
from bot.slack.client import slack_client, slack_session
from bot.slack.delivery import Delivery
from bot.slack.pace import Pace
from bot.store import Store
from tests.slack.casefiles import playbook
from tests.slack.delivery.conftest import Work, texts

HELLO = "Grüß Gott\n".encode()


async def letters(args: Json) -> tuple[Document, ...]:
    if args.get("refuse"):
        raise Refused("There is nothing to write about yet.")
    count = int(args.get("count", 1))
    if args.get("large"):
        return (Document("large.csv", "Large", bytes(3_000_000)),)
    return tuple(Document(f"letter-{n}.md", f"Letter {n}", HELLO, description="A greeting") for n in range(count))


@pytest.fixture
async def idle(ws: PracticeWorkspace, sqlite_url: str, org: Organisation) -> AsyncIterator[Work]:
    async with AsyncExitStack() as ends:
        store = Store(sqlite_url)
        ends.push_async_callback(store.close)
        session = await ends.enter_async_context(slack_session())
        client = slack_client(ws.bot_token, ws.api_url, session)
        work = Work(ws, store, Delivery(store, playbook(), org, client, Pace(), documents={"letters": letters}))
        ends.push_async_callback(work.stop)
        yield work


def shared(ws: PracticeWorkspace, channel: str) -> list[File]:
    return [ws.world.files[one] for message in ws.messages(channel) for one in message.files]


async def test_all_files_of_a_document_come_in_one_message_and_are_recorded(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    await work.intend(number, IntentKind.UPLOAD, "up", document="letters", count=2, comment="For <!channel>")
    await work.settled()
    [message] = [one for one in work.posted(number) if one.files]
    assert "For <!channel>" in message.plain() and not message.live().mentions
    assert [ws.world.files[one].content for one in message.files] == [HELLO, HELLO]
    assert ws.world.files[message.files[0]].alt == "A greeting"
    assert ws.world.files[message.files[0]].title == "Letter 0"
    [entry] = await work.timeline(number, Happened.DOCUMENT_WRITTEN)
    assert entry.data["sha256"] == hashlib.sha256(HELLO).hexdigest(), "same bytes, said once"
    assert room


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "files.completeUploadExternal", "when": "after", "kind": "reset"},
        {"method": "files.completeUploadExternal", "when": "after", "kind": "status", "status": 500},
        {"method": "files.completeUploadExternal", "when": "before", "kind": "ratelimited", "retry_after": 1},
        {"method": "files.completeUploadExternal", "when": "before", "kind": "error", "error": "file_not_found"},
        {"method": "files.getUploadURLExternal", "when": "after", "kind": "reset"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault['when']} {fault['method']}",
)
async def test_a_file_is_shared_once_whatever_becomes_of_the_answer(
    work: Work, ws: PracticeWorkspace, fault: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.delivery.uploads.SHOWN_LATER", timedelta(seconds=0.2))
    number, room = await work.opened()
    ws.faults.add(**fault)
    await work.intend(number, IntentKind.UPLOAD, "up", document="letters")
    await work.settled()
    assert len(shared(ws, room.name)) == 1
    assert len(await work.timeline(number, Happened.DOCUMENT_WRITTEN)) == 1


async def test_a_file_shared_by_a_killed_process_is_not_shared_again(idle: Work, ws: PracticeWorkspace) -> None:
    idle.start()
    number, room = await idle.opened()
    await idle.stop()
    await idle.intend(number, IntentKind.UPLOAD, "up", document="letters")
    await idle.carried_out_and_killed(IntentKind.UPLOAD)
    assert len(shared(ws, room.name)) == 1
    second = Work(ws, idle.store, idle.delivery)
    second.start()
    await second.settled()
    await second.stop()
    idle._running = None
    assert len(shared(ws, room.name)) == 1


async def test_what_cannot_be_made_is_said_in_the_room_in_its_makers_words(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    await work.intend(number, IntentKind.UPLOAD, "no", document="letters", refuse=True)
    await work.intend(number, IntentKind.UPLOAD, "what", document="poem")
    await work.settled()
    said = texts(work.posted(number))
    assert "There is nothing to write about yet." in said and "no document “poem”" in said
    assert not shared(ws, room.name)


@pytest.mark.parametrize("error", ["file_uploads_disabled", "storage_limit_reached"])
async def test_a_workspace_without_files_is_a_final_answer(work: Work, ws: PracticeWorkspace, error: str) -> None:
    number, room = await work.opened()
    ws.faults.add(method="files.getUploadURLExternal", kind="error", error=error, times=5)
    await work.intend(number, IntentKind.UPLOAD, "up", document="letters")
    await work.settled()
    assert error in texts(work.posted(number)) and len(ws.record.calls("files.getUploadURLExternal")) == 1 and room


async def test_a_canvas_is_made_where_there_can_be_one_and_its_lack_is_no_failure(
    work: Work, ws: PracticeWorkspace
) -> None:
    number, room = await work.opened()
    await work.intend(number, IntentKind.UPLOAD, "first", document="letters", canvas=True)
    await work.settled()
    assert room.canvas == HELLO.decode()
    room.canvas = "what people wrote since"
    await work.intend(number, IntentKind.UPLOAD, "second", document="letters", canvas=True)
    await work.settled()
    error = "team_tier_cannot_create_channel_canvases"
    ws.faults.add(method="conversations.canvases.create", kind="error", error=error)
    await work.intend(number, IntentKind.UPLOAD, "third", document="letters", canvas=True)
    await work.settled()
    assert room.canvas == "what people wrote since" and len(shared(ws, room.name)) == 3
    assert not await work.timeline(number, Happened.GAVE_UP)


async def test_a_room_that_is_gone_is_said_and_nothing_is_repeated(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    room.archived = True
    await work.intend(number, IntentKind.UPLOAD, "up", document="letters")
    await work.settled()
    entry = (await work.timeline(number, Happened.GAVE_UP))[0]
    assert entry.data["intent"] == "upload" and "archived" in entry.data["why"]
    assert len(ws.record.calls("files.completeUploadExternal")) == 1


async def test_a_document_can_go_to_another_channel_and_belong_to_no_incident(
    work: Work, ws: PracticeWorkspace
) -> None:
    channel = ws.channel("incidents")
    async with work.store.unit() as unit:
        await unit.intend(IntentKind.UPLOAD, "free", args={"document": "letters", "channel": channel.id})
    await work.settled()
    assert [one.content for one in shared(ws, "incidents")] == [HELLO]


async def test_a_large_file_is_sent_in_pieces(work: Work, ws: PracticeWorkspace) -> None:
    number, room = await work.opened()
    await work.intend(number, IntentKind.UPLOAD, "up", document="letters", large=True)
    await work.settled()
    assert [one.size for one in shared(ws, room.name)] == [3_000_000]
