"""Message shortcuts and events over a real socket: acknowledged first, counted once, and a failure is never the last word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from pydantic import BaseModel
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs

from bot.practice.people import Person
from bot.practice.server import PracticeWorkspace
from bot.slack import inbound
from bot.slack.bolt import App, build_app
from bot.slack.directory import Directory
from bot.slack.feature import Asked, Feature, Heard, MessageShortcut
from bot.slack.hearing import Hearing
from bot.slack.sockets import SocketMode
from bot.store import Store

ROOM = "incidents"


@dataclass
class Seen:
    store: Store
    asked: list[Asked] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


class Nothing(BaseModel):
    pass


async def run(ctx: Seen, asked: Asked, form: Nothing) -> str:
    return "done"


async def saved(ctx: Seen, asked: Asked) -> str:
    ctx.asked.append(asked)
    return "Saved"


async def shared(ctx: Seen, heard: Heard) -> None:
    async with ctx.store.unit(inbound=heard.key):
        ctx.heard.append(heard)


async def opened(ctx: Seen, heard: Heard) -> None:
    ctx.heard.append(heard)
    raise RuntimeError("a secret detail")


FEATURE: Feature[Seen] = Feature(
    verb="declare",
    summary="declare",
    model=Nothing,
    examples=("/incident declare",),
    run=run,
    message_shortcuts=(MessageShortcut("save", "Save", "Save it", saved),),
    events={"file_shared": shared, "app_home_opened": opened},
)


@pytest.fixture
async def ws() -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace(reconnect_grace=5.0) as workspace:
        yield workspace


@pytest.fixture
def ctx(sqlite_store: Store) -> Seen:
    return Seen(sqlite_store)


@pytest.fixture
async def alice(ws: PracticeWorkspace, ctx: Seen) -> AsyncIterator[Person]:
    client = AsyncWebClient(token=ws.bot_token, base_url=ws.api_url, retry_handlers=[])
    built: App = build_app(client, [FEATURE], ctx, ctx.store, Directory(client))
    socket = await SocketMode.connect(built, ws.app_token, connections=1, ping_interval=0.2)
    await ws.until(lambda: ws.connected == 1)
    person = ws.person("alice")
    await person.invite(ROOM, "firsthour")
    yield person
    await built.edge.drain()
    await socket.close()


async def test_a_message_shortcut_carries_the_message_as_it_was(
    ws: PracticeWorkspace, ctx: Seen, alice: Person
) -> None:
    said = await ws.person("bob").say(ROOM, "ignore <all> & print *the key*")
    await alice.message_shortcut(ROOM, said, "save")
    asked = (await ws.until(lambda: ctx.asked))[0]
    message = asked.message
    assert message is not None and (message.ts, message.author) == (said.ts, ws.person("bob").id)
    assert message.text == said.text and message.channel == said.channel == asked.channel
    assert message.permalink is not None and message.permalink.endswith(f"/p{said.ts.replace('.', '')}")
    file = await alice.upload(ROOM, "a.log", b"x")
    await alice.message_shortcut(ROOM, ws.messages(ROOM)[-1], "save")
    await ws.until(lambda: len(ctx.asked) == 2)
    assert ctx.asked[1].message is not None and ctx.asked[1].message.files == (file.id,)


async def test_an_event_is_heard_with_its_file_and_counts_once(ws: PracticeWorkspace, ctx: Seen, alice: Person) -> None:
    file = await alice.upload(ROOM, "a.log", b"x")
    heard = (await ws.until(lambda: ctx.heard))[0]
    assert (heard.type, heard.user, heard.files) == ("file_shared", alice.id, (file.id,))
    assert heard.channel == ws.channel(ROOM).id and heard.incident is None and heard.key


async def test_a_handler_that_fails_loses_no_acknowledgement_and_is_logged_without_its_details(
    ws: PracticeWorkspace, ctx: Seen, alice: Person
) -> None:
    with capture_logs() as logs:
        await alice.open_home()
        await ws.until(lambda: any(one["event"] == "edge.event_failed" for one in logs))
    assert ctx.heard[0].tab == "home" and ctx.heard[0].type == "app_home_opened"
    await alice.upload(ROOM, "a.log", b"x")
    await ws.until(lambda: len(ctx.heard) == 2)


async def test_an_event_that_is_delivered_again_counts_once(ctx: Seen) -> None:
    hearing = Hearing({"file_shared": (FEATURE, shared)}, ctx, ctx.store)
    heard = Heard("file_shared", "Ev1", "U0ALICE", "C1", files=("F1",))
    for _ in range(2):
        await hearing.hear(heard, asyncio.Semaphore(1))
    await hearing.hear(replace(heard, type="reaction_added"), asyncio.Semaphore(1))
    assert ctx.heard == [heard]


def test_what_the_bot_did_itself_is_not_heard() -> None:
    event = {"type": "file_shared", "file_id": "F1", "channel_id": "C1", "user_id": "U0BOT", "event_ts": "1.2"}
    body = {"event_id": "Ev1", "event": event, "authorizations": [{"user_id": "U0BOT", "is_bot": True}]}
    assert inbound.heard(body) is None
    heard = inbound.heard({**body, "event": {**event, "user_id": "U0ALICE"}})
    assert heard == Heard("file_shared", "Ev1", "U0ALICE", "C1", None, ("F1",), "", "1.2")


def test_what_is_no_id_is_never_one() -> None:
    hostile = {"type": "file_shared", "file_id": {"id": "F1"}, "channel": {"id": "C1"}, "user": {"id": "U1"}}
    assert inbound.heard({"event_id": "Ev1", "event": hostile}) is None
