"""Characters that show nothing are named: `⟨U+202E⟩`. Pure.

Decides which these are. Escaping for a form (mrkdwn, Markdown, HTML) is the room's that writes it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby

SAFE_MARKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Characters of visible categories that show nothing."""


def visible(text: str, *, lines: bool = False) -> str:
    """Control, format and other characters that show nothing are named: `⟨U+202E⟩`. Runs of one are counted."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = text if lines else text.replace("\n", " ")
    return text if text.isascii() and text.isprintable() else "".join(_named(text))  # most text, at a tenth of the cost


def _named(text: str) -> Iterator[str]:
    before = ""
    for character, run in groupby(text):
        count = sum(1 for _ in run)
        if _shows(character, before):
            yield character * count
        else:
            yield f"⟨U+{ord(character):04X}{f' ×{count}' if count > 1 else ''}⟩"
        before = character


def _shows(character: str, before: str) -> bool:
    if character == "\n" or character.isascii():
        return character == "\n" or character.isprintable()
    if character == "\ufe0f":  # how a plain emoji is written; anywhere else it can carry hidden data
        return bool(before) and unicodedata.category(before) == "So"
    if "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef" or character in SAFE_MARKS:
        return False
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
