from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from bot.incident.incident import Alert
from bot.ingress import Serving, body
from bot.store import Store
from tests.ingress.conftest import Build
from tests.ingress.test_native import ALERT, count

MIB = 1024 * 1024


@pytest.fixture
async def serving(build: Build) -> AsyncIterator[Serving]:
    served = Serving(build(), "127.0.0.1", 0)
    await served.start()
    yield served
    await served.stop()


@pytest.fixture
async def wire(serving: Serving, bearer: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    base = f"http://127.0.0.1:{serving.port}"
    async with httpx.AsyncClient(base_url=base, headers=bearer, trust_env=False) as client:
        yield client


async def chunks(total: int, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for _ in range(total // size):
        yield b" " * size


async def test_an_alert_arrives_over_a_real_socket(wire: httpx.AsyncClient) -> None:
    response = await wire.post("/alerts", json=ALERT)
    assert (response.status_code, response.json()["status"]) == (202, "opened")
    assert "server" not in response.headers


async def test_a_body_that_announces_more_than_a_mebibyte_is_refused(
    wire: httpx.AsyncClient, sqlite_store: Store
) -> None:
    response = await wire.post("/alerts", content=b" " * (MIB + 1))
    assert response.status_code == 413
    assert "1 MiB" in response.json()["error"]


async def test_a_chunked_body_of_any_length_is_refused_once_it_is_too_large(
    wire: httpx.AsyncClient, sqlite_store: Store
) -> None:
    response = await wire.post("/alerts", content=chunks(8 * MIB))
    assert response.status_code == 413
    assert await count(sqlite_store, Alert) == 0
    assert (await wire.post("/alerts", json=ALERT)).status_code == 202, "the next request is served"


async def test_a_body_of_exactly_a_mebibyte_is_read(wire: httpx.AsyncClient) -> None:
    padded = json.dumps(ALERT).encode().ljust(MIB)
    assert (await wire.post("/alerts", content=padded)).status_code == 202
    response = await wire.post("/alerts", content=chunks(MIB))
    assert response.status_code == 400, "read whole, and not JSON"


async def test_nothing_beyond_the_limit_is_read_into_memory() -> None:
    """The application asks for no further chunk after the one that went over."""
    asked = 0

    async def receive() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

    async def app(scope: object, receive: object, send: object) -> None:
        while True:
            await receive()  # type: ignore[operator]

    with pytest.raises(body.BodyTooLarge):
        await body.BodyLimit(app)({"type": "http", "headers": []}, receive, None)  # type: ignore[arg-type]
    assert asked == 17


async def test_a_sender_that_dawdles_is_let_go(
    serving: Serving, bearer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    head = f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\nContent-Length: 10\r\n\r\n"
    writer.write(head.encode())
    assert b"408" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()


async def test_a_sender_that_hangs_up_in_the_middle_disturbs_nobody(
    serving: Serving, wire: httpx.AsyncClient, bearer: dict[str, str]
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    head = (
        f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer['Authorization']}\r\nContent-Length: 99\r\n\r\n{{"
    )
    writer.write(head.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await wire.post("/alerts", json=ALERT)).status_code == 202


async def test_a_length_that_is_no_number_is_answered_by_the_server(serving: Serving) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(b"POST /alerts HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n")
    assert b"400" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
