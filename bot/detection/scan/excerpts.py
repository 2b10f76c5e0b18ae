"""A line around a find, in which everything that was found is replaced by its kind.

Decides what of a text may be shown: at most 200 characters, no secret, no identifier, no invisible or control character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from bot.detection.event import MarkKind
from bot.detection.scan.candidates import IBANS, NUMBERS, candidates, without_uuids
from bot.detection.scan.emails import emails
from bot.detection.scan.found import Found
from bot.detection.scan.identifiers import IdentifierKind
from bot.detection.scan.normal import UNSHOWABLE

LONGEST = 200
AROUND = 60
SHORTEST = 4
"""Characters of a secret that is taken out wherever it stands again; a shorter one stands in innocent words."""
MOST = 100
PRIVATE = frozenset(IdentifierKind) - {IdentifierKind.NAME, IdentifierKind.BIRTH_DATE}
DIGIT = re.compile("[0-9]")
ANYWHERE = {NUMBERS: (0,), IBANS: (0,)}


class Redacted:
    """The finds of one text, merged: what overlaps is one."""

    def __init__(self, text: str, found: Iterable[Found]) -> None:
        hidden = [each for each in found if each.kind is not MarkKind.PROBE and each.end > each.start]
        self._text = text
        self._secrets = {each.secret for each in islice(hidden, MOST) if len(each.secret) >= SHORTEST}
        self._spans: list[tuple[int, int, str]] = []
        for start, end, kind in sorted((each.start, each.end, each.kind.value) for each in hidden):
            if self._spans and start < self._spans[-1][1]:
                before = self._spans[-1]
                self._spans[-1] = (before[0], max(before[1], end), before[2])
            else:
                self._spans.append((start, end, kind))

    def around(self, start: int, end: int) -> str:
        """What stands before and after a find on its line, and the find as `[secret]`, `[canary]` …"""
        line = UNSHOWABLE.sub(" ", "".join(self._parts(*self._window(start, end))))
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        line = _private(line).strip()
        return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"

    def _window(self, start: int, end: int) -> tuple[int, int]:
        """Whole words only: the half of a token would be taken for an innocent word."""
        text, begin, stop = self._text, max(0, start - AROUND), min(len(self._text), end + AROUND)
        before, after = text[begin:start], text[end:stop]
        if begin:
            before = before[len(before) - len(before.lstrip()) :] if before[:1].isspace() else before.partition(" ")[2]
        if stop < len(text) and not text[stop].isspace():
            after = after.rpartition(" ")[0]
        return start - len(before.rpartition("\n")[2]), end + len(after.partition("\n")[0])

    def _parts(self, begin: int, stop: int) -> Sequence[str]:
        parts, done = [], begin
        for start, end, kind in self._spans:
            if end <= begin or start >= stop:
                continue
            parts += [self._text[done : max(done, start)], f"[{kind}]"]
            done = end
        return [*parts, self._text[done:stop]] if done < stop else parts


def _private(line: str) -> str:
    """Without addresses and numbers of anybody, whether or not they have an owner."""
    if "@" not in line and DIGIT.search(line) is None:
        return line
    done, parts = 0, []
    private = emails(line) + candidates(without_uuids(line), ANYWHERE, PRIVATE)
    for start, end in sorted((at, end) for _, normal, at, end in private if normal):
        if end > done:
            parts += [line[done : max(done, start)], "" if start < done else "[identifier]"]
            done = end
    return "".join(parts) + line[done:]
