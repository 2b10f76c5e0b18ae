"""By what a payload is known again, however it is dressed. Pure, and linear in the text's length.

Decides which texts count as the same payload and which as alike. Leaves keeping and comparing to `bot.cases.fingerprint`.
The values need no key: whoever holds the store can test a guess against them, and reads nothing out of them.

Two kinds of value come out. `same:…` is SHA-256 of the text in its plainest form: NFKC and case folded, without marks,
invisible characters, spaces and punctuation, look-alikes (UTS #39) and leetspeak undone, base64, hexadecimal and rot13 undone,
the latter also where the payload is wrapped in an order to decode it. `like:…` are eight bands of a MinHash (Broder 1997) over
runs of `RUN` letters, five hashes each: two texts whose runs are alike to the degree J share one with 1 - (1 - J⁵)⁸.

False matches. `same`: 160 bits, so only texts of one plainest form. i, l and 1 are one letter in it and amounts stay apart; texts
below `SHORTEST` letters ("yes, continue") give nothing, because everybody sends them. `like`: one word changed in thirty is
J ≈ 0.85, found 98 times in 100; half of it rewritten is J ≈ 0.33, found 3 times in 100; unrelated English of 1,000 letters is
J < 0.02, found less than once in 10⁷ comparisons. Attacks of one template do match: that is wanted. Below `SHORT` letters
the runs are too few to tell a change from another text, and only `same` is given.
"""

from __future__ import annotations

import codecs
import re
import struct
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from hashlib import sha256, shake_128
from itertools import accumulate
from unicodedata import category, normalize

from bot.incident.redact import HIDDEN

SHORTEST = 12
"""Letters and digits of the shortest text that is a payload of its own."""
SHORT = 40
RUN = 6
BANDS = 8
ROWS = 5
MOST = 20_000
"""So many characters of a text are looked at: an alert's transaction waits for it, some milliseconds."""
MOST_RUNS = 2_048
"""So many letters of it are divided into runs. What follows them counts for `same` alone."""
MOST_PIECES = 4
DEEPEST = 3
DIGITS = 40
"""Hexadecimal digits of a value, 160 bits."""
SAME, LIKE = "same", "like"
CODED = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/_-]{60,76}\r?\n)+[A-Za-z0-9+/_-]+|[A-Za-z0-9+/_-]{16,})={0,2}"
)
"""Base64 in either alphabet, or hexadecimal; lines that were cut at 64 or 76 characters are one (RFC 2045 §6.8)."""
HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,}", re.ASCII)
PAIR = r"(?:\\x|0x)?[0-9A-Fa-f]{2}"
SPACED_HEX = re.compile(rf"(?<![0-9A-Za-z])(?:{PAIR}(?:[ :,-]{{1,2}}|(?=\\x|0x))){{7,}}{PAIR}", re.ASCII)
PLAIN_ENOUGH = 0.9
"""Text has this share of letters, digits and spaces or more, or it was no text that was coded."""
LOOK_ALIKES = str.maketrans(
    "асеорхуіјѕԁһӏԛԝвкмнтαοερτνικχυßøłđð",
    "aceopxyijsdhlqwbkmhtaoeptvikxusoldd",
)
LEET = str.maketrans("013457", "oieast")
ONE_STROKE = str.maketrans("l", "i")
"""1 stands for either."""
BETWEEN = re.compile(r"[@$](?=\w)|(?<=\w)[@$]|(?<=\w)[!|](?=\w)")
BETWEEN_LEET = {"@": "a", "$": "s", "!": "i", "|": "i"}
COMMON = frozenset("etaoinshr")
"""The nine letters that make two thirds of English (and of its neighbours): rot13 turns them into rare ones."""


def fingerprints(text: str) -> tuple[str, ...]:
    """What this payload is known by: `same:…`, and for all but short texts eight of `like:…`; each at most 64 characters.

    A payload that stands coded within the text has values of its own. Empty where the text says too little.
    """
    found: dict[str, None] = {}
    for form in _forms(text[:MOST]):
        letters = plainest(form)
        if len(letters) >= SHORTEST:
            found[_value(SAME, _turned(letters))] = None
        if len(letters) >= SHORT:
            found |= dict.fromkeys(_bands(letters))
    return tuple(found)


def plainest(text: str) -> str:
    """Letters and digits only, in one case, without tricks of writing; l, 1 and leetspeak are still told apart."""
    shown = normalize("NFKC", HIDDEN.sub("", text)).casefold()
    shown = BETWEEN.sub(lambda mark: BETWEEN_LEET[mark[0]], shown)
    bare = shown if shown.isascii() else "".join(c for c in normalize("NFKD", shown) if category(c) != "Mn")
    return "".join(filter(str.isalnum, bare.translate(LOOK_ALIKES)))


def _turned(letters: str) -> str:
    """With leetspeak undone, and the right way round: of a text and its rot13, which give the same two, the commoner letters."""
    return max(_both(letters), key=lambda one: (sum(map(COMMON.__contains__, one)), one))


def _both(letters: str) -> tuple[str, str]:
    """As it is, and as its rot13, letter by letter."""
    return _unleet(letters), _unleet(codecs.encode(letters, "rot13"))


def _unleet(letters: str) -> str:
    return letters.translate(LEET).translate(ONE_STROKE)


def _forms(text: str) -> Iterator[str]:
    """The text with what is coded in it undone, and each coded piece alone."""
    pieces: list[str] = []
    for _ in range(DEEPEST):
        undone, found = _undone(text)
        if not found:
            break
        text, pieces = undone, pieces + found
    yield text
    yield from pieces[:MOST_PIECES]


def _undone(text: str) -> tuple[str, list[str]]:
    found: list[str] = []

    def decoded(run: re.Match[str]) -> str:
        plain = _decoded(run[0])
        if plain is None:
            return run[0]
        found.append(plain)
        return plain

    return CODED.sub(decoded, SPACED_HEX.sub(decoded, text)), found


def _decoded(run: str) -> str | None:
    """What a run of base64 or hexadecimal says; None where it says no text: a long word, a hash, a picture."""
    digits = re.sub(r"\\x|0x|[^0-9A-Fa-f]", "", run)
    squeezed = "".join(run.split())
    if HEX.fullmatch(squeezed) or SPACED_HEX.fullmatch(run):
        return _text(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    standard = squeezed.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return _text(b64decode(standard + "=" * (-len(standard) % 4), validate=True))
    except NotBase64:
        return None


def _text(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    plain = sum(character.isalnum() or character.isspace() or character in ".,;:!?'\"()-" for character in text)
    return text if text and plain >= PLAIN_ENOUGH * len(text) else None


def _bands(letters: str) -> list[str]:
    """Each run is turned the right way by itself: a payload in rot13 within plain words shares its runs."""
    cut = letters[:MOST_RUNS].translate(LEET)  # before a run is turned: in six letters a digit would decide which way
    smallest = (2**32 - 1,) * (BANDS * ROWS)
    for run in _runs(cut):
        drawn = struct.unpack(f">{BANDS * ROWS}I", shake_128(run.encode("utf-8", "replace")).digest(4 * BANDS * ROWS))
        smallest = tuple(map(min, smallest, drawn))
    rows = (smallest[band * ROWS : (band + 1) * ROWS] for band in range(BANDS))
    return [_value(f"{LIKE}:{band}", ",".join(map(str, row))) for band, row in enumerate(rows)]


def _runs(letters: str) -> set[str]:
    """Each as `_turned` would turn it: common letters are counted once for all runs."""
    ways = [(text, [0, *accumulate(map(COMMON.__contains__, text))]) for text in _both(letters)]
    return {
        max((common[at + RUN] - common[at], text[at : at + RUN]) for text, common in ways)[1]
        for at in range(len(letters) - RUN + 1)
    }


def _value(kind: str, text: str) -> str:
    digest = sha256(f"{kind}\0{text}".encode("utf-8", "replace")).hexdigest()
    return f"{kind}:{digest[:DIGITS]}"
