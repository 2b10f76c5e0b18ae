"""What a scanner is told to look for beside its own patterns. Handed in; where it is kept, and how sealed, is the store's.

Decides the shapes. Canaries are here in the clear, because they have to be found in hidden forms too, and the anchors of
prompts, because most texts are passed over by looking for those. They live in memory only, and no mark or repr ever holds one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from bot.detection.rule import Own
from bot.detection.scan.normal import normal

SHORTEST = 8
"""Characters of a canary in normal form. A shorter one would stand in innocent texts."""


class Canary(NamedTuple):
    """A made-up value that no honest answer holds."""

    name: str
    kind: str
    """`credential`, `system_prompt`, `document` or `tool`; empty where it was registered without a kind."""
    value: str

    def __repr__(self) -> str:
        return f"Canary({self.name!r}, {self.kind!r})"


class Prompt(NamedTuple):
    """A system prompt as keyed hashes and anchors: `shingles_of` makes them."""

    name: str
    app: str | None
    """Looked for in this application's texts only; `None`: in all."""
    shingles: tuple[str, ...]
    """In the prompt's order; empty where a shingle also stands in a public text."""
    words: frozenset[str]
    anchors: tuple[str, ...] = ()
    """In the clear. Empty where none were kept: every text is then divided into words and looked at."""

    def __repr__(self) -> str:
        return f"Prompt({self.name!r}, {self.app!r})"


class Owner(NamedTuple):
    owner: str
    """`owner_digest` of the user id."""
    strong: bool
    """One is enough to tell somebody's data: an e-mail address, an account number. Weak: a name, a date of birth."""
    name: str
    """The kind of identifier, as a mark names it."""


class Shape(NamedTuple):
    """An identifier of the organisation's own form, for example customer numbers: `KD-[0-9]{6}`."""

    kind: str
    pattern: str


@dataclass(frozen=True)
class Knowledge:
    """Raises ValueError for a canary that is too short to be told from innocent text."""

    canaries: tuple[Canary, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    owners: Mapping[str, tuple[Owner, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """`identifier_digest` → whose it is. More than one: a shared record."""
    kinds: frozenset[str] = frozenset()
    """The kinds of identifier that `owners` holds; others are not looked for."""
    shapes: tuple[Shape, ...] = ()
    own: tuple[Own, ...] = ()
    """Patterns from the rules: `own_patterns`."""
    fleets: bool = False
    """Every input gets a fingerprint, not only those that a guardrail held back: `counts_any_input`."""

    def __post_init__(self) -> None:
        for canary in self.canaries:
            if len(normal(canary.value)) < SHORTEST:
                raise ValueError(f"The canary “{canary.name}” is too short: at least {SHORTEST} characters.")
