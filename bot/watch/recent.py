"""Which events were there before: the ids of the latest ones, of bounded size.

Decides how many are remembered and in which form. What is an event's id is `states`'.
"""

from __future__ import annotations


class Recent:
    """Two generations of 64-bit hashes: when the younger is full, the older is forgotten.

    The hash is Python's own, keyed anew in each process: nobody can make an event that passes for another one's
    redelivery. So it is not kept over a restart; the log tells the ids again. About 75 bytes an id.
    """

    def __init__(self, most: int) -> None:
        """At least half of `most` ids are remembered, and never more than `most`."""
        self._half = max(1, most // 2)
        self._young: set[int] = set()
        self._old: set[int] = set()

    def add(self, identity: tuple[str, str]) -> bool:
        """Remember it. False where it was there before."""
        known = hash(identity)
        if known in self._young or known in self._old:
            return False
        self._young.add(known)
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        return True

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
