"""Other people's data in a text: what looks like an identifier is looked up, and marked where somebody owns it.

Decides whose an identifier is. Without an owner there is no mark: a text is full of numbers and names that mean nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.detection.event import MarkKind
from bot.detection.scan.backwards import backwards
from bot.detection.scan.candidates import (
    ANNOUNCED,
    BACKWARDS,
    BIRTH_DATE,
    DATE_NEEDLES,
    YEARS,
    candidates,
    last_digit,
    without_uuids,
    written_dates,
)
from bot.detection.scan.digests import Hashed
from bot.detection.scan.emails import emails, emails_backwards
from bot.detection.scan.found import MOST, PLAIN, Candidate, Found
from bot.detection.scan.identifiers import IdentifierKind, folded
from bot.detection.scan.knowledge import Knowledge, Owner
from bot.detection.scan.matchers import Ends, engine
from bot.detection.scan.normal import visible
from bot.detection.scan.own import compile_pattern

MOST_OWNERS = 5
"""Of one identifier that are marked. What belongs to more people tells nothing of any."""
WEAK = frozenset({IdentifierKind.NAME, IdentifierKind.BIRTH_DATE})


class People:
    def __init__(self, knowledge: Knowledge, hashed: Hashed, *, fast: bool) -> None:
        self._owners, self._kinds, self._hashed = knowledge.owners, knowledge.kinds, hashed
        self._shapes = [
            (shape.kind, compile_pattern(shape.pattern, fast=fast))
            for shape in knowledge.shapes
            if shape.kind in self._kinds
        ]
        self._dates = engine(fast=fast).patterns(DATE_NEEDLES).hits
        self.everywhere = bool(self._shapes) or IdentifierKind.NAME in self._kinds
        """Something is looked for that neither a hit nor an @ announces."""
        self.cut_short = 0
        """Texts with more identifiers than are looked up."""

    def find(self, text: str, hits: Ends, requester: str, *, hidden: bool = False) -> list[Found]:
        """`hits`: of `candidates.NEEDLES`, by number, and of others after them. `requester`: keyed hash of who asked. `hidden`:
        without names and dates."""
        if not self._kinds or not (self.everywhere or "@" in text or not ANNOUNCED.isdisjoint(hits)):
            return []
        bare = without_uuids(text)
        if bare is not text and last_digit(bare) < 0:
            hits = {}
        mail = "@" in text and IdentifierKind.EMAIL in self._kinds
        told = emails(text) if mail else []
        if hidden:
            told += self._candidates(text, bare, hits, self._kinds - WEAK)
            return [each for each in self._owned(told, requester) if each.grade == "strong"]
        cut = self.cut_short
        found = self._owned(told + self._candidates(text, bare, hits, self._kinds), requester)
        if (mail or BACKWARDS in hits) and cut == self.cut_short:
            told = emails_backwards(text) if mail else []
            found += self._owned(told + backwards(bare, hits, self._kinds), requester, "reversed")
        return found

    def _owned(self, candidates: Sequence[Candidate], requester: str, how: str = PLAIN) -> list[Found]:
        """Those that somebody owns."""
        owned: list[Found] = []
        if len(candidates) > MOST:
            self.cut_short += 1
        for candidate in candidates[:MOST]:
            kind, normal, _, _ = candidate
            digest = self._hashed(f"{kind}\0{normal}") if normal else ""
            owners = self._owners.get(digest)
            if owners:
                owned += _marked(candidate, digest, owners, requester, how)
        return owned

    def _candidates(self, text: str, bare: str, hits: Ends, kinds: frozenset[str]) -> list[Candidate]:
        found = candidates(bare, hits, kinds)
        if YEARS in hits and BIRTH_DATE in kinds and self._dates(text.encode()):
            found += written_dates(text)
        for kind, shape in self._shapes:
            found += ((kind, folded(visible(text[start:end])), start, end) for start, end in shape.spans(text))
        return found


def _marked(candidate: Candidate, digest: str, owners: Sequence[Owner], requester: str, how: str) -> Iterator[Found]:
    """The requester's own mark where it is theirs too; otherwise one for each of its owners, because weak ones count together."""
    kind, normal, start, end = candidate
    number = kind != IdentifierKind.BIRTH_DATE and normal[-4:].isdigit()
    mine = next((owner for owner in owners if owner.owner == requester), None)
    excluded = "" if mine is None else "own_data" if len(owners) == 1 else "shared_record"
    for owner in owners[:MOST_OWNERS] if mine is None else (mine,):
        yield Found(
            MarkKind.IDENTIFIER,
            owner.name,
            start,
            end,
            identity=digest,
            secret=normal if number else "",
            grade="strong" if owner.strong else "weak",
            how=how,
            owner=owner.owner,
            excluded=excluded,
        )
