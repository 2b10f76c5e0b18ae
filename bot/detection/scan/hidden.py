"""Texts hidden in a text: base64, hexadecimal, percent-encoding, letters spaced out, one within another.

Decides what is decoded, how deep and how much: at most `DEEPEST` layers, `MOST_PIECES` pieces, and altogether `MOST`
times the text's length, so that no text makes it slow. Leaves to the scanner what is looked for in what comes out.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from bot.detection.scan.matchers import Ends, Needle, runs

DEEPEST = 3
MOST = 8
MOST_PIECES = 4_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
RUN64 = r"[A-Za-z0-9+/_-]{16,}(?:[^A-Za-z0-9+/_-]|$)"
APART = r"(?:(?:[A-Za-z0-9]|[0-9A-Fa-f]{2})[^A-Za-z0-9]{1,3}){7}[A-Za-z0-9]"
LONG_NEEDLES = (Needle(RUN64, every=True),)
ESCAPED = r"[\\0]x[0-9A-Fa-f]{2}"
APART_NEEDLES = (Needle(APART), Needle(ESCAPED, ("\\x", "0x")))
"""Apart from the other: together they would cost hyperscan ten times as much."""

HEX = re.compile(r"[0-9A-Fa-f]{16,}")
BASE64_RUNS = re.compile(r"[A-Za-z0-9+/_-]{16,}", re.ASCII)
HEX_RUNS = re.compile(
    r"(?<![0-9A-Za-z])(?:\\x|0x)?[0-9A-Fa-f]{2}(?:(?:\\x|[ :-]|,? ?(?:0x)?)[0-9A-Fa-f]{2}){7,}", re.ASCII
)
SPACED_RUNS = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z0-9][ \t._*|/,-]{1,3}){7,}[A-Za-z0-9](?![A-Za-z0-9])", re.ASCII)
PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
TOKEN = re.compile(r"\S+")
NOT_HEX = re.compile(r"0x|[^0-9A-Fa-f]")
NOT_WORD = re.compile(r"[^A-Za-z0-9]+")
TO_STANDARD = str.maketrans("-_", "+/", "\r\n")


class Piece(NamedTuple):
    """What came out of one place of a text."""

    text: str
    how: str
    start: int
    end: int


def pieces(text: str, apart: Ends, long: Ends, how: str = "") -> list[Piece]:
    """One layer. `apart`: hits of `APART_NEEDLES`; `long`: of `LONG_NEEDLES`. `how`: by which layers this text came out."""
    found: list[Piece] = []
    for start, end in _lines(text, runs(text, long[0], ALPHABET, BASE64_RUNS)) if long else ():
        found += _long(text[start:end], how, start, end)
    for run in HEX_RUNS.finditer(text) if apart else ():
        found += _hex(NOT_HEX.sub("", run[0]), how, *run.span())
    for run in SPACED_RUNS.finditer(text) if 0 in apart else ():
        found.append(Piece(NOT_WORD.sub("", run[0]), _named(how, "spaced"), *run.span()))
    for run in TOKEN.finditer(text) if "%" in text and PERCENT.search(text) else ():
        if PERCENT.search(run[0]):
            found.append(_piece(unquote_to_bytes(run[0]), _named(how, "url"), *run.span()))
    return found


def _long(run: str, how: str, start: int, end: int) -> Iterator[Piece]:
    """Base64, in all four places where a group of four may begin: the run may be glued to a word before it. Or digits."""
    if HEX.fullmatch(run):
        yield from _hex(run, how, start, end)
        return
    standard = run.translate(TO_STANDARD)
    if standard in (standard.lower(), standard.upper()):
        return  # of twelve bytes and more, base64 has both but once in 5,000 times; most long words have not
    for shift in range(4):
        whole = (len(standard) - shift) // 4 * 4
        rest = standard[shift + whole :]
        padded = rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""
        yield _piece(a2b_base64(standard[shift : shift + whole] + padded), _named(how, "base64"), start, end)


def _hex(digits: str, how: str, start: int, end: int) -> Iterator[Piece]:
    """Both places where a pair may begin."""
    for half in (digits, digits[1:]):
        yield _piece(bytes.fromhex(half[: len(half) // 2 * 2]), _named(how, "hex"), start, end)


def _lines(text: str, found: Iterator[re.Match[str]]) -> Iterator[tuple[int, int]]:
    """Runs that a line's end divides are one: base64 is often cut at 64 or 76 characters (RFC 2045 §6.8)."""
    start = end = -1
    for run in found:
        if end >= 0 and text[end : run.start()] in ("\n", "\r\n"):
            end = run.end()
            continue
        if end >= 0:
            yield start, end
        start, end = run.span()
    if end >= 0:
        yield start, end


def _piece(data: bytes, how: str, start: int, end: int) -> Piece:
    return Piece(data.decode("utf-8", "ignore"), how, start, end)


def _named(outer: str, inner: str) -> str:
    return f"{outer}+{inner}" if outer else inner
