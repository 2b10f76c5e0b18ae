"""Credentials that a source sends as an id: an API key as the user, a token as the session, a key in an endpoint's address.

Decides which ids are not kept as they came, and what stands in their place: kind, last four and a keyed hash, so that the same
credential is still the same subject. An API key that names its user becomes its SHA-256, by which gateways know it (LiteLLM's
`user_api_key_hash`), so it can still be blocked. What stands in texts is `sought`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar

import msgspec

from bot.detection.event import Seen, UserKind
from bot.detection.scan.credentials import NEEDLES, PLACEHOLDER, Credentials
from bot.detection.scan.digests import Hashed
from bot.detection.scan.found import Found
from bot.detection.scan.matchers import engine

SHORTEST = 12
"""Characters. No issuer's credential is shorter; of one that is as long its last four may be shown."""
ORDINARY = re.compile(r"[0-9a-f-]*|[a-z]+[-_]?[0-9]{1,18}")
"""A UUID, a hash, `user-17`: nobody's credential, and most ids."""
ID = "id\0"
DIGITS = 12
"""Of the keyed hash."""
NAMED = re.compile(rf"[a-z0-9_]+(?: ….{{4}})? #[0-9a-f]{{{DIGITS}}}")
"""What stands in a credential's place. No system but ours knows anybody by it."""
FEW = 4096
"""Names of applications, models, guardrails …: few are of another form, and the same ones come again and again."""
P = TypeVar("P", bound=msgspec.Struct)


class Ids:
    """One at a time, as the scanner that it belongs to."""

    def __init__(self, hashed: Hashed, *, fast: bool) -> None:
        made = engine(fast=fast)
        self._hits = made.patterns(NEEDLES).hits
        self._at_once = made.name != "re"
        self._credentials, self._hashed = Credentials(), hashed
        self._unusual = lru_cache(FEW)(self._looked_at)

    def named(self, seen: list[Seen], packed: bytes) -> list[Seen]:
        """The events, none with a credential as an id: the same list where there was none. `packed`: all of them in MessagePack,
        in which every id stands as it is, so that one look at it is enough for nearly all steps."""
        if self._at_once and not self._hits(packed):
            return seen
        named = [self._named(one) for one in seen]
        return seen if all(new is one for new, one in zip(named, seen, strict=True)) else named

    def _named(self, seen: Seen) -> Seen:
        event = seen.event
        if event.user_kind is UserKind.API_KEY and event.user_id and self._is_one(event.user_id):
            event = msgspec.structs.replace(event, user_id=sha256(event.user_id.encode("utf-8", "replace")).hexdigest())
        event = self._without(event)
        return seen if event is seen.event else msgspec.structs.replace(seen, event=event)

    def _without(self, part: P) -> P:
        changed = {}
        for field in part.__struct_fields__:
            value = getattr(part, field)
            if value is not None and (new := self._value(value)) is not value:
                changed[field] = new
        return msgspec.structs.replace(part, **changed) if changed else part

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return value if isinstance(value, StrEnum) else self._name(value)
        if isinstance(value, msgspec.Struct):
            return self._without(value)
        if isinstance(value, tuple) and value:
            parts = tuple(map(self._value, value))
            return value if all(new is part for new, part in zip(parts, value, strict=True)) else parts
        return value

    def _name(self, value: str) -> str:
        return value if len(value) < SHORTEST or ORDINARY.fullmatch(value) else self._unusual(value)

    def _looked_at(self, value: str) -> str:
        found = self._found(value)
        if not found:
            return value
        first = found[0]
        tail = f" …{first.secret[-4:]}" if len(first.secret) >= SHORTEST else ""
        return f"{first.name}{tail} #{self._hashed(ID + value)[:DIGITS]}"

    def _is_one(self, value: str) -> bool:
        """From its first character to its last."""
        return any(each.start == 0 and each.end == len(value) for each in self._found(value))

    def _found(self, value: str) -> Sequence[Found]:
        hits = self._hits(value.encode("utf-8", "replace"))
        return [each for each in self._credentials.find(value, hits, 0) if each.grade != PLACEHOLDER]
