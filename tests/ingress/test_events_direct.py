"""Events over a real socket: what is answered directly is what ASGI would have answered, byte for byte."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Sequence

import pytest

from bot.detection.event import Event
from bot.incident.errors import Busy
from bot.ingress import Serving
from bot.ingress.app import Ingress
from tests.ingress.conftest import TOKEN, Build
from tests.ingress.test_edge import CALL, Taken
from tests.ingress.test_events import NOW, event, request

PATHS = {
    "/events": json.dumps(event()).encode(),
    "/events/litellm": json.dumps(CALL).encode(),
    "/v1/traces": request(NOW).SerializeToString(),
    "/v1/logs": b'{"resourceLogs":[]}',
}


class Taker:
    """Takes each event, after a turn of the loop; refuses all of them while it is busy."""

    def __init__(self) -> None:
        self.busy, self.count = False, 0

    async def take(self, events: Sequence[Event], *, via: str) -> Taken:
        if self.busy:
            raise Busy
        await asyncio.sleep(0)
        self.count += len(events)
        return Taken(len(events), 0)

    def rejected(self, count: int, *, via: str) -> None: ...


def head(path: str, *lines: str, token: str = TOKEN, version: str = "1.1") -> bytes:
    named = (f"POST {path} HTTP/{version}", "Host: x", f"Authorization: Bearer {token}", *lines)
    return "".join(f"{line}\r\n" for line in named).encode() + b"\r\n"


def asked(path: str, good: bytes) -> dict[str, tuple[int, bytes]]:
    """Requests of many kinds, each with the status of its answer."""
    length, packed = f"Content-Length: {len(good)}", gzip.compress(good)
    named = f"Content-Length: {len(packed)}"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(good), good)
    taken = 202 if path.startswith("/events") else 200
    return {
        "good": (taken, head(path, length) + good),
        "of JSON": (taken if good[:1] == b"{" else 400, head(path, length, "Content-Type: application/json") + good),
        "in chunks": (taken, head(path, "Transfer-Encoding: chunked") + chunks),
        "packed": (taken, head(path, named, "Content-Encoding: gzip") + packed),
        "of HTTP 1.0": (taken, head(path, length, version="1.0") + good),
        "not packed as it says": (400, head(path, length, "Content-Encoding: gzip") + good),
        "packed as nobody can": (415, head(path, length, "Content-Encoding: br") + good),
        "unreadable": (400, head(path, "Content-Length: 2", "Content-Type: application/json") + b"\xff{"),
        "of a stranger": (401, head(path, length, token="guessed") + good),
        "too large": (413, head(path, "Content-Length: 9999999", "Expect: 100-continue")),
    }


async def told(port: int, sent: bytes) -> bytes:
    """The whole answer but its date, from a connection that is over after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    answer, dates = re.subn(rb"\r\ndate: [^\r]{29}(?=\r\n)", b"", answer, count=1)
    assert dates == 1
    return answer


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_is_the_one_of_asgi(build: Build, path: str) -> None:
    taker = Taker()
    app = build(taker=taker)
    assert isinstance(app, Ingress) and set(app.direct) == {each.encode() for each in PATHS}
    served = Serving(app, "127.0.0.1", 0)
    await served.start()
    for busy in (False, True):
        taker.busy = busy
        for what, (status, sent) in asked(path, PATHS[path]).items():
            direct = await told(served.port, sent)
            if busy and status < 300 and path != "/v1/logs":  # it brought no event
                status = 503
                assert b"\r\nretry-after: 2\r\n" in direct
            assert direct.startswith(b"HTTP/1.1 %d " % status), what
            # A question mark is no part of an address, and not of those that are answered directly either.
            assert direct == await told(served.port, sent.replace(path.encode(), path.encode() + b"?", 1)), what
    await served.stop()


async def test_pipelined_events_are_each_taken_and_answered_in_order(build: Build) -> None:
    taker = Taker()
    served = Serving(build(taker=taker), "127.0.0.1", 0)
    await served.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    good, bad = PATHS["/events"], b'{"kind":"nothing"}'
    bodies = [good, bad, good + b"\n" + good, good, bad, good]
    writer.write(b"".join(head("/events", f"Content-Length: {len(body)}") + body for body in bodies))
    accepted = []
    for _ in bodies:
        length = re.search(rb"content-length: (\d+)", await reader.readuntil(b"\r\n\r\n"))
        assert length is not None
        accepted.append(json.loads(await reader.readexactly(int(length[1])))["accepted"])
    assert accepted == [1, 0, 2, 1, 0, 1] and taker.count == sum(accepted)
    writer.close()
    await served.stop()
