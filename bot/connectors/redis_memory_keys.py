"""Which keys hold a subject's memory: patterns of the organisation's file, filled in with an id that may be hostile.

Decides that an id only ever means itself: in a pattern with `*` its glob characters are escaped, and an id that cannot be
told apart from somebody else's is refused. What is done to the keys is `redis_memory`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.incident.words import ScopeKind

PREFIX = b"firsthour:quarantine:"
"""Below it lies what was put aside. Never a subject's memory, whatever a pattern matches."""
_GLOB = re.compile(rb"([*?\[\]\\^-])")
"""What means something in a glob of the server (util.c, stringmatchlen)."""


class TooWide(ValueError):
    """`str(error)` says in words why a pattern or an id would reach somebody else's memory."""


@dataclass(frozen=True)
class Found:
    """One pattern for one subject: an exact key, or a glob with the check that what the server finds is meant."""

    exact: bytes | None
    glob: bytes
    meant: re.Pattern[bytes]

    def matches(self, key: bytes) -> bool:
        return self.meant.fullmatch(key) is not None and not key.startswith(PREFIX)


@dataclass(frozen=True)
class Pattern:
    """`message_store:{session}`, or `chat:{user}:*`. Raises TooWide where it could not tell two subjects apart."""

    text: str
    placeholder: str
    """`{session}` or `{user}`"""

    def __post_init__(self) -> None:
        if self.text.count(self.placeholder) != 1:
            raise TooWide(f"“{self.text}” needs {self.placeholder} once: the place of the id in the key")
        if any(one.isalnum() or one in "*_" for one in self._borders):
            raise TooWide(
                f"“{self.text}” would reach others too: put a separator such as “:” between {self.placeholder} and “*”"
            )

    @property
    def _parts(self) -> tuple[str, str]:
        before, _, after = self.text.partition(self.placeholder)
        return before, after

    @property
    def _borders(self) -> tuple[str, ...]:
        """The characters next to the id on the sides on which anything may stand."""
        before, after = self._parts
        left = before[-1:] or "*"
        right = after[:1] or "*"
        return (*((left,) if "*" in before else ()), *((right,) if "*" in after else ()))

    def of(self, scope_id: str) -> Found:
        """The pattern for one subject. Raises TooWide where the id holds what separates it from the rest of the key."""
        for border in self._borders:
            if border in scope_id:
                raise TooWide(
                    f"the id holds “{border}”, which separates ids in “{self.text}”: it cannot be told apart from others"
                )
        before, after = self._parts
        exact = f"{before}{scope_id}{after}".encode() if "*" not in self.text else None
        parts = [(before, True), (scope_id, False), (after, True)]
        return Found(exact, _joined(parts, _escaped, b"*"), re.compile(_joined(parts, re.escape, b".*"), re.DOTALL))

    def anybody(self) -> bytes:
        """The glob of everybody's memory under this pattern."""
        before, after = self._parts
        return _joined([(before, True), ("*", True), (after, True)], _escaped, b"*")


def _escaped(part: bytes) -> bytes:
    return _GLOB.sub(rb"\\\1", part)


def _joined(parts: list[tuple[str, bool]], escape: Callable[[bytes], bytes], anything: bytes) -> bytes:
    """The parts with everything escaped but the stars of the pattern itself."""
    return b"".join(
        anything.join(escape(piece.encode()) for piece in (text.split("*") if stars else [text]))
        for text, stars in parts
    )


@dataclass(frozen=True)
class Patterns:
    """The organisation's patterns: where sessions' and users' memory lies."""

    session: tuple[Pattern, ...]
    user: tuple[Pattern, ...]
    index: Pattern | None
    """The key under which a user's session ids lie."""

    def of(self, scope_kind: ScopeKind) -> tuple[Pattern, ...]:
        """Empty where such a subject's memory is not known."""
        match scope_kind:
            case ScopeKind.SESSION:
                return self.session
            case ScopeKind.USER:
                return (*self.user, *(self.session if self.index else ()))
            case _:
                return ()

    @property
    def known(self) -> str:
        kinds = [kind.value for kind in (ScopeKind.SESSION, ScopeKind.USER) if self.of(kind)]
        return f"it knows the memory of one {' or '.join(kinds)}"
