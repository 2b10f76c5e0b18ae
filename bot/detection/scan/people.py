"""Other people's data in a text: what looks like an identifier is looked up, and marked where somebody owns it.

Decides whose an identifier is. Without an owner there is no mark: a text is full of numbers and names that mean nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.detection.event import MarkKind
from bot.detection.scan.candidates import Candidate, candidates
from bot.detection.scan.digests import Hashed
from bot.detection.scan.found import Found
from bot.detection.scan.identifiers import IdentifierKind, folded
from bot.detection.scan.knowledge import Knowledge, Owner
from bot.detection.scan.matchers import Ends
from bot.detection.scan.normal import visible
from bot.detection.scan.own import compile_pattern

MOST = 10_000
"""Identifiers of one text that are looked up, a hundredth of a second's work."""


class People:
    def __init__(self, knowledge: Knowledge, hashed: Hashed, *, fast: bool) -> None:
        self._owners, self._kinds, self._hashed = knowledge.owners, knowledge.kinds, hashed
        self._shapes = [
            (shape.kind, compile_pattern(shape.pattern, fast=fast))
            for shape in knowledge.shapes
            if shape.kind in self._kinds
        ]
        self._everywhere = bool(self._shapes) or IdentifierKind.NAME in self._kinds
        """Something is looked for that no hit announces."""
        self.cut_short = 0
        """Texts with more identifiers than are looked up."""

    def find(self, text: str, hits: Ends, requester: str) -> list[Found]:
        """`hits`: of `candidates.NEEDLES`, by number. `requester`: keyed hash of who asked."""
        found: list[Found] = []
        if not self._kinds or not (hits or self._everywhere or "@" in text):
            return found
        for number, candidate in enumerate(self._candidates(text, hits)):
            if number == MOST:
                self.cut_short += 1
                break
            kind, normal, _, _ = candidate
            digest = self._hashed(f"{kind}\0{normal}") if normal else ""
            owners = self._owners.get(digest)
            if owners:
                found.append(_marked(candidate, digest, owners, requester))
        return found

    def _candidates(self, text: str, hits: Ends) -> Iterator[Candidate]:
        yield from candidates(text, hits, self._kinds)
        for kind, shape in self._shapes:
            for start, end in shape.spans(text):
                yield kind, folded(visible(text[start:end])), start, end


def _marked(candidate: Candidate, digest: str, owners: Sequence[Owner], requester: str) -> Found:
    kind, normal, start, end = candidate
    number = kind != IdentifierKind.BIRTH_DATE and normal[-4:].isdigit()
    mine = next((owner for owner in owners if owner.owner == requester), None)
    owner = mine or owners[0]
    excluded = "" if mine is None else "own_data" if len(owners) == 1 else "shared_record"
    return Found(
        MarkKind.IDENTIFIER,
        owner.name,
        start,
        end,
        identity=digest,
        secret=normal if number else "",
        grade="strong" if owner.strong else "weak",
        owner=owner.owner,
        excluded=excluded,
    )
