"""Credentials in a text: the issuers' patterns, each match checked, graded and named.

Decides whether a match is a secret that counts (`validated_pattern`), a signal only (`generic_pattern`) or nobody's secret
(`placeholder`). Leaves to `issuers` how credentials look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.detection.event import MarkKind
from bot.detection.scan.checks import documented, entropy, placeholder
from bot.detection.scan.found import Found
from bot.detection.scan.issuers import ISSUERS, Issuer
from bot.detection.scan.matchers import Ends, Needle

VALIDATED, GENERIC, PLACEHOLDER = "validated_pattern", "generic_pattern", "placeholder"
COMMON = frozenset({
    "password", "passwd", "pass", "pwd", "pw", "secret", "user", "username", "root", "admin", "postgres", "mysql", "guest",
    "test", "mysecretpassword", "changeit", "tiger", "hunter2",
})  # fmt: skip
"""Passwords that every tutorial uses."""
OPEN_END = re.compile(r"\{0,\d+\}$")
HEAD = re.compile(r"(?:[A-Za-z0-9_-](?![?*+{]))*")
NEEDLES = tuple(Needle(issuer.pattern, issuer.keywords) for issuer in ISSUERS)


class Credentials:
    def __init__(self) -> None:
        self._patterns = [_compiled(issuer) for issuer in ISSUERS]

    def without(self, line: str, hits: Ends, first: int) -> str:
        """A line that is to be shown, without what looks like a credential: also where it is glued to something. `hits`: as for
        `find`."""
        for number in _mine(hits, first):
            pattern = re.compile(ISSUERS[number].pattern, re.ASCII)
            group = "value" if "value" in pattern.groupindex else 0
            for match in reversed(list(pattern.finditer(line))):
                line = f"{line[: match.start(group)]}[secret]{line[match.end(group) :]}"
        return line

    def find(self, text: str, hits: Ends, first: int) -> Iterator[Found]:
        """`hits`: by the number of the needle, of which `NEEDLES` begin at `first`; others are somebody else's. A weak find that
        overlaps a better one is left out."""
        taken: list[tuple[int, int]] = []
        for number in _mine(hits, first):
            issuer = ISSUERS[number]
            for match in self._patterns[number].finditer(text):
                found = _judged(issuer, match)
                if found is None or (found.grade != VALIDATED and _overlaps(found, taken)):
                    continue
                taken.append((found.start, found.end))
                yield found


def _mine(hits: Ends, first: int) -> list[int]:
    return sorted(number - first for number in hits if first <= number < first + len(NEEDLES))


def _compiled(issuer: Issuer) -> re.Pattern[str]:
    """What a pattern ends in is taken whole: giving back a character of it would only meet `after`. Its first letters are looked
    for before what may not stand ahead of them: so `re` passes a text over ten times as fast."""
    head = HEAD.match(issuer.pattern)[0]  # type: ignore[index]  # matches the empty head, too
    ahead = issuer.before.replace(")", f"{head})")
    whole = OPEN_END.sub(r"\g<0>+", issuer.pattern)[len(head) :]
    return re.compile(f"{head}{ahead}{whole}{issuer.after}", re.ASCII)


def _overlaps(found: Found, taken: list[tuple[int, int]]) -> bool:
    return any(start < found.end and found.start < end for start, end in taken[-64:])


def _judged(issuer: Issuer, match: re.Match[str]) -> Found | None:
    groups = match.re.groupindex
    group = "value" if "value" in groups else 0
    secret = match[group]
    identity = match["id"] if "id" in groups else secret
    excluded, grade = "", VALIDATED
    if documented(secret):
        excluded, grade = "documentation_example", PLACEHOLDER
    elif _nobodys(issuer, secret):
        grade = PLACEHOLDER
    elif entropy(secret) < issuer.entropy:
        return None
    elif issuer.weak or (issuer.check is not None and not issuer.check(secret)):
        grade = GENERIC
    start, end = match.span(group)
    return Found(MarkKind.SECRET, issuer.name, start, end, identity, secret, grade, excluded=excluded)


def _nobodys(issuer: Issuer, secret: str) -> bool:
    """What its issuer's checksum confirms was made by the issuer, whatever letters it happens to hold."""
    if issuer.check is not None and issuer.check(secret):
        return False
    return placeholder(secret) or secret.lower() in COMMON
