"""How an address is bound, and what is refused before an application is asked."""

from __future__ import annotations

import asyncio
import socket

import pytest
from starlette.types import Receive, Scope, Send

from bot.serving import HEAD, Serving, TooMuch, _bind, _Protocol, received


def test_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    """Head and body are two writes: with Nagle's algorithm each answer but the first of a connection takes 40 ms more."""
    with _bind("127.0.0.1", 0, "FIRSTHOUR_HTTP") as listening:
        listening.setblocking(True)
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await received(receive, 1_000_000)
    assert body is not None
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Wire(asyncio.Transport):
    """What a server wrote, and whether it hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def asked(*parts: bytes) -> Wire:
    """After these arrived, each for itself, and everything that is whole was answered."""
    server, wire = Serving(echo, "127.0.0.1", 0)._server, Wire()
    server.config.load()
    protocol = _Protocol(config=server.config, server_state=server.server_state, app_state={})
    protocol.connection_made(wire)
    for part in parts:
        protocol.data_received(part)
        while protocol.cycle is not None and not (protocol.cycle.more_body or protocol.cycle.response_complete):
            await asyncio.sleep(0)
    protocol.connection_lost(ConnectionResetError())
    await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
    return wire


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"


@pytest.mark.parametrize("begun", [b"GET /", POST + b"X: ", CHUNKED + b"X: "], ids=["address", "header", "trailer"])
async def test_a_head_that_does_not_end_is_not_kept_in_memory(begun: bytes) -> None:
    wire = await asked(begun, *[b"a" * 1024] * (HEAD // 1024 + 1))
    assert wire.written.startswith(b"HTTP/1.1 400 ") and wire.written.endswith(b"larger than 64 KiB.") and wire.closed


async def test_a_long_body_is_not_taken_for_a_long_head() -> None:
    body = b"b" * (HEAD * 2)
    rest = b"Content-Length: %d\r\n\r\n" % len(body)
    wire = await asked(POST + rest, body[:-1], body[-1:] + POST, b"X: y\r\n" + rest + body)
    assert wire.written.count(b"HTTP/1.1 200 OK") == 2 and not wire.closed


async def test_a_body_is_counted_while_it_comes() -> None:
    asked = 0

    async def receive() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 10, "more_body": asked != 3}

    assert await received(receive, 30) == b"x" * 30
    asked = 0
    with pytest.raises(TooMuch) as refused:
        await received(receive, 19)
    assert (asked, refused.value.most) == (2, 19)
