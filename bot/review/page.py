"""A document as values: sections of text, facts, lists and tables, before it is Markdown, HTML or JSON.

Decides that every piece of text is plain: no form's marks are in it, so that each form escapes all of it, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | None
"""None is what nobody provided."""


@dataclass(frozen=True)
class Text:
    """A paragraph; its line breaks are kept."""

    text: Cell


@dataclass(frozen=True)
class Facts:
    """Names with a value each."""

    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Points:
    """A list; without any point it is what nobody provided."""

    points: Sequence[str]


@dataclass(frozen=True)
class Table:
    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str = ""
    """What is said where there is no row. Empty: nobody provided it."""


@dataclass(frozen=True)
class Heading:
    """Of a part of a section."""

    text: str


Part = Text | Facts | Points | Table | Heading


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    hint: str = ""
    parts: Sequence[Part] = field(default_factory=tuple)


@dataclass(frozen=True)
class Page:
    title: str
    label: str
    """How far it may travel: `TLP:AMBER`."""
    remark: str
    """What it is, and up to which moment it knows."""
    sections: Sequence[Section]
    blank: str
    """Stands where nothing was provided (`playbooks/review.yaml`)."""
