"""What is wrong with a playbook, said so that the person who edits YAML can mend it.

Decides the shape of a problem (file, line, what, fix) and of the one error that carries them all.
Leaves to `load` and `check` what counts as a problem.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from bot.incident.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable


class Problem(NamedTuple):
    """One mistake in one place. `file` is relative to the playbook's folder, `line` counts from 1."""

    file: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} → {self.fix}"


class PlaybookError(Misconfigured):
    """The playbook is refused; nothing of it was loaded. `problems` is sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__(str(self))

    def __str__(self) -> str:
        count = len(self.problems)
        head = f"The playbook has {count} problem{'' if count == 1 else 's'}; it was not loaded."
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def did_you_mean(word: object, known: Iterable[str], otherwise: str) -> str:
    """The fix for a mistyped word: the nearest known one, or the known ones listed, or `otherwise` where there are none."""
    words = sorted({str(item) for item in known})
    close = get_close_matches(str(word), words, n=1, cutoff=0.6)
    if close:
        return f"did you mean “{close[0]}”?"
    if words:
        shown = ", ".join(words[:12]) + (" …" if len(words) > 12 else "")
        return f"use one of: {shown}"
    return otherwise
