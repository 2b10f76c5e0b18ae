"""Addresses of e-mail in a text, as it stands and from its end.

Decides where one begins and ends. Whose it is, `people` looks up.
"""

from __future__ import annotations

import re

from bot.detection.scan.found import MOST, Candidate, turned
from bot.detection.scan.identifiers import IdentifierKind

LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-"
"""RFC 5322 §3.2.3: what may stand before the @ of an address."""
MARKS = LOCAL[LOCAL.index(".") :]
"""With which an address may begin, and hardly any does."""
DOMAIN = re.compile(r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
LONGEST_LOCAL = 64
BEFORE_AT, AFTER_AT = 128, 65
"""Characters of a domain and of what stands before the @ (RFC 5321 §4.5.3.1.1) with the one that ends it."""


def emails(text: str) -> list[Candidate]:
    found: list[Candidate] = []
    for domain in DOMAIN.finditer(text):
        if len(found) > MOST:
            break
        begin, end = domain.span()
        head = text[max(0, begin - LONGEST_LOCAL) : begin]
        start = begin - len(head) + len(head.rstrip(LOCAL))
        end = begin + len(domain[0].rstrip("-."))
        normal = text[start:end].lstrip(".'`").casefold()
        bare = normal.lstrip(MARKS)
        if not bare.startswith("@"):
            found.append((IdentifierKind.EMAIL, normal, start, end))
            if bare != normal:  # “**bob@shop.example**”
                found.append((IdentifierKind.EMAIL, bare, start, end))
            shorter = bare.rpartition(".")[0]
            if "." in shorter.partition("@")[2]:  # “bob@shop.example.Thanks”: no space after the full stop
                found.append((IdentifierKind.EMAIL, shorter, start, start + len(shorter)))
    return found


def emails_backwards(text: str) -> list[Candidate]:
    """Those written from their end. Start and end are those in the text as it stands."""
    found: list[Candidate] = []
    at = text.find("@")
    while at >= 0 and len(found) <= MOST:
        start = max(0, at - BEFORE_AT)
        if "." in text[start:at].rpartition(" ")[2]:
            part = text[start : at + AFTER_AT]
            found += turned(emails(part[::-1]), start + len(part))
        at = text.find("@", at + 1)
    return found
