"""Whose state an event is counted in, when it happened, and as what values are kept.

Decides the order in which an event's subject is looked for (end user, session, API key, address, as the rule's `key` says),
which of an event's ids names it, and how far its own time is believed. Leaves what is counted to each primitive.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Callable, Sequence
from hashlib import blake2b

from bot.detection.event import Event, Seen, UserKind
from bot.detection.rule import KeyKind

LATENESS = 60.0
"""Seconds that an event may be behind the newest of its key and still counts in its own time (domain.md §4.1). An event may
be as far ahead of our clock; what claims more is taken for now, or all others of its key would be late."""
ALL: tuple[KeyKind, ...] = ("user", "session", "api_key", "ip")
MOST_NAME = 64
"""Characters of a name that a state keeps as it is."""

USER = UserKind.END_USER
_NAMED: dict[UserKind, KeyKind] = {UserKind.END_USER: "user", UserKind.API_KEY: "api_key", UserKind.IP: "ip"}


def moment(seen: Seen) -> float:
    """When the event happened, Unix seconds, as far as that can be believed. `arrived` 0 believes everything."""
    at = seen.event.occurred_at
    if at.__class__ is not float:
        at = seen.event.at
    if at <= seen.arrived + LATENESS or not seen.arrived:
        return at
    return seen.arrived


def subject(event: Event, order: Sequence[KeyKind]) -> tuple[str, str] | None:
    """Kind and id of the first in `order` that the event carries. A `user_id` of which nobody said what it names comes last,
    and stays `unknown`. None where nothing names anybody."""
    user = event.user_id
    named = _NAMED.get(event.user_kind) if user else None
    for kind in order:
        if kind == named:
            return kind, user or ""
        if kind == "session" and event.session_id:
            return kind, event.session_id
    return ("unknown", user) if user and event.user_kind is UserKind.UNKNOWN else None


def keyer(order: Sequence[KeyKind]) -> Callable[[Seen], str | None]:
    """The key of an event's state: application, kind and id. None where the event names none of `order`."""
    if "fleet" in order:
        return _fleet

    def key(seen: Seen) -> str | None:
        event = seen.event
        found = subject(event, order)
        return None if found is None else f"{event.app or ''}\0{found[0]}\0{found[1]}"

    def user_key(seen: Seen) -> str | None:
        """The same, quick for nearly all events."""
        event = seen.event
        if event.user_kind is USER and event.user_id:
            return f"{event.app or ''}\0user\0{event.user_id}"
        return key(seen)

    return user_key if order[:1] == ("user",) else key


def _fleet(seen: Seen) -> str | None:
    return f"{seen.event.app or ''}\0fleet\0{seen.fingerprint}" if seen.fingerprint else None


def event_name(event: Event) -> str:
    """What the event is called where it came from; empty where it has no id at all."""
    return event.event_id or event.source_event_id or event.call_id or ""


def digest(*parts: str) -> str:
    """32 hexadecimal digits, the same in every process."""
    return blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def short(name: str) -> str:
    """The name itself, or of a very long one its digest: what a state keeps of it is bounded."""
    return name if len(name) <= MOST_NAME else digest(name)


def number(*parts: str) -> int:
    """The same for the same parts in every process (Python's own `hash` is not), 56 bits."""
    return int.from_bytes(blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=7).digest())


def known_as(value: str) -> bytes:
    """By what a window knows a value: 8 bytes, the same in every process."""
    return blake2b(value.encode(errors="surrogatepass"), digest_size=8).digest()


def known_as_digest(value: str) -> bytes:
    """`known_as` for what mostly is a SHA-256 in hexadecimal digits, whose last 8 bytes do: ten times as quick. Two among a
    million are the same once in 37 million times."""
    if len(value) == 64:
        try:
            return a2b_hex(value[48:])
        except ValueError:
            pass
    return known_as(value)
