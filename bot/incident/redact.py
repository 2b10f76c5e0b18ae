"""Secrets out of text before it is stored or shown (design law 6). Pure, and linear in the text's length.

Decides what is certainly a secret by its shape. It is the guard before storage, not a scanner: what leaked, from whom and
how bad it is, is `bot.detection`'s. Redact first, then clip: the other way round half a token passes.

The shapes follow the rules of gitleaks (config/gitleaks.toml) and the issuers' own documents:
AWS "IAM identifiers, unique ID prefixes"; GitHub "About authentication, token formats"; Slack "Token types";
Google "API keys"; RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750 (Bearer), RFC 3986 §3.2.1 (password in a URL).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

LONG = 24
"""A token of at least so many characters shows its last four, so that its owner can tell which one to rotate."""

HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Unicode's Default_Ignorable_Code_Point and the control characters: they split a token, and nobody sees it."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL refuses NUL in text, and half a surrogate pair has no UTF-8."""

TOKEN = r"(?<![A-Za-z0-9])"  # noqa: S105 — the start of a word, so that "task-…" is not "sk-…"
ASSIGNED = r"\\{0,4}[\"'`]?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}"
QUOTED = r"\\{0,4}(?:\"[^\"\n]{4,}+\"?|'[^'\n]{4,}+'?|`[^`\n]{4,}+`?)"
BARE = r"[^\s\"'`,;&]{4,}+"
NEVER_TWICE = r"(?!\\{0,4}[\"'`]?\[redacted )"


@dataclass(frozen=True)
class Shape:
    kind: str
    pattern: re.Pattern[str]
    """What is removed is the group `secret`, or all of it. Quantifiers are bounded or possessive: no backtracking to exploit."""
    tail: bool = True


def _shape(kind: str, pattern: str, *, tail: bool = True) -> Shape:
    return Shape(kind, re.compile(pattern), tail)


SHAPES: tuple[Shape, ...] = (
    _shape(
        "private key",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*+"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
        tail=False,
    ),
    _shape(
        # The second branch steps over what only begins like one, so that no run of characters is looked at twice.
        "JWT",
        TOKEN
        + r"(?:(?P<secret>eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){1,3}+)|eyJ[A-Za-z0-9_-]++)",
    ),
    _shape("AWS key id", TOKEN + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", tail=False),
    _shape("GitHub token", TOKEN + r"(?:gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_[A-Za-z0-9_]{20,}+)"),
    _shape("GitLab token", TOKEN + r"glpat-[A-Za-z0-9_.-]{20,}+"),
    _shape("Anthropic key", TOKEN + r"sk-ant-[A-Za-z0-9_-]{16,}+"),
    _shape("OpenAI key", TOKEN + r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{16,}+"),
    _shape("Stripe key", TOKEN + r"[sr]k_(?:live|test)_[A-Za-z0-9]{10,}+"),
    _shape("Hugging Face token", TOKEN + r"hf_[A-Za-z0-9]{30,}+"),
    _shape("Slack token", TOKEN + r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10,}+"),
    _shape("Slack webhook", r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,}+"),
    _shape("Google key", TOKEN + r"(?:AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28})"),
    _shape("bearer token", r"(?i:(?<![a-z0-9])bearer)[ \t]{1,8}(?P<secret>[A-Za-z0-9._~+/-]{16,}+=*+)"),
    _shape(
        "credentials",
        r"(?i:authorization)" + ASSIGNED + r"[\"']?(?P<secret>(?i:basic|digest|token|apikey)[ \t]{1,8}" + BARE + ")",
        tail=False,
    ),
    _shape("password", r"://[^\s:/?#@]{0,200}+:(?P<secret>[^\s/]{1,200})@", tail=False),
    _shape(
        "password",
        r"(?i:pass(?:word|wd|phrase)|pwd)" + ASSIGNED + NEVER_TWICE + f"(?P<secret>{QUOTED}|{BARE})",
        tail=False,
    ),
    _shape(
        # A bare word needs a digit, so that "api key: rotated" in a note stays readable.
        "secret",
        r"(?i:secret|token|(?:api|access|private|secret|account)[_ -]?key|authorization)"
        + ASSIGNED
        + NEVER_TWICE
        + rf"(?P<secret>{QUOTED}|(?=[^\s\"'`,;&]{{0,64}}\d){BARE})",
        tail=False,
    ),
)
"""In order of precedence: where two overlap, all of both is removed and the earlier names it."""


def redact(text: str) -> str:
    """The text with `[redacted KIND …last4]` where a secret stood. Characters that no database takes become U+FFFD.

    A token that is split by invisible characters is found too. All other characters stay as they are.
    """
    seen, places = _seen(text)
    parts, end = [], 0
    for shape, start, stop in _merged(seen):
        secret = seen[start:stop].strip("\\\"'`")
        tail = f" …{secret[-4:]}" if shape.tail and len(secret) >= LONG else ""
        parts += [text[end : places[start]], f"[redacted {shape.kind}{tail}]"]
        end = places[stop - 1] + 1
    parts.append(text[end:])
    return UNSTORABLE.sub("\ufffd", "".join(parts))


def _seen(text: str) -> tuple[str, range | list[int]]:
    """The text without its hidden characters, and where each of what is left stands in the original."""
    if HIDDEN.search(text) is None:
        return text, range(len(text))
    places: list[int] = []
    end = 0
    for hidden in HIDDEN.finditer(text):
        places.extend(range(end, hidden.start()))
        end = hidden.end()
    places.extend(range(end, len(text)))
    return HIDDEN.sub("", text), places


def _merged(text: str) -> list[tuple[Shape, int, int]]:
    """Every secret once, in the order of the text: overlapping finds are one."""
    found = sorted(
        (*span, rank)
        for rank, shape in enumerate(SHAPES)
        for match in shape.pattern.finditer(text)
        if (span := match.span("secret" if "secret" in shape.pattern.groupindex else 0)) != (-1, -1)
    )
    merged: list[tuple[int, int, int]] = []
    for start, stop, rank in found:
        if merged and start < merged[-1][1]:
            before = merged.pop()
            start, stop, rank = before[0], max(stop, before[1]), min(rank, before[2])
        merged.append((start, stop, rank))
    return [(SHAPES[rank], start, stop) for start, stop, rank in merged]


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, ending in “…” where something was cut, and not in the middle of what is seen as one.

    Combining marks, emoji sequences and flags stay whole, unless a pile of marks is longer than people use (32).
    """
    if len(text) <= limit:
        return text
    end = max(0, limit - 1)
    for cut in islice(range(end, 0, -1), 32):
        if not _belongs(text, cut):
            return text[:cut].rstrip() + "…"
    return text[:end] + "…"[:limit]


def _belongs(text: str, at: int) -> bool:
    """True where the character at `at` is seen as one with the character before it."""
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M" or "\u200d" in (before, after) or (before, after) == ("\r", "\n"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True
    flags = 0
    while flags < at and "\U0001f1e6" <= text[at - 1 - flags] <= "\U0001f1ff" and flags < 64:
        flags += 1
    return "\U0001f1e6" <= after <= "\U0001f1ff" and flags % 2 == 1
