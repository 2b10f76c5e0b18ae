"""Events in Firsthour's own shape: a JSON array, or one object a line.

Decides that a batch with bad events still gives the good ones, and names the bad ones by index. A field that is not known is
refused: a mistyped one would be a trigger that never fires.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import msgspec

from bot.detection.event import Event
from bot.detection.sources import pieces, times, words
from bot.detection.sources.decoded import EVENTS, SLICE, Decoded, Malformed, Rejected, Slices

ONE = msgspec.json.Decoder(Event)
ARRAY, LINES = msgspec.json.Decoder(list[Event]).decode, ONE.decode_lines
MOST_BAD = 100_000
"""Bad events of one body after which the rest of it is not read: eight megabytes of `[],` would keep a core for a quarter of a
minute to say the same thing three million times."""
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises; ValidationError is a DecodeError."""
NUL, REPLACED = b"\\u0000", b"\\ufffd"
BACKSLASH = 0x5C
"""As a number: of bytes, Python asks first whether they are one, which takes as long as all that `storable` does else."""


def decode(body: bytes, now: float, *, by_line: bool = False) -> Slices:
    """`by_line`: the sender says that it is NDJSON. Raises Malformed where the body as a whole is no batch of events."""
    guessed = ARRAY if body[:1] == b"[" and not by_line else LINES
    if len(body) <= SLICE and (events := _all(guessed, body)):
        return _sliced(_believed(events, 0, now))  # most are small, and all good; no room for `MOST_BAD`
    return _bounded(_decoded(body, now, by_line=by_line))


def _bounded(slices: Slices) -> Slices:
    bad = 0
    for decoded in slices:
        left = MOST_BAD - bad
        bad += len(decoded.rejected)
        if bad > MOST_BAD:
            at = decoded.rejected[left].index
            said = f"from here on nothing was read: {MOST_BAD:,} events before it were bad; see docs/events.md"
            yield Decoded(decoded.events, [*decoded.rejected[:left], Rejected(at, said)])
            return
        yield decoded


def _decoded(body: bytes, now: float, *, by_line: bool) -> Slices:
    match pieces.form(body, by_line=by_line):
        case pieces.Form.ARRAY:
            return _array(body, now)
        case pieces.Form.OBJECT:
            return _object(body, now)
        case _:
            return _lines(body, now)


def storable(raw: bytes) -> bytes:
    """JSON without NUL, which no database keeps: an id has the replacement character in its place, here as in the gate."""
    # One byte is found sixty times as fast as six; most events have no backslash at all.
    return raw.replace(NUL, REPLACED) if BACKSLASH in raw and NUL in raw else raw


def _array(body: bytes, now: float) -> Slices:
    for index, group in pieces.array(body):
        if isinstance(group, str):
            yield Decoded(rejected=[Rejected(index, group)])
            return
        events = _all(ARRAY, b"[" + b",".join(group) + b"]")
        yield from _each(group, index, now) if events is None else _sliced(_believed(events, index, now))


def _object(body: bytes, now: float) -> Slices:
    (decoded,) = _each([body], 0, now)
    if decoded.rejected and not pieces.is_value(body):
        raise Malformed("The body is not JSON. Send a JSON array of events, or one event a line.")
    yield decoded


def _lines(body: bytes, now: float) -> Slices:
    index = 0
    for piece in pieces.lines(body):
        events = _all(LINES, piece)
        if events is None:
            group = pieces.split_lines(piece)
            yield from _each(group, index, now)
            index += len(group)
        else:
            yield from _sliced(_believed(events, index, now))
            index += len(events)


def _all(decoded: Callable[[bytes], list[Event]], raw: bytes) -> list[Event] | None:
    """All events of a piece at once; None where one of them is bad."""
    try:
        return decoded(storable(raw))
    except UNREADABLE:
        return None


def _each(group: Sequence[bytes], first: int, now: float) -> Slices:
    """One by one, where not all are good."""
    for start in range(0, len(group), EVENTS):
        decoded = Decoded()
        for index, raw in enumerate(group[start : start + EVENTS], first + start):
            _one(decoded, index, raw, now)
        yield decoded


def _one(decoded: Decoded, index: int, raw: bytes, now: float) -> None:
    try:
        event = ONE.decode(storable(raw))
    except UNREADABLE as error:
        decoded.rejected.append(Rejected(index, words.unreadable(raw, error)))
        return
    said = times.problem(event, now)
    if said is None:
        decoded.events.append(event)
    else:
        decoded.rejected.append(Rejected(index, said))


def _believed(events: list[Event], first: int, now: float) -> Decoded:
    """Those whose times are believed."""
    if times.believable(events, now):
        return Decoded(events)
    decoded = Decoded()
    for index, event in enumerate(events, first):
        said = times.problem(event, now)
        if said is None:
            decoded.events.append(event)
        else:
            decoded.rejected.append(Rejected(index, said))
    return decoded


def _sliced(decoded: Decoded) -> Slices:
    """Events can be as short as 35 bytes: no slice holds more than `EVENTS`."""
    events = decoded.events
    if len(events) <= EVENTS:
        return (decoded,)
    rest = (Decoded(events[at : at + EVENTS]) for at in range(EVENTS, len(events), EVENTS))
    return chain((Decoded(events[:EVENTS], decoded.rejected),), rest)
