"""Where identifiers may stand in a text written from their end.

Decides what is read so: what holds an @, a long number, digits with letters after them, and what ends as an IBAN begins. A
number of few digits is read forwards only: backwards, every order's number would be somebody's.
"""

from __future__ import annotations

import re

from bot.detection.scan.candidates import BACKWARDS, iban_at, last_digit
from bot.detection.scan.digests import NUMBER, NUMERIC
from bot.detection.scan.found import MOST, Candidate, turned
from bot.detection.scan.identifiers import IdentifierKind, called
from bot.detection.scan.matchers import Ends

LONGEST_TOLD = 32
"""Characters, more than the needle takes to where it announces the first: `re` begins there."""
AFTER_DIGIT = 9
"""Characters of which the last digit of what is announced is one: a hyphen, six letters, and what they are followed by."""
SHORTEST_IBAN, LONGEST_IBAN = 15, 50
"""Characters, with its spaces. With hyphens it is not read backwards: parts of a UUID would be."""
IBAN = r"(?:(?<=[A-Za-z0-9]\d)|(?<=[A-Za-z0-9] \d))\d[A-Za-z]{2}(?![A-Za-z0-9])"
LETTERED = r"(?<![A-Za-z0-9-]\d)\d{5,19}-?[A-Za-z]{1,6}(?![A-Za-z0-9])"
LONG = r"(?<![A-Za-z0-9-]\d)(?:[ -]?\d){11,19}(?![0-9A-Za-z-])"
TOLD = re.compile(rf"\d(?:{IBAN}|(?P<lettered>{LETTERED})|(?P<number>{LONG}))", re.ASCII)
"""What the needle announces, from its first digit on: that is what `re` finds quickly. A number has at least twelve digits:
of a hundred thousand owners', one in ten million is another one's by chance."""


def backwards(text: str, hits: Ends, kinds: frozenset[str]) -> list[Candidate]:
    """Of a text `without_uuids`. `hits`: of `candidates.NEEDLES`, by number. Start and end are those in the text as it stands."""
    found: list[Candidate] = []
    if BACKWARDS not in hits:
        return found
    numbers, ibans = not kinds.isdisjoint(NUMERIC), IdentifierKind.IBAN in kinds
    first = hits[BACKWARDS][0] - LONGEST_TOLD if text.isascii() else 0
    for told in TOLD.finditer(text, max(0, first), last_digit(text) + AFTER_DIGIT):
        if len(found) > MOST:
            break
        start, end = told.span()
        if numbers and (told["number"] or told["lettered"]):
            number = told[0].replace("-", "").replace(" ", "")[::-1].upper()
            found.append((NUMBER, called(number) if told["number"] else number, start, end))
        if ibans and not told["number"] and "-" not in text[end - SHORTEST_IBAN : end]:
            found += turned(iban_at(text[max(0, end - LONGEST_IBAN) : end][::-1], 0), end)
    return found
