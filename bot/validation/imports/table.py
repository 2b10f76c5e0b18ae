"""CSV with a header: one payload a row, in the column that is named for it.

Decides the names of columns and that a row with more cells than the header is refused: a comma without quotes would cut the
attack in two without a word.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from bot.validation.imports.found import Item, Look
from bot.validation.imports.text import NUL

COLUMNS = ("payload", "prompt", "text", "attack", "input", "message", "question", "goal")
"""The payload is in the first of these that the header has."""
TAGS = ("atlas", "owasp")
DELIMITERS = ",;\t|"


def recognises(look: Look) -> bool:
    return _dialect(look) is not None


def _dialect(look: Look) -> str | None:
    """The delimiter by which the first line is a header with a known column; a comma where it is nothing but that column."""
    header = next((line for _, line in look.lines()), "")
    if len(header) > 2_000:
        return None
    return next((one for one in DELIMITERS if _column(_cells(header, one)) is not None), None)


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip().strip('"').casefold() for cell in line.split(delimiter)]


def _column(header: list[str]) -> int | None:
    return next((header.index(name) for name in COLUMNS if name in header), None)


def read(look: Look) -> Iterator[Item]:
    delimiter = _dialect(look) or ","
    rows = csv.reader(io.StringIO(look.text, newline="\n"), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        begun = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield look.problem(begun, f"it is not CSV: {error}. Double every quote within a quoted text.")
            continue
        if not any(cell.strip() for cell in row):
            continue
        if header is None:
            header = [cell.strip().casefold() for cell in row]
        else:
            yield _row(look, begun, header, row)


def _row(look: Look, line: int, header: list[str], row: list[str]) -> Item:
    column = _column(header)
    if column is None:
        return look.problem(line, "the header names no column of payloads.")
    if len(row) != len(header):
        return look.problem(
            line, f"it has {len(row)} cells, and the header {len(header)}. Put a text with a delimiter into quotes."
        )
    if "\0" in row[column]:
        return look.problem(line, NUL)
    cells = dict(zip(header, row, strict=True))
    tags = {name: tuple(cells[name].replace(",", " ").replace(";", " ").split()) for name in TAGS if name in cells}
    return look.payload(line, row[column], name=cells.get("name", "").strip()[:200], **tags)
