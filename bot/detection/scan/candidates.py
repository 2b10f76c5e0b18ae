"""Where identifiers may stand in a text: by shape and check digit, without knowing whose they are.

Decides which places of a text are looked up. Only the kinds that the owner index holds are looked for at all.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from bot.detection.scan import identifiers
from bot.detection.scan.checks import FIRST_GROUP, UUID
from bot.detection.scan.digests import NUMBER, NUMERIC
from bot.detection.scan.found import MOST, Candidate
from bot.detection.scan.identifiers import ACCOUNT_DIGITS, IdentifierKind, called
from bot.detection.scan.matchers import Ends, Needle, runs

BIRTH_DATE = IdentifierKind.BIRTH_DATE
DATE_GROUPS = 3
"""Day, month and year."""
MOST_DIGITS = 20
BEFORE = ("-", " ")
MOST_GROUPS = 6
"""A number is written in at most so many groups: “4111 1111 1111 1111”, “+49 30 123 45 67”."""
GAPS = " .()/-"
GAP = f"[{GAPS}]"
NUMBER_CHARACTERS = string.digits + GAPS
RUN = rf"\d(?:{GAP}{{0,2}}\d){{5,}}(?:{GAP}{{0,2}}[^0-9 .()/-]|{GAP}{{3}}|{GAP}{{0,2}}$)"
DIGITS = re.compile(rf"\d(?:{GAP}{{0,2}}\d){{5,}}", re.ASCII)
GROUP = re.compile(r"\d+", re.ASCII)
LETTERS = re.compile(r"([A-Za-z]{1,6})[- ]?$")
IBAN_START = re.compile(r"\d(?:(?<=^[A-Za-z]{2}\d)|(?<=[^A-Za-z0-9][A-Za-z]{2}\d))\d", re.ASCII)
"""Its check digits, before which its country stands: text has few digits, which `re` finds quickly."""
COUNTRY = 2
IBAN_WHOLE = re.compile(r"[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]){11,30}", re.ASCII)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = "(?i:" + "|".join(MONTHS) + r")[a-zA-Z]{0,6}"
YEAR = r"(?:19|20)\d\d"
"""Of birth. What is looked for of a date in words: prose has few digits, and months begin as other words do."""
WRITTEN = rf"(?:{MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,? {YEAR}|\d{{1,2}}(?:st|nd|rd|th|\.)? {MONTH}\.?,? {YEAR})"
DATE = re.compile(r"(?<!\d)(?:(\d{4})-(\d\d)-(\d\d)|(\d{1,2})([./-])(\d{1,2})\5(\d{4}))(?!\d)", re.ASCII)
WRITTEN_DATE = re.compile(rf"{WRITTEN}(?!\d)", re.ASCII)
CAPITALISED = r"[^\W\d_a-zß-öø-ÿ][\w'’-]{1,30}"
NAME = re.compile(rf"(?<!\w){CAPITALISED}(?: {CAPITALISED}){{1,5}}")

DIGITS_BACKWARDS = r"(?:\d(?:[ -]?\d){11}|\d{6}-?[A-Za-z]|[A-Za-z0-9] ?\d\d[A-Za-z]{2}(?:[^A-Za-z0-9]|$))"

NEEDLES = (
    Needle(RUN, every=True),
    Needle(r"[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]){11}"),
    Needle(rf"{YEAR}(?:[^0-9]|$)"),
    Needle(DIGITS_BACKWARDS),
)
NUMBERS, IBANS, YEARS, BACKWARDS = range(4)
ANNOUNCED = frozenset(range(len(NEEDLES)))
DATE_NEEDLES = (Needle(WRITTEN, MONTHS),)
"""Looked for where `YEARS` are."""


def candidates(text: str, hits: Ends, kinds: frozenset[str]) -> list[Candidate]:
    """Of a text `without_uuids`. `hits`: of `NEEDLES`, by number. No further ones are looked at when there are more than
    `MOST`."""
    found: list[Candidate] = []
    if NUMBERS in hits:
        _numbers(text, hits[NUMBERS], kinds, found)
    if IBANS in hits and IdentifierKind.IBAN in kinds:
        found += islice(_ibans(text), MOST)
    if IdentifierKind.NAME in kinds:
        found += islice(_names(text), MOST)
    return found


def without_uuids(text: str) -> str:
    """Their digits are nobody's number. Hyphens take their place, all else stays: where an engine told that a number ends within
    one, `runs` finds the number before it."""
    if "-" not in text:
        return text
    parts: list[str] = []
    done = 0
    for uuid in UUID.finditer(text):
        start, end = uuid.start() - FIRST_GROUP, uuid.end()
        parts += (text[done:start], "-" * (end - start))
        done = end
    return "".join(parts) + text[done:] if parts else text


def last_digit(text: str) -> int:
    """Where it stands; -1 where none does."""
    return max(map(text.rfind, string.digits))


def _numbers(text: str, ends: Sequence[int], kinds: frozenset[str], found: list[Candidate]) -> None:
    """Each run of digits and of what may stand between them; most are one number of one group, and need no pattern."""
    numbers, dates = not kinds.isdisjoint(NUMERIC), BIRTH_DATE in kinds
    for start, end in runs(text, ends, NUMBER_CHARACTERS, DIGITS):
        if len(found) > MOST:
            return
        before = text[start:end].rstrip(GAPS)
        number = before.lstrip(GAPS)
        if number.isdigit():
            if numbers:
                end = start + len(before)
                _number(text, [(end - len(number), end)], found)
            continue
        for run in DIGITS.finditer(text, start, end):
            groups = [group.span() for group in GROUP.finditer(text, *run.span())]
            if numbers:
                _number(text, groups, found)
            if dates and len(groups) >= DATE_GROUPS:
                found += _dates(text, groups[0][0], groups[-1][1])


def _number(text: str, groups: Sequence[tuple[int, int]], found: list[Candidate]) -> None:
    """Every few groups in a row may be the number: “12 4111 1111 1111 1111” holds a card."""
    last = groups[-1][1]
    for first, (start, _) in enumerate(groups):
        if last - start < ACCOUNT_DIGITS:
            break
        glued, letters = text[start - 1 : start].isalpha(), _letters(text, start)
        digits = ""
        for begin, end in groups[first : first + MOST_GROUPS]:
            digits += text[begin:end]
            if len(digits) < ACCOUNT_DIGITS or text[end : end + 1].isalnum():
                continue
            if len(digits) > MOST_DIGITS:
                break
            if letters:
                found.append((NUMBER, letters[1].upper() + digits, letters.start(), end))
            if not glued:
                found.append((NUMBER, digits, start, end))
                if (number := called(digits)) != digits:
                    found.append((NUMBER, number, start, end))


def _letters(text: str, start: int) -> re.Match[str] | None:
    """What of an account's letters stands before its digits. Mostly nothing, which is told without the pattern."""
    near = text[start - 1 : start]
    if near in BEFORE:
        near = text[start - 2 : start - 1]
    return LETTERS.search(text, max(0, start - 7), start) if near.isalpha() else None


def _ibans(text: str) -> Iterator[Candidate]:
    """What follows an IBAN may look like more of it: its country says how long it is."""
    return chain.from_iterable(iban_at(text, match.start() - COUNTRY) for match in IBAN_START.finditer(text))


def iban_at(text: str, start: int) -> Iterator[Candidate]:
    size = identifiers.IBAN_LENGTHS.get(text[start : start + 2].upper(), 0)
    whole = IBAN_WHOLE.match(text, start) if size else None
    places = [at for at, char in enumerate(whole[0]) if char != " " and char != "-"] if whole else []
    if whole and len(places) >= size:
        end = places[size - 1] + 1
        yield IdentifierKind.IBAN, identifiers.iban(whole[0][:end]), start, start + end


def _dates(text: str, start: int, end: int) -> Iterator[Candidate]:
    number = text[start:end]
    if "-" not in number and "." not in number and "/" not in number:
        return
    for match in DATE.finditer(text, start, end):
        year, month, day, first, _, second, last = match.groups()
        spelled = {(year, month, day)} if year else {(last, second, first), (last, first, second)}
        yield from _days(spelled, match)


def written_dates(text: str) -> Iterator[Candidate]:
    for match in WRITTEN_DATE.finditer(text):
        digits = GROUP.findall(match[0])
        letters = re.search(MONTH, match[0])
        if letters and len(digits) == 2:
            yield from _days({(digits[1], str(MONTHS.index(letters[0][:3].lower()) + 1), digits[0])}, match)


def _days(spelled: set[tuple[str, str, str]], match: re.Match[str]) -> Iterator[Candidate]:
    """Day and month may be the other way round: both are looked up."""
    for year, month, day in sorted(spelled):
        normal = identifiers.birth_date(f"{year}-{int(month):02}-{int(day):02}")
        if normal:
            yield BIRTH_DATE, normal, match.start(), match.end()


def _names(text: str) -> Iterator[Candidate]:
    """Two or three capitalised words in a row; any of them, because a sentence too begins with a capital."""
    for match in NAME.finditer(text):
        words = [(word.start(), word.end()) for word in re.finditer(r"\S+", match[0])]
        for first in range(len(words)):
            for last in range(first + 1, min(first + 3, len(words))):
                start, end = words[first][0], words[last][1]
                normal = identifiers.folded(match[0][start:end].removesuffix("'s").removesuffix("’s"))
                yield IdentifierKind.NAME, normal, match.start() + start, match.start() + end
