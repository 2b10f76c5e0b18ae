"""A cell of a table that people open in a spreadsheet. Pure.

Decides that none is ever computed there: text comes from alerts and from people, and a cell that begins like a formula would
be one (OWASP, CSV injection).
"""

from __future__ import annotations

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def guarded(text: str) -> str:
    """The text; behind an apostrophe where a spreadsheet would compute it, also behind leading spaces."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip(" ").startswith(FORMULA) else text
