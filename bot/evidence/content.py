"""Bytes on their way into a vault, hashed and counted as they pass."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator

from bot.evidence import Stored
from bot.incident.errors import Missing, TooLarge

PART = 1024 * 1024
"""Bytes that are written at once."""
MISSING = "missing"
DAMAGED = "damaged: its bytes do not hash to their digest any more"
DIGEST = re.compile(r"[0-9a-f]{64}")


def digest(given: str) -> str:
    """The digest, of which names are made. Raises Missing for anything else: of nothing else there can be bytes."""
    if not DIGEST.fullmatch(given):
        raise Missing("", "it was never seen")
    return given


class Passing:
    """Yields parts. Raises TooLarge as soon as there are more than `most` bytes, however few were promised."""

    def __init__(self, content: bytes | AsyncIterator[bytes], most: int) -> None:
        self._content, self._most = content, most
        self._hash, self._size = hashlib.sha256(), 0

    async def parts(self) -> AsyncIterator[bytes]:
        if isinstance(self._content, bytes):
            for start in range(0, len(self._content), PART):
                yield self._counted(self._content[start : start + PART])
            return
        async for part in self._content:
            yield self._counted(part)

    def _counted(self, part: bytes) -> bytes:
        self._size += len(part)
        if self._size > self._most:
            raise TooLarge(self._most)
        self._hash.update(part)
        return part

    @property
    def stored(self) -> Stored:
        """What has passed so far."""
        return Stored(self._hash.hexdigest(), self._size)
