"""A proxy with faults, to stand between a connector and any system that speaks HTTP.

Decides how each fault looks on the wire. What a connector must answer to it is `under_faults`'.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from aiohttp import ClientSession, web
from yarl import URL

from bot.connectors.conformance.case import Fault

BY_CONNECTION = frozenset({"host", "connection", "transfer-encoding", "content-length"})
"""Headers that each connection has its own of."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ORDERS = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Asked:
    """One request as it arrived, whatever became of it."""

    method: str
    path: str
    """With the query, as it was quoted."""
    headers: dict[str, str]
    body: bytes


def by_method(asked: Asked) -> bool:
    return asked.method in ORDERS


@dataclass
class Proxy:
    """Give the connector `url` instead of the system's."""

    target: str
    is_order: Callable[[Asked], bool]
    """Which requests change something: ERROR_AFTER_DOING and YES_WITHOUT_DOING concern only those."""
    yes: bytes
    """The body of a success that is none."""
    instead: Callable[[Asked, Fault | None], web.Response | None]
    """An answer in the system's own shape, or a guard that the system lacks; None leaves it to the proxy."""
    session: ClientSession
    fault: Fault | None = None
    asked: list[Asked] = field(default_factory=list)
    strayed: int = 0
    port: int = 0
    elsewhere: int = 0
    lure: str = field(default_factory=lambda: f"/{uuid4().hex}")
    _runner: web.AppRunner | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _listening: list[web.SockSite] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def having(self, fault: Fault) -> AsyncIterator[None]:
        self.fault, self._over = fault, asyncio.Event()
        held = None
        if fault is Fault.DOWN:
            await self._listening.pop().stop()
            held = self._bound()  # refuses whoever connects, and nobody else can take the port
        try:
            yield
        finally:
            self.fault = None
            self._over.set()
            if held is not None:
                await self._listen(held)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        asked = Asked(request.method, request.raw_path, dict(request.headers), body)
        self.asked.append(asked)
        if (said := self.instead(asked, self.fault)) is not None:
            return said
        match self.fault:
            case Fault.REDIRECT:
                return web.Response(
                    status=307, headers={"Location": f"http://localhost:{self.elsewhere}{self.lure}{asked.path}"}
                )
            case Fault.REFUSED:
                return web.Response(status=401, text='{"message": "who are you?"}', content_type="application/json")
            case Fault.YES_WITHOUT_DOING if self.is_order(asked):
                return web.Response(body=self.yes, content_type="application/json")
            case Fault.ERROR_AFTER_DOING if self.is_order(asked):
                await self._forward(asked)
                return web.Response(status=500)
            case Fault.SLOW:
                answer = await self._forward(asked)
                await self._over.wait()
                return answer
            case _:
                return await self._forward(asked)

    async def stray(self, request: web.Request) -> web.Response:
        self.strayed += request.raw_path.startswith(self.lure)  # a busy machine has callers of its own
        return web.Response()

    async def _forward(self, asked: Asked) -> web.Response:
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in BY_CONNECTION}
        url = URL(self.target + asked.path, encoded=True)
        async with self.session.request(
            asked.method, url, headers=headers, data=asked.body, allow_redirects=False
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in BY_CONNECTION}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    async def start(self, runner: web.AppRunner) -> None:
        self._runner = runner
        await self._listen(self._bound())

    def _bound(self) -> socket.socket:
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", self.port))
        self.port = made.getsockname()[1]
        return made

    async def _listen(self, bound: socket.socket) -> None:
        assert self._runner is not None
        site = web.SockSite(self._runner, bound)
        await site.start()
        self._listening.append(site)


@contextlib.asynccontextmanager
async def proxy(
    target: str,
    *,
    is_order: Callable[[Asked], bool] = by_method,
    yes: bytes = b"{}",
    instead: Callable[[Asked, Fault | None], web.Response | None] = lambda asked, fault: None,
) -> AsyncIterator[Proxy]:
    """A proxy on a loopback port to `target` (`http://127.0.0.1:8000`, without a path)."""
    async with contextlib.AsyncExitStack() as ends:
        session = await ends.enter_async_context(ClientSession(auto_decompress=False))
        between = Proxy(target.rstrip("/"), is_order, yes, instead, session)
        await between.start(await _runner(ends, between.handle))
        other = await _runner(ends, between.stray)
        await web.TCPSite(other, "127.0.0.1", 0).start()
        between.elsewhere = int(other.addresses[0][1])
        yield between


async def _runner(ends: contextlib.AsyncExitStack, handle: Handler) -> web.AppRunner:
    app = web.Application(client_max_size=8 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    ends.push_async_callback(runner.cleanup)
    return runner
