"""What a phone and Slack made of what a person typed, undone: quotes, dashes, entities, mentions, links.

Decides how typed text reads as words. What the words mean is decided by `parse`.
"""

from __future__ import annotations

import re

TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "\u00a0": " ", "\u2007": " ", "\u202f": " "})
LONG_DASH = re.compile(r"(?<!\S)[—–](?=[A-Za-z])")
"""What a phone makes of `--name`; a dash between words has a space after it and stays."""
REFERENCE = re.compile(r"<(?:([@#!])([^<>|]*)|((?:https?|mailto|tel):[^<>|]*))(?:\|([^<>]*))?>")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def repaired(line: str) -> str:
    """The line as it was meant to be typed. Its references and entities are still Slack's."""
    return LONG_DASH.sub("--", line.translate(TYPOGRAPHY))


def word(token: str) -> str:
    """One value: without its quotes; a mention becomes the id of who or what is mentioned."""
    mention = REFERENCE.fullmatch(token)
    if mention is not None:
        return _unescape(mention[2] or mention[3] or "")
    quoted = len(token) > 1 and token[0] == token[-1] == '"'
    return prose(token[1:-1]) if quoted else prose(token)


def prose(text: str) -> str:
    """Running text as a person would read it: mentions and links become words, so that nobody is called by them."""
    return _unescape(REFERENCE.sub(lambda found: found[3] or f"{found[1]}{found[4] or found[2]}", text)).strip()


def _unescape(text: str) -> str:
    """Slack sends `&`, `<` and `>` as entities; what is stored is the text that was typed."""
    for entity, character in ENTITIES:
        text = text.replace(entity, character)
    return text
