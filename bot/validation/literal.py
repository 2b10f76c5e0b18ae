"""Text inside a template language, so that it comes out as it went in: Jinja (PyRIT) and Nunjucks (promptfoo).

An attack may hold template syntax of its own. Rendered by the tool that replays it, it would be another text, or worse, a
secret of that machine's environment.
"""

from __future__ import annotations

import re

SYNTAX = ("{{", "{%", "{#", "}}", "%}", "#}")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
BLOCK, APART = "{%", '{" ~ "%'
"""PyRIT leaves a value unrendered in which a block seems to begin, so its two characters are joined when it is rendered."""
OWN = re.compile(r'\{\{ "((?:[^"\\]|\\.)*+)" \}\}', re.DOTALL)
RAW = re.compile(r"\{%-? *raw *-?%\}\n?(.*)\{%-? *endraw *-?%\}\n?", re.DOTALL)


def literal(text: str) -> str:
    """The text as a template that renders, once, to exactly it. Plain where it holds nothing of a template."""
    if not any(mark in text for mark in SYNTAX):
        return text
    written = "".join(ESCAPES.get(one, one) for one in text).replace(BLOCK, APART)
    return f'{{{{ "{written}" }}}}'


def unwrapped(template: str) -> str:
    """What `literal` was given; also of a text in one `raw` block. Anything else stays a template, as it is."""
    if found := OWN.fullmatch(template.replace(APART, BLOCK)):
        undo = {escape[1]: plain for plain, escape in ESCAPES.items()}
        return ESCAPED.sub(lambda match: undo.get(match[1], match[1]), found[1])
    if (found := RAW.fullmatch(template)) and "endraw" not in found[1]:
        return found[1]
    return template
