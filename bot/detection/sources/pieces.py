"""A body of many events, cut between events: into slices that are decoded in one go, or into single events.

Decides where one event ends, by brackets and quotes alone: whether it is good JSON is found out by decoding it, so that one
broken event does not spoil the others.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from bot.detection.sources.decoded import EVENTS, SLICE, Malformed

AT_ONCE = 8 * 1024 * 1024
"""Bytes of an array that are cut by msgspec, which holds the process for 1 ms a MiB. A longer one is walked through, and so is
one of very many tiny elements, which would hold it for longer and fill the memory."""
DENSE = 8
"""Bytes to a comma. Events have 20 and more."""
DEEPEST = 64
"""Brackets within brackets that the walk follows."""
LONGEST = 8 * 1024 * 1024
"""Bytes of one event that the walk follows."""
SPACE = b" \t\r\n"
NOT_JSON = "The body is not JSON near byte {at}, or is nested more than {deepest} deep. Send a JSON array, or one event a line."
EMPTY = "The body holds no event. Send a JSON array of events, or one event a line."
AFTER = "The body goes on after the end of its array, near byte {at}. Send one array, or one event a line."
OPEN = "The body ends within the array. Was it cut off?"


@functools.cache
def _element() -> re.Pattern[bytes]:
    """One value. Possessive throughout: linear in the text, whatever the text is."""
    text = rb'"(?:[^"\\]++|\\.)*+"'
    nested = rb'[\[{](?:[^"\[\]{}]++|' + text + rb")*+[\]}]"
    for _ in range(DEEPEST - 1):
        nested = rb'[\[{](?:[^"\[\]{}]++|' + text + rb"|" + nested + rb")*+[\]}]"
    return re.compile(nested + rb"|" + text + rb'|[^"\[\]{},\s]++', re.DOTALL)


GAP = re.compile(rb"[ \t\r\n]*+")


class Form(Enum):
    ARRAY = "array"
    OBJECT = "object"
    LINES = "lines"


def form(body: bytes, *, by_line: bool) -> Form:
    """How the events stand in the body. Raises Malformed where there are none."""
    start = _skip(body, 0)
    begins = body[start : start + 1]
    if not begins:
        raise Malformed(EMPTY)
    if by_line:
        return Form.LINES
    if begins == b"[":
        return Form.ARRAY
    if begins != b"{":
        raise Malformed(
            "The body is neither a JSON array nor a JSON object. Send an array of events, or one event a line."
        )
    ends = body.find(b"\n", start)
    more = ends >= 0 and _skip(body, ends) < len(body)
    return Form.LINES if more and body[start:ends].rstrip(SPACE).endswith(b"}") else Form.OBJECT


def is_value(body: bytes) -> bool:
    """Whether the body is one value by its brackets and quotes. It may still be no JSON."""
    return _element().fullmatch(body.strip(SPACE)) is not None


def array(body: bytes) -> Iterator[tuple[int, list[bytes] | str]]:
    """The elements of a JSON array, in groups of about `SLICE` bytes and at most `EVENTS`, each with the index of its first.

    Raises Malformed where not even the first group can be made out. Where it is a later one, what is wrong comes in words at
    its index: what came before it is taken.
    """
    index = 0
    try:
        for group in _grouped(_elements(body)):
            yield index, group
            index += len(group)
    except Malformed as error:
        if not index:
            raise
        yield index, str(error)


def _elements(body: bytes) -> Iterator[bytes]:
    if len(body) > AT_ONCE or body.count(b",") > len(body) // DENSE:
        return walk(body)
    try:
        return map(bytes, msgspec.json.decode(body, type=list[msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return walk(body)
    except RecursionError:
        raise Malformed("The body is nested too deeply. Send it flat.") from None


def walk(body: bytes) -> Iterator[bytes]:
    """The elements of an array that may hold bad ones. Raises Malformed where no element can be made out."""
    at = _skip(body, 0)
    if body[at : at + 1] != b"[":
        raise Malformed(NOT_JSON.format(at=at, deepest=DEEPEST))
    at = _skip(body, at + 1)
    if body[at : at + 1] == b"]":
        return _ended(body, at)
    while True:
        found = _element().match(body, at, min(len(body), at + LONGEST))
        if found is None:
            raise Malformed(OPEN if at >= len(body) else NOT_JSON.format(at=at, deepest=DEEPEST))
        yield found.group()
        at = _skip(body, found.end())
        after = body[at : at + 1]
        if after == b"]":
            return _ended(body, at)
        if after != b",":
            raise Malformed(OPEN if at >= len(body) else NOT_JSON.format(at=at, deepest=DEEPEST))
        at = _skip(body, at + 1)


def _ended(body: bytes, bracket: int) -> None:
    """Raises Malformed where something follows: it would be lost, and nobody told."""
    at = _skip(body, bracket + 1)
    if at < len(body):
        raise Malformed(AFTER.format(at=at))


def lines(body: bytes) -> Iterator[bytes]:
    """NDJSON in pieces of whole lines, of about `SLICE` bytes."""
    at = 0
    while at < len(body):
        cut = body.find(b"\n", at + SLICE)
        end = len(body) if cut < 0 else cut + 1
        yield body[at:end]
        at = end


def split_lines(piece: bytes) -> Sequence[bytes]:
    """The lines that are not blank. Only a line feed ends a line: the others may stand within a text."""
    return [line for line in piece.split(b"\n") if line.strip(SPACE)]


def _grouped(parts: Iterator[bytes]) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    size = 0
    for part in parts:
        group.append(part)
        size += len(part)
        if size >= SLICE or len(group) >= EVENTS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _skip(body: bytes, at: int) -> int:
    found = GAP.match(body, at)
    return found.end() if found else at
