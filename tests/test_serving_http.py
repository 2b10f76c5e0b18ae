"""What is refused before an application is asked, and how the addresses that need no ASGI are answered."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.serving import Serving, received
from bot.serving_http import HEAD, Connection, Headers

MOST = 1_000_000


class Wire(asyncio.Transport):
    """What a server wrote, and whether it hung up."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.paused = b"", False, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Said(NamedTuple):
    body: bytes
    status: int = 200

    @property
    def head(self) -> Headers:
        return [(b"content-length", b"%d" % len(self.body))]


class Echo:
    """Says a body back: `/` and whatever is not a POST over ASGI, `/direct` without, `/slow` once it may."""

    def __init__(self) -> None:
        self.direct = {b"/direct": self.said, b"/slow": self.slow, b"/no": self.no, b"/broken": self.broken}
        self.asked, self.go = 0, asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = scope["method"].encode() + b" over ASGI " + (await received(receive, MOST) or b"")
        await send({"type": "http.response.start", "status": 200, "headers": Said(body).head})
        await send({"type": "http.response.body", "body": body})

    async def said(self, headers: Headers, receive: Receive) -> Said | None:
        self.asked += 1
        body = await received(receive, MOST)
        return None if body is None else Said(body)

    async def slow(self, headers: Headers, receive: Receive) -> Said | None:
        await self.go.wait()
        return await self.said(headers, receive)

    async def no(self, headers: Headers, receive: Receive) -> Said | None:
        await self.go.wait()
        return Said(b"no", 401)

    async def broken(self, headers: Headers, receive: Receive) -> Said | None:
        raise ZeroDivisionError


def connected(app: ASGIApp) -> tuple[Connection, Wire]:
    server, wire = Serving(app, "127.0.0.1", 0)._server, Wire()
    server.config.load()
    protocol = Connection(config=server.config, server_state=server.server_state, app_state={})
    protocol.connection_made(wire)
    return protocol, wire


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not met():
            await asyncio.sleep(0)


async def lost(protocol: Connection) -> None:
    protocol.connection_lost(ConnectionResetError())
    await asyncio.gather(*protocol.tasks, return_exceptions=True)


async def asked(*parts: bytes) -> Wire:
    """After these arrived, each for itself, and everything that is whole was answered."""
    protocol, wire = connected(Echo())
    for part in parts:
        protocol.data_received(part)
        while protocol.cycle is not None and not (
            wire.closed or protocol.cycle.more_body or protocol.cycle.response_complete
        ):
            await asyncio.sleep(0)
    await lost(protocol)
    return wire


def post(path: str, body: bytes, *, version: str = "1.1", more: str = "") -> bytes:
    head = f"POST {path} HTTP/{version}\r\nHost: x\r\n{more}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
DIRECT = b"POST /direct HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "begun",
    [b"GET /", POST + b"X: ", POST + CHUNKED + b"X: ", DIRECT + b"X: ", DIRECT + CHUNKED + b"X: "],
    ids=["address", "header", "trailer", "direct header", "direct trailer"],
)
async def test_a_head_that_does_not_end_is_not_kept_in_memory(begun: bytes) -> None:
    wire = await asked(begun, *[b"a" * 1024] * (HEAD // 1024 + 1))
    assert wire.written.startswith(b"HTTP/1.1 400 ") and wire.written.endswith(b"larger than 64 KiB.") and wire.closed


@pytest.mark.parametrize("begun", [POST, DIRECT], ids=["ASGI", "direct"])
async def test_a_long_body_is_not_taken_for_a_long_head(begun: bytes) -> None:
    body = b"b" * (HEAD * 2)
    rest = b"Content-Length: %d\r\n\r\n" % len(body)
    wire = await asked(begun + rest, body[:-1], body[-1:] + begun, b"X: y\r\n" + rest + body)
    assert wire.written.count(OK) == 2 and not wire.closed


@pytest.mark.parametrize("path", ["/direct", "/"])
async def test_many_short_requests_are_not_taken_for_one_long_head(path: str) -> None:
    protocol, wire = connected(Echo())
    for count in range(1, HEAD // 50 + 100):
        protocol.data_received(post(path, b""))
        await until(lambda: protocol.server_state.total_requests == count)  # noqa: B023
    assert not wire.closed
    await lost(protocol)


@pytest.mark.parametrize("size", [1, 7, 30, 200])
async def test_it_does_not_matter_in_how_many_reads_a_request_comes(size: int) -> None:
    sent = post("/direct", b"one") + DIRECT + CHUNKED + b"\r\n" + post("/direct", b"")
    wire = await asked(*[sent[at : at + size] for at in range(0, len(sent), size)])
    assert wire.written == b"".join(
        OK + b"content-length: %d\r\n\r\n" % len(body) + body for body in (b"one", b"hi", b"")
    )


async def test_pipelined_requests_are_answered_in_their_order_however_long_one_takes() -> None:
    app = Echo()
    protocol, wire = connected(app)
    paths = ["/slow", "/direct", "/", "/direct", "/slow", "/"]
    protocol.data_received(b"".join(post(path, path.encode() + b"!") for path in paths))
    await asyncio.sleep(0)
    assert wire.paused and not wire.written  # nothing more is read before the first is answered
    app.go.set()
    await until(lambda: protocol.server_state.total_requests == len(paths))
    bodies = [answer.partition(b"\r\n\r\n")[2] for answer in wire.written.split(OK)[1:]]
    assert bodies == [b"/slow!", b"/direct!", b"POST over ASGI /!", b"/direct!", b"/slow!", b"POST over ASGI /!"]
    assert not wire.paused
    await lost(protocol)


@pytest.mark.parametrize("path", ["/direct", "/"])
@pytest.mark.parametrize(
    ("version", "more", "stays"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive\r\n", False),
    ],
)
async def test_a_connection_ends_where_its_sender_says_so(path: str, version: str, more: str, stays: bool) -> None:
    wire = await asked(post(path, b"hi", version=version, more=more))
    assert wire.written.startswith(OK) and wire.closed is not stays
    assert (b"\r\nconnection: close\r\n" in wire.written) is not stays


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "post"])
async def test_another_method_comes_over_asgi(method: str) -> None:
    wire = await asked(post("/direct", b"hi").replace(b"POST", method.encode()))
    if method == "post":
        assert wire.written.startswith(b"HTTP/1.1 400 ") and wire.closed
    else:
        said = method.encode() + b" over ASGI hi"
        assert wire.written == OK + b"content-length: %d\r\n\r\n" % len(said) + (b"" if method == "HEAD" else said)


@pytest.mark.parametrize("path", ["/direct?", "/direct?x=1", "/%64irect", "//direct", "/direct/", "http://x/direct"])
async def test_an_address_that_is_spelled_otherwise_comes_over_asgi(path: str) -> None:
    assert (await asked(post(path, b"hi"))).written.endswith(b"POST over ASGI hi")


@pytest.mark.parametrize(
    "sent",
    [
        post("/direct", b"hi", more="Content-Length: 2\r\n"),
        post("/direct", b"hi", more="Content-Length: 3\r\n"),
        post("/direct", b"hi", more="Transfer-Encoding: chunked\r\n"),
        DIRECT + b"Transfer-Encoding: gzip\r\n\r\nhi",
        DIRECT + b"Content-Length: +2\r\n\r\nhi",
        DIRECT + b"Content-Length : 2\r\n\r\nhi",
        DIRECT + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n",
        DIRECT.replace(b"Host", b"H\0st") + b"\r\n",
    ],
)
async def test_what_could_be_read_as_two_different_requests_is_refused(sent: bytes) -> None:
    app = Echo()
    protocol, wire = connected(app)
    protocol.data_received(sent + post("/direct", b"smuggled"))
    assert wire.written.startswith(b"HTTP/1.1 400 ") and wire.written.count(b"HTTP/1.1") == 1 and wire.closed
    await lost(protocol)
    assert b"smuggled" not in wire.written


async def test_what_follows_a_body_is_no_part_of_it() -> None:
    wire = await asked(post("/direct", b"hi"), b"and more\r\n\r\n")
    answered, refused, _ = wire.written.partition(b"HTTP/1.1 400 ")
    assert answered == OK + b"content-length: 2\r\n\r\nhi" and refused and wire.closed


async def test_a_sender_that_does_not_read_is_not_read_from() -> None:
    app = Echo()
    protocol, wire = connected(app)
    protocol.pause_writing()
    protocol.data_received(post("/direct", b"1") + post("/direct", b"2") + post("/direct", b"3"))
    await until(lambda: app.asked == 1)
    for number in b"4", b"5":
        await asyncio.sleep(0)
        protocol.data_received(post("/direct", number))
    assert (app.asked, wire.written, wire.paused) == (1, b"", True)
    protocol.resume_writing()
    await until(lambda: protocol.server_state.total_requests == 5)
    assert [part[-1:] for part in wire.written.split(OK)[1:]] == [b"1", b"2", b"3", b"4", b"5"] and not wire.paused
    protocol.pause_writing()
    protocol.data_received(post("/direct", b"6"))
    await until(lambda: app.asked == 6)
    await asyncio.wait_for(lost(protocol), 5)  # nothing waits for one who is gone
    assert wire.written.count(OK) == 5


async def test_reading_goes_on_after_a_body_that_nobody_wanted() -> None:
    app = Echo()
    protocol, wire = connected(app)
    sent = post("/no", b"b" * HEAD * 4)
    protocol.data_received(sent[: HEAD * 2])
    assert wire.paused
    app.go.set()
    await until(lambda: protocol.server_state.total_requests == 1)
    assert wire.written.endswith(b"\r\n\r\nno") and not wire.paused
    protocol.data_received(sent[HEAD * 2 :] + post("/direct", b"next"))
    await until(lambda: protocol.server_state.total_requests == 2)
    assert wire.written.endswith(b"\r\n\r\nnext")
    await lost(protocol)


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    app = Echo()
    protocol, wire = connected(app)
    protocol.timeout_keep_alive = 0.01  # type: ignore[assignment]  # seconds
    protocol.data_received(post("/direct", b"hi"))
    await until(lambda: protocol.timeout_keep_alive_task is not None)
    protocol.data_received(post("/slow", b"hi"))
    await until(lambda: protocol.timeout_keep_alive_task is None)  # its time is over
    assert not wire.closed
    app.go.set()
    await until(lambda: wire.closed)
    assert wire.written.count(OK) == 2
    await lost(protocol)


async def test_a_connection_that_was_used_again_is_idle_from_then_on() -> None:
    protocol, wire = connected(Echo())
    protocol.timeout_keep_alive = 0.05  # type: ignore[assignment]
    loop, answered = asyncio.get_running_loop(), 0.0
    for count in range(1, 4):
        protocol.data_received(post("/direct", b"hi"))
        await until(lambda: protocol.server_state.total_requests == count)  # noqa: B023
        answered = loop.time()
        await until(lambda: loop.time() > answered + 0.02)  # noqa: B023
    await until(lambda: wire.closed)
    assert wire.written.count(OK) == 3 and loop.time() >= answered + 0.04
    await lost(protocol)


async def used() -> tuple[weakref.ref[Connection], asyncio.TimerHandle | None]:
    """A connection that answered, and is gone."""
    protocol, _ = connected(Echo())
    protocol.data_received(post("/direct", b"hi"))
    await until(lambda: protocol.server_state.total_requests == 1)
    timer = protocol.timeout_keep_alive_task
    await lost(protocol)
    return weakref.ref(protocol), timer


async def test_a_connection_that_is_gone_is_kept_by_nothing() -> None:
    gc.disable()
    try:
        kept, timer = await used()
        assert timer is not None and timer.cancelled() and kept() is None
    finally:
        gc.enable()


async def test_an_address_that_fails_against_its_promise_leaves_nobody_waiting() -> None:
    wire = await asked(post("/broken", b"hi"))
    assert wire.closed and not wire.written


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[tuple[Serving, asyncio.StreamReader, asyncio.StreamWriter]]:
    serving = Serving(app, "127.0.0.1", 0)
    await serving.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    async with asyncio.timeout(20):
        yield serving, reader, writer
    writer.close()
    await serving.stop()


async def test_who_asks_first_is_told_to_continue() -> None:
    async with served(Echo()) as (_, reader, writer):
        head, _, body = post("/direct", b"hi", more="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await reader.readuntil(b"\r\n\r\nhi")).startswith(OK)


async def test_a_stop_waits_for_what_is_in_hand_and_hangs_up_then() -> None:
    app = Echo()
    async with served(app) as (serving, reader, writer):
        writer.write(post("/direct", b"first") + post("/slow", b"hi"))
        await reader.readuntil(b"first")
        stopping = asyncio.create_task(serving.stop())
        (connection,) = serving._server.server_state.connections
        assert isinstance(connection, Connection)
        await until(lambda: not connection.cycle.keep_alive)
        app.go.set()
        answer = await reader.read()
        assert answer.startswith(OK) and b"connection: close\r\n\r\nhi" in answer
        await stopping
