"""A workspace, a bare Web API client, and a real Bolt app over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """slack_sdk honours a proxy even for loopback."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ws(clock: Clock) -> AsyncIterator[PracticeWorkspace]:
    async with PracticeWorkspace(now=clock, ack_timeout=1.0, reconnect_grace=0.5) as workspace:
        workspace.socket.retry_delays = (0.0,)
        yield workspace


@pytest.fixture
def client(ws: PracticeWorkspace) -> AsyncWebClient:
    return AsyncWebClient(token=ws.bot_token, base_url=ws.api_url)


Connect = Callable[[AsyncApp], Awaitable[AsyncSocketModeHandler]]


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client)


@pytest.fixture
async def connect(ws: PracticeWorkspace) -> AsyncIterator[Connect]:
    """Connect an app; what is connected is closed at the end."""
    handlers: list[AsyncSocketModeHandler] = []

    async def run(app: AsyncApp) -> AsyncSocketModeHandler:
        handler = AsyncSocketModeHandler(app, ws.app_token, ping_interval=1)
        handlers.append(handler)
        before = ws.connected
        await handler.connect_async()
        await ws.until(lambda: ws.connected > before)
        return handler

    yield run
    for handler in handlers:
        await handler.close_async()


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def md(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


@pytest.fixture
def modal() -> dict[str, Any]:
    """A modal with a required title, an optional severity and a person."""
    options = [{"text": plain(f"SEV{n}"), "value": str(n)} for n in (1, 2)]
    return {
        "type": "modal",
        "callback_id": "declare",
        "title": plain("Declare"),
        "submit": plain("Go"),
        "blocks": [
            {
                "type": "input",
                "block_id": "title",
                "label": plain("Title"),
                "element": {"type": "plain_text_input", "action_id": "v", "max_length": 20},
            },
            {
                "type": "input",
                "block_id": "sev",
                "optional": True,
                "label": plain("Severity"),
                "element": {"type": "static_select", "action_id": "v", "options": options},
            },
            {
                "type": "input",
                "block_id": "who",
                "optional": True,
                "label": plain("Commander"),
                "element": {"type": "users_select", "action_id": "v"},
            },
        ],
    }


@pytest.fixture
def card() -> list[dict[str, Any]]:
    """A message with buttons, one of which asks first, a menu, checkboxes and an overflow menu."""
    confirm = {"title": plain("Sure?"), "text": plain("Really block?"), "confirm": plain("Yes"), "deny": plain("No")}
    options = [{"text": plain(word), "value": word} for word in ("one", "two", "three")]
    return [
        {"type": "header", "text": plain("INC-1")},
        {"type": "section", "block_id": "text", "text": md("*Database* is down")},
        {
            "type": "actions",
            "block_id": "buttons",
            "elements": [
                {"type": "button", "action_id": "ack", "value": "1", "text": plain("Acknowledge")},
                {"type": "button", "action_id": "block", "value": "7", "text": plain("Block"), "confirm": confirm},
                {"type": "overflow", "action_id": "more", "options": options},
                {"type": "static_select", "action_id": "sev", "options": options},
                {"type": "checkboxes", "action_id": "steps", "options": options},
                {"type": "users_select", "action_id": "who"},
            ],
        },
    ]
