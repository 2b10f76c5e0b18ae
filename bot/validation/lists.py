"""Lists as files: payloads, indicators, innocent requests and recorded answers, one item a line. Bytes in, values out.

Decides how a line becomes an item, and that one which cannot be used is refused: what is left out would not be tried, and
nobody would know. Other formats of payloads are `imports`'.
"""

from __future__ import annotations

from bot.incident.errors import Invalid
from bot.validation.imports import read
from bot.validation.imports.decode import Unreadable, decode
from bot.validation.pack import Indicator, IndicatorKind, Origin, Payload, parse_indicator

NAMED = 5
"""Problems that are told one by one."""


def lines(file: str, raw: bytes) -> tuple[str, ...]:
    """Every line that is not blank, once. Raises Invalid for what is no text."""
    try:
        text = decode(raw)
    except Unreadable as error:
        raise Invalid(f"{file}: {error}") from None
    return tuple(dict.fromkeys(line.removesuffix("\r") for line in text.split("\n") if line.strip()))


def payloads(file: str, raw: bytes) -> tuple[Payload, ...]:
    """Of any format that can be imported. They count as the incident's own unless the file says what they are.

    Raises Invalid where any of it cannot be used; an empty file holds none.
    """
    if not raw.strip():
        return ()
    found = read(file, raw, Origin.ORIGINAL if not raw.lstrip().startswith(b"{") else None)
    if found.problems:
        more = f"\n{len(found.problems) - NAMED} more." if len(found.problems) > NAMED else ""
        raise Invalid("\n".join(map(str, found.problems[:NAMED])) + more)
    return found.payloads


def indicators(file: str, raw: bytes) -> tuple[Indicator, ...]:
    """`KIND:VALUE`, or the value alone for a literal. Raises Invalid naming the line's kind of mistake."""
    return tuple(_indicator(line.strip()) for line in lines(file, raw))


def _indicator(line: str) -> Indicator:
    kind, colon, value = line.partition(":")
    if colon and kind in set(IndicatorKind):
        return parse_indicator(IndicatorKind(kind), value.strip())
    return parse_indicator(IndicatorKind.LITERAL, line)
