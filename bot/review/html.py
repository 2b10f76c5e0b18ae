"""A page as one HTML file that needs nothing else: no script, nothing from outside, readable on paper and in the dark.

Decides that every text goes through the template's escaping and through `visible`. How it looks is `page.html.j2`'s.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.incident.visible import visible
from bot.review.page import Page

HERE = Path(__file__).parent
TEMPLATE = "page.html.j2"


def html(page: Page) -> str:
    return _environment().get_template(TEMPLATE).render(page=page)


def _environment() -> Environment:
    """Made anew for each document: it holds nothing that is worth keeping."""
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["shown"] = lambda text: visible(text, lines=True)
    made.filters["kind"] = lambda part: type(part).__name__
    return made
