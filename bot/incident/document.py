"""A document made from the store: the review, a picture of the metrics, a pack. Bytes with a name.

Decides the shape that its maker and whoever delivers it agree on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.incident.columns import Json


@dataclass(frozen=True)
class Document:
    name: str
    """A file's name: letters, digits, `-`, `_` and one extension."""
    title: str
    content: bytes
    comment: str = ""
    """What is said with it, in plain text; whoever posts it escapes it."""
    description: str = ""
    """Of a picture, for those who do not see it."""


Maker = Callable[[Json], Awaitable[tuple[Document, ...]]]
"""Makes what an `UPLOAD` intent names, of the intent's arguments, at the moment it is delivered. Raises FirsthourError."""
Makers = Mapping[str, Maker]
"""By the name that the intent's `document` says."""
