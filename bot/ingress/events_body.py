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

from bot.serving import TooMuch, received

MIB = 1024 * 1024
LIMIT, UNPACKED = 8 * MIB, 64 * MIB
"""Bytes."""
SECONDS = 30.0
"""How long a sender may take to deliver a large body."""
STEP = MIB // 2
"""Bytes that are unpacked in one go."""
WINDOW = 8 * MIB
"""Memory that a zstd stream may ask for (RFC 9659)."""
PLAIN = (b"", b"identity")
"""Content-Encodings that pack nothing."""
TOO_LARGE = "The body is larger than 8 MiB. Send smaller batches, or send them packed (Content-Encoding: gzip or zstd)."
TOO_LARGE_UNPACKED = "The body is larger than 64 MiB once unpacked. Send smaller batches."


class Head(msgspec.Struct, frozen=True, gc=False):
    """The headers that matter here; empty where they were not sent. Made 25,000 times a second."""

    authorization: bytes
    content_type: bytes
    encoding: bytes
    length: int | None
    """None where it was not announced."""

    @classmethod
    def of(cls, headers: list[tuple[bytes, bytes]]) -> Head:
        sent = dict(headers).get  # of one that was sent twice, the last
        length = sent(b"content-length", b"")
        return cls(
            sent(b"authorization", b""),
            sent(b"content-type", b"").lower(),
            sent(b"content-encoding", b"").strip().lower(),
            int(length) if length.isdigit() and len(length) < 20 else None,
        )

    @property
    def small(self) -> bool:
        """Announced as small, and not packed: it may be read and taken without waiting for a turn."""
        return self.length is not None and self.length <= STEP and self.encoding in PLAIN


async def read(head: Head, receive: Receive) -> bytes | None:
    """A body that is not small, unpacked; None where the sender went away. It keeps one of few turns, so it must come in time: a
    small one keeps nobody waiting, and a timer for it costs as much as taking its event.

    Raises TooMuch, or HTTPException 408, 413, 415, or 400 where it cannot be unpacked.
    """
    unpack = UNPACKS.get(head.encoding)
    if unpack is None and head.encoding not in PLAIN:
        raise HTTPException(415, "The body's Content-Encoding is not known here. Send gzip, zstd, or none.")
    if head.length is not None and head.length > LIMIT:
        raise TooMuch(LIMIT)
    try:
        async with asyncio.timeout(SECONDS):
            body = await received(receive, LIMIT)
    except TimeoutError:
        raise HTTPException(408, f"The body did not arrive within {SECONDS:.0f} seconds. Send it again.") from None
    return body if body is None or unpack is None else await _unpacked(unpack(body))


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
    """The library does not tell a body that was cut off from one that is whole: a frame of our own behind it comes out only
    where the one before it has ended."""
    end = b"the end of a body"
    behind = zstandard.ZstdCompressor().compress(end)
    unpacking = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    held = b""
    with unpacking.stream_reader(io.BytesIO(packed + behind), read_across_frames=True) as reader:
        while part := reader.read(STEP):
            held += part
            yield held[: -len(end)]
            held = held[-len(end) :]
    if held != end:
        raise EOFError


UNPACKS: Mapping[bytes, Callable[[bytes], Iterator[bytes]]] = {
    b"gzip": _gunzip, b"x-gzip": _gunzip, b"zstd": _unzstd,
}  # fmt: skip
