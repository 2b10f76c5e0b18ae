"""Texts hidden in a text: base64, hexadecimal, percent-encoding, letters spaced out, one within another; words reversed.

Decides what is decoded, how deep and how much: at most `DEEPEST` layers, `MOST_PIECES` pieces, and altogether `MOST`
times the text's length, so that no text makes it slow. Leaves to the scanner what is looked for in what comes out.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, unhexlify
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from bot.detection.scan.checks import FIRST_GROUP, UUID
from bot.detection.scan.matchers import Ends, Needle, runs

DEEPEST = 3
MOST = 8
MOST_PIECES = 4_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
RUN64 = r"[A-Za-z0-9+/_-]{16,}(?:[^A-Za-z0-9+/_-]|$)"
APART = r"(?:(?:[A-Za-z0-9]|[0-9A-Fa-f]{2})[^A-Za-z0-9]{1,3}){5}[A-Za-z0-9]"
LONG_NEEDLES = (Needle(RUN64, every=True),)
APART_NEEDLES = (Needle(APART),)
ESCAPED = r"[\\0]x[0-9A-Fa-f]{2}"
CASES, LETTERED, TURNED = r"[A-Z][a-z+/_-]{0,7}[A-Z0-9]", r"[0-9][A-Za-z]", "//:"
NEEDLES = (Needle(ESCAPED, ("\\x", "0x")), Needle(CASES), Needle(LETTERED), Needle(TURNED, (TURNED,)))
"""Of what machines write: pairs of digits, a word of letters in both cases or of letters and digits, an address from its end.
Prose holds none of it and is passed over quickly: with long runs and letters apart in the same look, for which hyperscan has to
stop at every letter, that would take three times as long."""
MADE = re.compile(rf"{CASES}|{LETTERED}|[0-9]{{16}}", re.ASCII)
"""A long run without it is a long word. Of 16 random letters of base64 one run in ten thousand has none, of 24 none of 300,000
had (docs/adr/0023)."""

HEX = re.compile(rb"[0-9A-Fa-f]{16,}")
BASE64_RUNS = re.compile(r"[A-Za-z0-9+/_-]{16,}", re.ASCII)
HEX_RUNS = re.compile(
    r"(?<![0-9A-Za-z])(?:\\x|0x)?[0-9A-Fa-f]{2}(?:(?:\\x|[ :-]|,? ?(?:0x)?)[0-9A-Fa-f]{2}){7,}", re.ASCII
)
PAIRS = re.compile(r"[\\0]x[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{2}[^A-Za-z0-9]{1,3}){5}[0-9A-Fa-f]")
"""As `SPACED`, for pairs. Without anything between them, `_long` decodes them."""
SPACED_RUNS = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9][ \t\r\n._*|/,-]{1,3}){7,}[A-Za-z0-9](?![A-Za-z0-9])", re.ASCII
)
JOINED_RUNS = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]([^A-Za-z0-9]{1,3})(?:.\1){6,}.(?![A-Za-z0-9])", re.ASCII | re.DOTALL
)
"""The same separator after each character, also after a space or a full stop: what was joined can be taken apart again."""
SPACED = re.compile(rb"(?:[A-Za-z0-9][^A-Za-z0-9]{1,3}){5}[A-Za-z0-9]")
"""Without it, nothing is told that only one of the two engines would look at."""
KINDS_APART = (Needle(SPACED.pattern.decode()), Needle(PAIRS.pattern))
LETTERS, DIGITS = range(2)
"""Which of them stand apart. Looked for where `APART` or `ESCAPED` is: the patterns for it in `re` take fifty times as long."""
GAP = re.compile(r"[^A-Za-z0-9]+")
PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
TOKEN = re.compile(r"\S+")
AROUND = 64
"""Characters of a word before what tells that it is long."""
BEYOND_HEX = re.compile(r"[G-Zg-z]")
"""Every issuer's tokens hold such a letter, a UUID and a hash do not."""
NOT_HEX = re.compile(r"0x|[^0-9A-Fa-f]")
WRAPPED = re.compile(r"\r?\n[ \t>]{0,8}")
LAST_LINE = re.compile(r"\r?\n[ \t>]{0,8}[A-Za-z0-9+/_-]{1,15}(?![A-Za-z0-9+/_-])")
LINE = 60
"""Characters of a line that was cut for its length: the shortest in use are of 64 (RFC 7468 §2)."""
TO_STANDARD = bytes.maketrans(b"-_", b"+/")
BETWEEN_LINES = b"\r\n \t>"
READABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]{8}")
"""As many characters as the shortest canary. What was no base64 has control characters everywhere, and is not looked at."""


class Piece(NamedTuple):
    """What came out of one place of a text."""

    text: str
    how: str
    start: int
    end: int


def long_runs(text: str, long: Ends, *, turned: bool) -> list[tuple[int, int]]:
    """Start and end of each that a machine may have made. `long`: hits of `LONG_NEEDLES`. `turned`: an address may be written
    from its end, whose password may be any words."""
    spans = runs(text, long[0], ALPHABET, BASE64_RUNS) if long else []
    return spans if turned else [span for span in spans if MADE.search(text, *span) and not _is_uuid(text, *span)]


def _is_uuid(text: str, start: int, end: int) -> bool:
    return UUID.fullmatch(text, start + FIRST_GROUP, end) is not None


def pieces(text: str, long: Sequence[tuple[int, int]], apart: Ends, how: str = "") -> list[Piece]:
    """One layer. `long`: `long_runs`; `apart`: hits of `KINDS_APART`. `how`: by which layers this text came out."""
    found: list[Piece] = []
    for start, end in _lines(text, long):
        found += _long(text[start:end], how, start, end)
    for run in HEX_RUNS.finditer(text) if DIGITS in apart else ():
        if PAIRS.search(run[0]):
            found += _hex(NOT_HEX.sub("", run[0]).encode(), how, *run.span())
    if LETTERS in apart:
        found += _spaced(text, _named(how, "spaced"))
    for start, end in _escaped_words(text) if "%" in text else ():
        found += _read(unquote_to_bytes(text[start:end]), _named(how, "url"), start, end)
    return found


def backwards(text: str, long: Sequence[tuple[int, int]]) -> Iterator[Piece]:
    """The words that are long enough for a token, read from their end."""
    done = 0
    for begin, end in long:
        if end > done:
            start = _word_start(text, max(done, begin - AROUND), begin)
            done = _word_end(text, end)
            if BEYOND_HEX.search(text, start, done):
                yield Piece(text[start:done][::-1], "reversed", start, done)


def _word_start(text: str, least: int, at: int) -> int:
    head = text[least:at]
    return at - len(head.rsplit(maxsplit=1)[-1]) if head and not head[-1].isspace() else at


def _escaped_words(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for escape in PERCENT.finditer(text):
        if escape.start() >= done:
            start, done = _word_start(text, done, escape.start()), _word_end(text, escape.end())
            yield start, done


def _word_end(text: str, at: int) -> int:
    word = TOKEN.match(text, at)
    return word.end() if word else at


def _spaced(text: str, how: str) -> Iterator[Piece]:
    """Letter by letter: with what stood between the words, where that can be told, and without."""
    for run in JOINED_RUNS.finditer(text):
        if SPACED.search(run[0].encode("utf-8", "replace")):
            yield Piece(run[0][:: len(run[1]) + 1], how, *run.span())
    for run in SPACED_RUNS.finditer(text):
        gaps = GAP.findall(run[0])
        least = min(map(len, gaps))
        if least < max(map(len, gaps)):
            wider = re.compile(rf"[^A-Za-z0-9]{{{least + 1},}}")
            yield Piece(" ".join(GAP.sub("", word) for word in wider.split(run[0])), how, *run.span())
        yield Piece(GAP.sub("", run[0]), how, *run.span())


def _long(run: str, how: str, start: int, end: int) -> Iterator[Piece]:
    """Base64, in all four places where a group of four may begin: the run may be glued to a word before it. Or digits."""
    standard = run.encode().translate(TO_STANDARD, BETWEEN_LINES)
    if HEX.fullmatch(standard):
        yield from _hex(standard, how, start, end)
        return
    if standard in (standard.lower(), standard.upper()):
        return  # of twelve bytes and more, base64 has both but once in 5,000 times; most long words have not
    for shift in range(4):
        whole = (len(standard) - shift) // 4 * 4
        rest = standard[shift + whole :]
        padded = rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""
        yield from _read(a2b_base64(standard[shift : shift + whole] + padded), _named(how, "base64"), start, end)


def _hex(digits: bytes, how: str, start: int, end: int) -> Iterator[Piece]:
    """Both places where a pair may begin."""
    for half in (digits, digits[1:]):
        yield from _read(unhexlify(half[: len(half) // 2 * 2]), _named(how, "hex"), start, end)


def _lines(text: str, found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Runs that a line's end divides are one: base64 is often cut at 64 or 76 characters (RFC 2045 §6.8). Not so a hexadecimal
    one and another."""
    start = end = line = -1
    for line_start, line_end in found:
        wrapped = end >= 0 and WRAPPED.fullmatch(text, end, line_start)
        if wrapped and _is_hex(text, line, end) == _is_hex(text, line_start, line_end):
            line, end = line_start, line_end
            continue
        if end >= 0:
            yield start, _last(text, line, end)
        start, end, line = line_start, line_end, line_start
    if end >= 0:
        yield start, _last(text, line, end)


def _is_hex(text: str, start: int, end: int) -> bool:
    return NOT_HEX.search(text, start, end) is None


def _last(text: str, line: int, end: int) -> int:
    """The end of a short last line, which is no run by itself."""
    rest = LAST_LINE.match(text, end) if end - line >= LINE else None
    return rest.end() if rest else end


def _read(data: bytes, how: str, start: int, end: int) -> Iterator[Piece]:
    text = data.decode("utf-8", "ignore")
    if READABLE.search(text):
        yield Piece(text, how, start, end)


def _named(outer: str, inner: str) -> str:
    return f"{outer}+{inner}" if outer else inner
