"""The vault: where the original bytes of evidence lie, under their SHA-256.

Decides what every vault promises. Which one is used is `build`'s; what is said about a piece, and who may read it, is
`bot.cases.evidence`'s: nothing in here records custody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stored:
    """Bytes that are safely kept: written, flushed to the disk or confirmed by the bucket."""

    sha256: str
    """64 lower-case hexadecimal digits."""
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Checked:
    """Whether the bytes under a digest are there and still hash to it."""

    kept: bool
    detail: str = ""
    """Where they are not: `missing`, or how they are damaged, in words."""


class Vault(Protocol):
    """Every call may be repeated: the same bytes are kept once, and keeping them again changes nothing.

    All of them raise VaultFailed where the disk or the bucket does not answer; a later attempt may succeed.
    """

    async def put(self, content: bytes | AsyncIterator[bytes], *, most: int) -> Stored:
        """Keep bytes. Raises TooLarge past `most` bytes and VaultFull where there is no room: then nothing is kept of them."""
        ...

    async def read(self, sha256: str) -> bytes:
        """The bytes, checked against their digest. Raises Missing where they are not there or damaged."""
        ...

    async def check(self, sha256: str) -> Checked:
        """Read them all and compare. Never raises Missing."""
        ...

    async def close(self) -> None: ...
