"""The body of a delivery of events: up to 8 MiB as sent, packed or not, and what comes out of it bounded while it comes out.

Decides what is refused before anybody looks at the content. A packed body is unpacked in steps that let others have a turn,
and no further than `UNPACKED`: a bomb costs no more than that.
"""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import Callable, Iterator, Mapping

import msgspec
import zstandard
from fastapi import HTTPException
from starlette.types import Receive

MIB = 1024 * 1024
LIMIT, UNPACKED = 8 * MIB, 64 * MIB
"""Bytes."""
SECONDS = 30.0
"""How long a sender may take to deliver a large body."""
STEP = MIB // 2
"""Bytes that are unpacked in one go."""
WINDOW = 8 * MIB
"""Memory that a zstd stream may ask for (RFC 9659)."""
TOO_LARGE = "The body is larger than 8 MiB. Send smaller batches, or send them packed (Content-Encoding: gzip or zstd)."
TOO_LARGE_UNPACKED = "The body is larger than 64 MiB once unpacked. Send smaller batches."


class Head(msgspec.Struct, frozen=True):
    """The headers that matter here; empty where they were not sent. Made 25,000 times a second."""

    authorization: bytes = b""
    content_type: bytes = b""
    encoding: bytes = b""
    length: int | None = None
    """None where it was not announced."""

    @classmethod
    def of(cls, headers: list[tuple[bytes, bytes]]) -> Head:
        found = dict(headers)  # of one that was sent twice, the last
        length = found.get(b"content-length", b"")
        return cls(
            found.get(b"authorization", b""),
            found.get(b"content-type", b"").lower(),
            found.get(b"content-encoding", b"").strip().lower(),
            int(length) if length.isdigit() and len(length) < 20 else None,
        )

    @property
    def small(self) -> bool:
        """Announced as small, and not packed: it may be taken without waiting for a turn."""
        return self.length is not None and self.length <= STEP and self.encoding not in UNPACKS


async def read(head: Head, receive: Receive) -> bytes | None:
    """The body, unpacked; None where the sender went away.

    Raises HTTPException 408, 413, 415, or 400 where it cannot be unpacked.
    """
    if head.encoding and head.encoding not in (b"identity", *UNPACKS):
        raise HTTPException(415, "The body's Content-Encoding is not known here. Send gzip, zstd, or none.")
    if head.length is not None and head.length > LIMIT:
        raise HTTPException(413, TOO_LARGE)
    body = await (_received(receive) if head.small else _within(receive))
    unpack = UNPACKS.get(head.encoding)
    return body if body is None or unpack is None else await _unpacked(unpack(body))


async def _within(receive: Receive) -> bytes | None:
    """A large body keeps one of few turns, so it must come in time. A small one keeps nobody waiting, and a timer for it costs
    as much as taking its event."""
    try:
        async with asyncio.timeout(SECONDS):
            return await _received(receive)
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {SECONDS:.0f} seconds. Send it again.") from None


async def _received(receive: Receive) -> bytes | None:
    """Counted while it comes: nothing larger is ever in memory."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > LIMIT:
            raise HTTPException(413, TOO_LARGE)
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _unpacked(steps: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        for part in steps:
            size += len(part)
            if size > UNPACKED:
                raise HTTPException(413, TOO_LARGE_UNPACKED)
            parts.append(part)
            await asyncio.sleep(0)
    except (zlib.error, zstandard.ZstdError, EOFError):
        raise HTTPException(400, "The body is not packed as its Content-Encoding says, or was cut off.") from None
    return b"".join(parts)


def _gunzip(packed: bytes) -> Iterator[bytes]:
    """One member after the other (RFC 1952 §2.2)."""
    while packed:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not member.eof:
            part = member.decompress(packed, STEP)
            packed = member.unconsumed_tail
            if not part and not packed and not member.eof:
                raise EOFError
            yield part
        packed = member.unused_data


def _unzstd(packed: bytes) -> Iterator[bytes]:
    unpacking = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    with unpacking.stream_reader(io.BytesIO(packed), read_across_frames=True) as reader:
        while part := reader.read(STEP):
            yield part


UNPACKS: Mapping[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"gzip": _gunzip, b"x-gzip": _gunzip, b"zstd": _unzstd,
}  # fmt: skip
