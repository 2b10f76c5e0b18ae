"""Files that lie with somebody else until they are fetched: what is known of one, and why there is nothing to fetch.

Decides the shapes that whoever fetches (`bot.cases.files`) and whoever brings (`bot.slack.files`) agree on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Unfetched(Exception):
    """`str` is for the room: why there are no bytes. `permanent`: there will be none. `after`: exact, where a time was named."""

    def __init__(self, why: str, *, permanent: bool, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.permanent, self.after = permanent, after


@dataclass(frozen=True)
class Described:
    """A file as Slack knows it. Hostile: whoever shared it chose its name and its type."""

    id: str
    name: str
    media_type: str
    size: int
    """Bytes, as Slack says; 0 where it says nothing."""
    url: str
    shared_at: datetime | None


class Files(Protocol):
    """Both raise Unfetched."""

    async def describe(self, file_id: str) -> Described: ...

    def content(self, file: Described) -> AsyncIterator[bytes]:
        """The bytes as they come, however many: whoever reads stops where it is too much."""
        ...
