"""One connection of HTTP: uvicorn's own, with a head of bounded size, one timer, and addresses that are answered without ASGI.

Decides how a request to such an address is begun and how its answer is written. What is a message is the parser's, and in
which order requests are answered, when reading pauses and what a stop does to one is uvicorn's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.types import Receive
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

HEAD = 64 * 1024
"""Bytes of a request's head, and of what follows a body in chunks. Whoever sends it has proven nothing yet."""


class Answer(Protocol):
    """What is sent back, whole. Nothing of what somebody sent may be in its head, which is not looked through again."""

    @property
    def status(self) -> int: ...
    @property
    def head(self) -> list[tuple[bytes, bytes]]:
        """Names in lower case, `content-length` among them."""
        ...

    @property
    def body(self) -> bytes: ...


Headers = list[tuple[bytes, bytes]]
"""As they were sent, their names in lower case."""
Direct = Callable[[Headers, Receive], Awaitable[Answer | None]]
"""Answers a POST by its headers and what it reads of its body; None where the sender went away. Raises nothing."""


class _Cycle(RequestResponseCycle):
    """One request to a direct address. All but how the answer is written is uvicorn's: order, reading, a stop."""

    async def run_asgi(self, app: Direct) -> None:  # type: ignore[override]  # it is started as an application is
        try:
            answer = await app(self.scope["headers"], self.receive)  # type: ignore[arg-type]  # uvicorn's names for the same
            if self.flow.write_paused:  # until the sender has read of what he was answered, or is gone
                await self.flow.drain()
            if answer is not None and not self.disconnected:
                self._write(answer)
        finally:
            if not self.response_complete:
                self.transport.close()
            self.on_response = _nothing  # as uvicorn does: the connection is not kept by its last request

    def _write(self, answer: Answer) -> None:
        """In one go: each write is a call of the system, which costs more than decoding an event."""
        lines = [STATUS_LINE[answer.status]]
        for name, value in (*self.default_headers, *answer.head):
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n", answer.body)
        self.transport.write(b"".join(lines))
        self.response_complete = True
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def _nothing() -> None: ...


class Connection(HttpToolsProtocol):
    """As uvicorn's own, which would keep a head in memory however long it becomes, and make a timer for each answer.

    An application may have addresses in `direct: Mapping[bytes, Direct]`: a POST to one of these, spelled like that, is
    answered without the scope and the messages of ASGI. Any other request to the same address comes over ASGI.
    """

    _unheard = 0
    """Bytes since a head was whole or a part of a body came; more than `HEAD` only where one read brought them."""
    _idle: float | None = None
    """Since when nothing is asked, in the loop's seconds; None while something is."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._direct: Mapping[bytes, Direct] = getattr(self.app, "direct", {})

    def data_received(self, data: bytes) -> None:
        self._unheard += len(data)
        super().data_received(data)
        if self._unheard > HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of the request is larger than {HEAD // 1024} KiB.")

    def on_headers_complete(self) -> None:
        self._unheard = 0
        direct = self._direct.get(self.url)
        if direct is None or self.parser.get_method() != b"POST":
            super().on_headers_complete()
        else:
            self._begin(direct)

    def _begin(self, direct: Any) -> None:
        """As uvicorn begins any request."""
        before = self.cycle
        self.cycle = _Cycle(
            self.scope, self.transport, self.flow, self.logger, self.access_logger, self.access_log,
            self.server_state.default_headers, asyncio.Event(), self.expect_100_continue,
            self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive(), self.on_response_complete,
        )  # fmt: skip
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, direct)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, direct))

    def on_body(self, body: bytes) -> None:
        self._unheard = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """uvicorn's, but that one timer serves all answers of a connection."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        self._idle = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle is None:
            return  # the end of its answer begins anew
        left = self._idle + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
