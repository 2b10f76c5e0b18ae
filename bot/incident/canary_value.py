"""Whether a value will do as a canary, and how a good one is made.

Decides what would fire on innocent text: what is short, what is made of words only, what documentation prints. Pure: chance
is handed in. How a value is looked for is `bot.detection.scan`'s.
"""

from __future__ import annotations

import base64
import re

from bot.incident.words import CanaryKind

SHORTEST, LONGEST = 12, 500
WORD = re.compile(r"[^\W_]+")
MIXED, PLAIN = 8, 20
"""A value needs one run of letters and digits of at least so many characters, or of letters alone that is so long: prose,
dates, telephone numbers and names of products have none."""
DIFFERENT = 6
"""Different characters in that run, so that `xxxxxxxx1` is none."""
PRINTED = (
    "example", "changeme", "change-me", "placeholder", "password", "your-", "your_", "insert", "12345678", "abcdefgh",
    "qwerty", "deadbeef", "lorem ipsum", "00000000-0000", "test-key", "test_key", "xxxx",
)  # fmt: skip
"""What stands in documentation and templates: it is in answers without anything having leaked."""
NOISE = 32
"""Random bytes that `made` takes."""
CONSONANTS, VOWELS = "bdfgklmnprstvzhj", "aeiou"
SENTENCES = frozenset({CanaryKind.SYSTEM_PROMPT, CanaryKind.DOCUMENT})
"""Kinds that stand in prose, where something like a credential would be noticed and left out."""


def weakness(value: str) -> str | None:
    """Why the value is no good canary, as a sentence that does not repeat it; None where it is one."""
    if not SHORTEST <= len(value) <= LONGEST:
        return f"It has {len(value)} characters; a canary has {SHORTEST} to {LONGEST}."
    if "\n" in value or not value.isprintable():
        return "It holds a line break or a character that does not show."
    if any(printed in value.casefold() for printed in PRINTED):
        return "It looks like an example from documentation, which a model may print without any leak."
    if not any(_rare(run) for run in WORD.findall(value)):
        return (
            f"It could stand in innocent text: it needs a run of at least {MIXED} letters and digits, mixed, "
            f"or of {PLAIN} letters that are no words."
        )
    return None


def _rare(run: str) -> bool:
    if len(set(run.casefold())) < DIFFERENT:
        return False
    mixed = any(one.isdigit() for one in run) and any(one.isalpha() for one in run)
    return len(run) >= (MIXED if mixed else PLAIN) and not run.isdigit()


def made(kind: CanaryKind, noise: bytes) -> str:
    """A value of about 90 bits or more: `sk-…` like a credential, or two names and a code that can stand in a sentence.

    `noise`: NOISE random bytes.
    """
    if kind not in SENTENCES:
        return "sk-" + base64.b32encode(noise[:25]).decode().lower()
    code = base64.b32encode(noise[6:16]).decode().lower()[:12]
    return f"{_name(noise[:3])} {_name(noise[3:6])} {code[:6]}{noise[16] % 10}{code[6:]}"


def _name(noise: bytes) -> str:
    """Three syllables of two letters: something to be read and copied, in no dictionary."""
    return "".join(CONSONANTS[one % 16] + VOWELS[one // 16 % 5] for one in noise).capitalize()
