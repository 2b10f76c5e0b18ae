"""What is known of one issuer's credentials: their form, their check, and who says so.

A pattern is written in what `re` and hyperscan both know: no look-around, no possessive quantifier. Every quantifier has an
upper bound, so that no text makes it slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Issuer(NamedTuple):
    name: str
    pattern: str
    """The group `id`, if there is one, is hashed: the part that is complete before a stream has shown the rest. The group
    `value`, if there is one, is the secret itself; otherwise all of it is."""
    keywords: tuple[str, ...]
    """One of these stands in every match, in lower case."""
    source: str
    weak: bool = False
    """A signal only: marked `generic_pattern`."""
    entropy: float = 0.0
    """Bits a character that the secret must have at least."""
    check: Callable[[str], bool] | None = None
    """What fails it is not what it looks like, and is marked `generic_pattern`."""
    before: str = r"(?<![A-Za-z0-9])"
    after: str = r"(?![A-Za-z0-9])"


def plain(name: str, pattern: str, source: str, entropy: float = 3.0) -> Issuer:
    """One whose pattern begins with its keyword, up to the first special character."""
    end = next((at for at, char in enumerate(pattern) if char in "[(\\?"), len(pattern))
    return Issuer(name, pattern, (pattern[:end].lower(),), source, entropy=entropy, after=r"(?![A-Za-z0-9_-])")
