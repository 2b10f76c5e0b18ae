"""The practice workspace: one object that is a whole local Slack, on loopback only.

Decides how the parts are put together and offers them to tests, demo and drills. It imports nothing of the bot.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeVar

from aiohttp import web

from bot.practice import control, events, page, payloads
from bot.practice.clicks import Desk
from bot.practice.faults import Faults
from bot.practice.files import Downloads
from bot.practice.http_mode import HttpMode
from bot.practice.limits import Limits
from bot.practice.methods.table import DEFAULT_SCOPES, Token
from bot.practice.people import Person
from bot.practice.record import Record
from bot.practice.seed import plant
from bot.practice.shapes import Json
from bot.practice.socket import SocketMode
from bot.practice.state import Channel, Message, User
from bot.practice.web import WebApi
from bot.practice.world import BOT_USER_ID, World

T = TypeVar("T")
HOST = "127.0.0.1"


class PracticeWorkspace:
    """A local Slack. Use it as an async context manager."""

    def __init__(
        self,
        *,
        port: int = 0,
        latency: float = 0.0,
        limits: bool = False,
        now: Callable[[], float] = time.time,
        scopes: frozenset[str] = DEFAULT_SCOPES,
        subscriptions: frozenset[str] = events.ALL_EVENTS,
        commands: frozenset[str] | None = None,
        message_shortcuts: Mapping[str, str] | None = None,
        ack_timeout: float = 3.0,
        reconnect_grace: float = 1.0,
        seed: int = 0,
    ) -> None:
        """``latency`` in seconds for every call; ``subscriptions`` are event names; ``commands`` None takes any;
        ``message_shortcuts`` are names by callback id, for the page;
        ``reconnect_grace`` is how long an envelope waits for an app that is just reconnecting."""
        self.port = port
        self.bot_token = f"xoxb-practice-{secrets.token_hex(8)}"
        self.app_token = f"xapp-1-practice-{secrets.token_hex(8)}"
        self.control_token = secrets.token_urlsafe(24)
        self.subscriptions = subscriptions
        self.message_shortcuts = message_shortcuts or {}
        self.world = World(now)
        plant(self.world)
        self.world.emit = self._emit
        self.socket = SocketMode(self.world, ack_timeout=ack_timeout, grace=reconnect_grace)
        self.faults = Faults(seed)
        self.limits = Limits(now, on=limits)
        self.tokens = {
            self.bot_token: Token("bot", scopes),
            self.app_token: Token("app", frozenset({"connections:write"})),
        }
        self.web = WebApi(self.world, self.tokens, self.limits, self.faults, latency)
        self.downloads = Downloads(self.world, self.tokens)
        self.desk = Desk(self.world, self.socket, commands)
        self._http: HttpMode | None = None
        self._runner: web.AppRunner | None = None

    # Life

    async def __aenter__(self) -> PracticeWorkspace:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/api/{method}", self.web.api)
        app.router.add_post("/hooks/{kind}/{team}/{number}/{key}", self.web.hook)
        app.router.add_post("/upload/{file}", self.web.upload)
        app.router.add_get("/files/{file}/{name}", self.downloads.serve)
        app.router.add_get("/link/", self.socket.handle)
        control.mount(app, self)
        page.mount(app)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.port)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        self.world.url = self.url
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()
        if self._http is not None:
            await self._http.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # Addresses

    @property
    def url(self) -> str:
        """The root, ``http://127.0.0.1:PORT/``."""
        return f"http://{HOST}:{self.port}/"

    @property
    def api_url(self) -> str:
        """What goes into ``SLACK_API_URL``."""
        return f"{self.url}api/"

    @property
    def page_url(self) -> str:
        """The page with the key that lets it act; for its owner only."""
        return f"{self.url}#key={self.control_token}"

    @property
    def bot_user_id(self) -> str:
        """The bot's user id."""
        return BOT_USER_ID

    @property
    def record(self) -> Record:
        """Everything that happened."""
        return self.world.record

    # People and state

    def person(self, name: str) -> Person:
        """Somebody by name or id; raises ``KeyError``."""
        user = self.world.user(name)
        if user is None:
            raise KeyError(name)
        return Person(self.desk, user)

    def add_person(self, name: str, *, admin: bool = False, guest: bool = False, email: str = "") -> Person:
        """Somebody new, in no channel yet."""
        user = User(
            f"U0{name.upper()}",
            name,
            name.title(),
            email or f"{name}@practice.example",
            is_admin=admin,
            is_restricted=guest,
        )
        self.world.users[user.id] = user
        return Person(self.desk, user)

    def channel(self, ref: str) -> Channel:
        """A channel by name or id; raises ``KeyError``."""
        found = self.world.channel(ref)
        if found is None:
            raise KeyError(ref)
        return found

    def channels(self) -> list[Channel]:
        """Every channel but direct messages."""
        return [one for one in self.world.channels.values() if not one.is_im and not one.is_mpim]

    def direct(self, name: str) -> Channel:
        """The direct conversation between a person and the bot."""
        return self.world.direct(self.person(name).id, BOT_USER_ID)

    def messages(self, channel: Channel | str, *, system: bool = False) -> list[Message]:
        """What is in a channel, oldest first, without Slack's own lines (joins, topics) unless ``system``."""
        found = channel if isinstance(channel, Channel) else self.channel(channel)
        shown = (None, "file_share", "bot_message", "thread_broadcast")
        return [one for one in found.live_messages() if system or one.subtype in shown]

    # The app's side

    def _emit(self, event: Json) -> None:
        if events.subscription(event) in self.subscriptions:
            self.desk.socket.tell(payloads.event(self.world, event))

    def grant(self, *scopes: str) -> None:
        """Let the bot token hold exactly these scopes from now on."""
        self.tokens[self.bot_token] = Token("bot", frozenset(scopes))

    def revoke(self, error: str = "token_revoked") -> None:
        """Let every call with the bot token fail."""
        self.tokens[self.bot_token] = Token("bot", frozenset(), error)

    def deliver_over_http(self, request_url: str, signing_secret: str) -> HttpMode:
        """Send everything to a Request URL from now on, signed, in place of Socket Mode."""
        self._http = HttpMode(self.world, request_url, signing_secret, ack_timeout=self.socket.ack_timeout)
        self.desk.socket = self._http
        return self._http

    @property
    def connected(self) -> int:
        """How many Socket Mode connections take envelopes."""
        return self.socket.connected

    async def redeliver(self, envelope_id: str, times: int = 1) -> int:
        """Send the same envelope again; answers how many further acks came."""
        return await self.socket.redeliver(envelope_id, times)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to reconnect: warning, refresh_requested or link_disabled."""
        await self.socket.disconnect(reason)

    async def abort_sockets(self) -> None:
        """Cut the connections without a word."""
        await self.socket.abort()

    def refuse_connections(self, times: int = 1) -> None:
        """Answer the next connection attempts with 503."""
        self.socket.refusals = times

    # Waiting

    async def until(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109  # the name callers know
        """Wait until something is true; raises ``TimeoutError``."""
        return await self.world.changes.until(predicate, timeout)

    async def settled(self, timeout: float = 10) -> None:  # noqa: ASYNC109  # the name callers know
        """Wait until everything sent was acknowledged or given up."""
        await self.until(lambda: not self.socket.busy(), timeout)


async def serve(workspace: PracticeWorkspace) -> None:
    """Serve until cancelled, as ``firsthour demo`` does."""
    async with workspace:
        await asyncio.Event().wait()
