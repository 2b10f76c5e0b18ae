from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.connectors.contract import Effect
from bot.connectors.http import BODY_LIMIT, Answered, Exchange, NoAnswer, NotSent, client, exchange, read, silence

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that says exactly these bytes; its URL."""

    async def whole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(1024)
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(whole, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


def says(answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return serve


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever: each read is in time, the whole never is."""
    writer.write(OK + b"Content-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    made = client()
    yield made
    await made.aclose()


async def asked(http: httpx.AsyncClient, serve: Serve, seconds: float = 5) -> Exchange:
    async with listening(serve) as url:
        return await exchange(http, "POST", url, seconds=seconds, content=b"{}")


async def test_an_answer_in_drips_ends_with_the_time_out(http: httpx.AsyncClient) -> None:
    began = time.monotonic()
    answer = await asked(http, drips, seconds=0.2)
    assert isinstance(answer, NoAnswer)
    assert time.monotonic() - began < 5
    assert read("soar", answer, {200}).effect is Effect.UNKNOWN


@pytest.mark.parametrize("framing", [b"Content-Length: 10000000\r\n\r\n", b"Connection: close\r\n\r\n"])
async def test_of_a_long_answer_no_more_than_the_limit_is_read(http: httpx.AsyncClient, framing: bytes) -> None:
    answer = await asked(http, says(OK + framing + b" " * (BODY_LIMIT * 4)))
    assert answer == Answered(200, None)
    assert answer.json is None


async def test_an_answer_that_breaks_off_may_be_done(http: httpx.AsyncClient) -> None:
    for half in (b"", b"HTTP/1.1 2", OK + b"Content-Length: 90\r\n\r\n{"):
        assert isinstance(await asked(http, says(half)), NoAnswer)


@pytest.mark.parametrize(
    ("status", "effect", "words"),
    [
        (200, Effect.APPLIED, "said yes"),
        (401, Effect.FAILED, "does not accept the credentials (401). Nothing was changed"),
        (403, Effect.FAILED, "does not accept the credentials (403). Nothing was changed"),
        (404, Effect.FAILED, "refused (404). Nothing was changed"),
        (408, Effect.UNKNOWN, "It may be done"),
        (429, Effect.FAILED, "refused (429). Nothing was changed"),
        (500, Effect.UNKNOWN, "It may be done"),
        (504, Effect.UNKNOWN, "It may be done"),
        (307, Effect.FAILED, "which is not followed"),
    ],
)
def test_what_a_status_means_for_an_order(status: int, effect: Effect, words: str) -> None:
    result = read("soar", Answered(status, b"internal: secret"), {200})
    assert result.effect is effect
    assert words in result.detail
    assert "secret" not in result.detail
    assert silence("soar", Answered(status, b"")).effect is Effect.UNKNOWN


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's certificate that nobody has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(hours=1), now + timedelta(hours=1))
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_that_nobody_signed_is_a_failure_in_words(http: httpx.AsyncClient, tmp_path: Path) -> None:
    async with listening(says(OK + b"\r\n"), certificate(tmp_path)) as url:
        answer = await exchange(http, "POST", url, seconds=5)
    assert isinstance(answer, NotSent)
    told = read("soar", answer, {200})
    assert told.effect is Effect.FAILED
    assert "TLS certificate is not accepted" in told.detail
    assert "Nothing was changed" in told.detail


async def test_who_speaks_no_tls_gets_nothing(http: httpx.AsyncClient) -> None:
    async with listening(says(OK + b"\r\n")) as url:
        answer = await exchange(http, "POST", url.replace("http://", "https://"), seconds=5)
    assert isinstance(answer, NotSent)
    assert "TLS" in answer.why


async def test_where_nothing_listens_it_says_so_and_nothing_of_tls(http: httpx.AsyncClient) -> None:
    answer = await exchange(http, "POST", "https://127.0.0.1:9/", seconds=5)
    assert isinstance(answer, NotSent)
    assert "could not be reached" in answer.why
