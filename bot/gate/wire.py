"""What the gate's protocols share on the wire: a question as it arrived, the answer to it, and what is refused unread.

Decides how ids are read from headers and what makes a call a probe. What a question must hold is each protocol's.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from bot.gate.caller import Target, targets_of
from bot.incident.words import ScopeKind
from bot.settings import GateScope

PROBE = b"x-firsthour-probe"
"""Holds the gate's token: only who knows it may be left out of the counts, so nobody else gets a second allowance."""
HEADERS = {
    kind: f"x-firsthour-{kind.value.replace('_', '-')}"
    for kind in (
        ScopeKind.USER, ScopeKind.API_KEY, ScopeKind.IP, ScopeKind.SESSION, ScopeKind.APPLICATION, ScopeKind.ENDPOINT,
    )
}  # fmt: skip
"""Where an id stands unless the organisation's file names another header."""

T = TypeVar("T")
Pairs = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request, its body read."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    """Names in lower case, as ASGI gives them."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = b"application/json"


class Unacceptable(Exception):
    """The question cannot be answered. The words are for whoever sends it: what is wrong, what to send instead."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.answer = Answer(status, msgspec.json.encode({"error": words}))


@dataclass(frozen=True, slots=True)
class Names:
    """Which header holds which id."""

    by_name: Mapping[bytes, ScopeKind] = field(
        default_factory=lambda: {name.encode(): kind for kind, name in HEADERS.items()}
    )

    @classmethod
    def of(cls, chosen: Mapping[GateScope, str]) -> Names:
        """`chosen`: headers by the scope's word, as in the organisation's file; the defaults for all others."""
        named = {**HEADERS, **{ScopeKind(kind): name for kind, name in chosen.items()}}
        return cls({name.lower().encode(): kind for kind, name in named.items()})

    def targets(self, headers: Pairs) -> tuple[Target, ...]:
        """Every id that stands in a header; where one is sent twice, both count, and the strictest rule on either wins."""
        return targets_of(
            (kind, _text(value)) for name, value in headers if (kind := self.by_name.get(name)) is not None
        )


@dataclass(frozen=True, slots=True)
class Token:
    """The shared secret of the gate and whatever asks it."""

    secret: bytes

    def proven(self, headers: Pairs) -> bool:
        """`x-api-key: <token>` or `Authorization: Bearer <token>`; compared in constant time."""
        for name, value in headers:
            if name == b"x-api-key" and self.same(value):
                return True
            if name == b"authorization" and value[:7].lower() == b"bearer " and self.same(value[7:].strip()):
                return True
        return False

    def probe(self, headers: Pairs) -> bool:
        return any(name == PROBE and self.same(value) for name, value in headers)

    def same(self, sent: bytes) -> bool:
        return hmac.compare_digest(sent, self.secret)


def decode(decoder: msgspec.json.Decoder[T], body: bytes, example: str) -> T:
    """The question in the body. Raises Unacceptable 400 where it is not JSON, 422 where it is another question."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Unacceptable(422, f"The question is not understood: {error}. For example: {example}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unacceptable(400, f"The body is not JSON: {error}. For example: {example}") from None
    except RecursionError:
        raise Unacceptable(400, "The body is nested too deeply. Send it flat.") from None


def _text(value: bytes) -> str:
    """Ids outside of ASCII are sent as UTF-8 by most and as Latin-1 by the rest."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
