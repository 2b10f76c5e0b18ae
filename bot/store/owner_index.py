"""Owners by identifier, held in memory: 25 bytes an identifier, looked up by its keyed hash.

Decides the form: four arrays in the order of the hashes, searched by halving. A dictionary of the same would take about
300 bytes an identifier. Where the rows come from is `bot.store.knowledge`'s.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.detection.scan import Owner
from bot.incident.registered import DIGEST

PREFIX = 16
"""Hexadecimal digits of a digest that are compared, 64 bits: among a million, one look-up in 10^13 is wrong."""
SIGNED = 2**63
"""What a hash is less by in the database: the order stays the same."""
STRONG_UNLESS = frozenset({"name", "birth_date", "postcode"})
"""Kinds of which it takes two to tell a person (reference: domain.md §4.2)."""


def stored(digest: str) -> int:
    """The digest of an identifier as `OwnedIdentifier.hash`."""
    return int(digest[:PREFIX], 16) - SIGNED


class OwnerIndex(Mapping[str, tuple[Owner, ...]]):
    """`Knowledge.owners`. Rows are given once, in order, with `extend`; after that it does not change."""

    __slots__ = ("_hashes", "_kinds", "_owners", "_places")

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._owners = bytearray()
        self._kinds = bytearray()
        self._places: dict[str, int] = {}
        """The kinds, in the order in which they were met: a row holds the place of its own."""

    def extend(self, rows: Sequence[Sequence[Any]]) -> None:
        """`hash, owner, kind` as stored, each not below the one before. At most 256 different kinds."""
        for kind in {row[2] for row in rows}:
            self._places.setdefault(kind, len(self._places))
        self._hashes.extend([row[0] + SIGNED for row in rows])
        self._owners += b"".join([row[1] for row in rows])
        self._kinds += bytes([self._places[row[2]] for row in rows])

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._places)

    @property
    def size(self) -> int:
        """Bytes that the rows take."""
        return self._hashes.itemsize * len(self._hashes) + len(self._owners) + len(self._kinds)

    def __getitem__(self, digest: str) -> tuple[Owner, ...]:
        if found := self._find(digest):
            return found
        raise KeyError(digest)

    def get(self, digest: str, default: Any = None, /) -> Any:
        """Without an exception: most of what is looked up is nobody's."""
        return self._find(digest) or default

    def _find(self, digest: str) -> tuple[Owner, ...]:
        hashes, hashed = self._hashes, int(digest[:PREFIX], 16)
        place = start = bisect_left(hashes, hashed)
        while place < len(hashes) and hashes[place] == hashed:
            place += 1
        return tuple(map(self._at, range(start, place)))

    def _at(self, place: int) -> Owner:
        kind = tuple(self._places)[self._kinds[place]]
        owner = self._owners[place * DIGEST : (place + 1) * DIGEST].hex()
        return Owner(owner, kind not in STRONG_UNLESS, kind)

    def __iter__(self) -> Iterator[str]:
        """Each hash once, as far as it is held: by its PREFIX."""
        before = -1
        for hashed in self._hashes:
            if hashed != before:
                yield f"{hashed:0{PREFIX}x}"
            before = hashed

    def __len__(self) -> int:
        """Of identifiers; one with several owners counts once for each."""
        return len(self._hashes)

    def __repr__(self) -> str:
        return f"OwnerIndex({len(self)} identifiers)"
