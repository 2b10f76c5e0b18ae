"""A page as Markdown (GitHub's: tables), which Slack's canvases read too.

Decides the escaping: no text of a page can become a link, an image, HTML, code, a heading, a mention or another cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from bot.incident.visible import visible
from bot.review.page import Cell, Facts, Heading, Page, Part, Points, Section, Table, Text

SPECIAL = re.compile(r"[\\`*_{}\[\]#|~!@$]|:(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\.", re.IGNORECASE)
"""The colon of an address too: readers make links of bare addresses."""
ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
LEADING = re.compile(r"^(\s*)(?:([-+=]+)|(\d+)([.)]))", re.MULTILINE)


def escaped(text: str, *, lines: bool = False) -> str:
    """Inert: what is read is exactly what was written, and what shows nothing is named."""
    shown = visible(text, lines=lines).strip().translate(ENTITIES)
    return LEADING.sub(_leading, SPECIAL.sub(lambda found: f"\\{found[0]}", shown))


def _leading(found: re.Match[str]) -> str:
    """What would begin a list, a rule or an underlined heading."""
    space, marks, digits, dot = found.groups()
    return f"{space}\\{marks}" if marks else f"{space}{digits}\\{dot}"


def markdown(page: Page) -> str:
    """With a line feed at its end."""
    return "\n".join(_page(page))


def _page(page: Page) -> Iterator[str]:
    yield f"# {escaped(page.title)}\n"
    yield f"**{escaped(page.label)}** · {escaped(page.remark)}\n"
    for section in page.sections:
        yield from _section(section, page.blank)


def _section(section: Section, blank: str) -> Iterator[str]:
    yield f"## {escaped(section.title)}\n"
    if section.hint:
        yield f"*{escaped(section.hint)}*\n"
    for part in section.parts:
        yield from _part(part, blank)


def _part(part: Part, blank: str) -> Iterator[str]:
    match part:
        case Heading(text):
            yield f"### {escaped(text)}\n"
        case Text(text):
            yield f"{_paragraph(text, blank)}\n"
        case Points(points):
            yield "\n".join(f"- {escaped(one)}" for one in points) + "\n" if points else f"{blank}\n"
        case Facts(rows):
            yield from _table(("Fact", "Value"), rows, blank)
        case Table(headers, rows, empty):
            yield from _table(headers, rows, blank) if rows else iter([f"{escaped(empty) if empty else blank}\n"])


def _paragraph(text: Cell, blank: str) -> str:
    """Its line breaks are kept, as two spaces at the end of a line."""
    if text is None:
        return blank
    return "  \n".join(line for line in escaped(text, lines=True).split("\n") if line.strip())


def _table(headers: Sequence[str], rows: Iterable[Sequence[Cell]], blank: str) -> Iterator[str]:
    yield f"| {' | '.join(escaped(one) for one in headers)} |"
    yield f"| {' | '.join('---' for _ in headers)} |"
    for row in rows:
        yield f"| {' | '.join(_cell(one, blank) for one in row)} |"
    yield ""


def _cell(cell: Cell, blank: str) -> str:
    return blank if cell is None or not cell.strip() else escaped(cell)
