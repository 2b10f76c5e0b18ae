"""One text in all the ways in which an indicator's value may stand in it: as it is, escaped, coded, spaced out, backwards.

Decides which ways of writing are undone. Pure, and linear in the text's length. Which values are looked for is `firing`'s.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
from urllib.parse import unquote

from bot.detection.scan.normal import HALVES, normal, visible

LONG_ENOUGH = 8
"""Bytes, or letters and digits: what is shorter would be found by chance once it is coded or spaced out."""
ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|([\"'/\\nrt]))")
SPACED = "spaced out"
URL_SAFE = str.maketrans("+/", "-_")
SHORT = {"n": "\n", "r": "\r", "t": "\t"}
BLANKS = re.compile(r"\s+")
NOT_WORD = re.compile(r"[\W_]+")


def unescaped(text: str) -> str:
    """Without the escapes of JSON, scripts, HTML and addresses. What is no escape stays."""
    if "\\" in text:
        text = ESCAPE.sub(_character, text)
        if HALVES.search(text):
            text = text.encode("utf-16", "surrogatepass").decode(
                "utf-16", "replace"
            )  # two escapes may be one character
    if "&" in text:
        text = html.unescape(text)
    return unquote(text) if "%" in text else text


def _character(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    if digits is None:
        return SHORT.get(found[4], found[4])
    code = int(digits, 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"


class Reading:
    """A text, prepared once for many values. All at once: most answers are short, and looked into in every way."""

    __slots__ = ("compact", "folded", "letters", "lowered", "plain")

    def __init__(self, text: str) -> None:
        shown = visible(text)
        other = unescaped(shown)
        self.plain: tuple[str, ...] = (shown,) if other == shown else (shown, visible(other))
        """As it is, and without its escapes where there are any: letters as they are, nothing invisible."""
        self.folded = tuple(blanked(normal(each)) for each in self.plain)
        """In normal form, blanks as one."""
        self.compact = "\n".join("".join(each.split()) for each in self.plain)
        """Without blanks: base64 and hex are cut into lines."""
        self.lowered = self.compact.lower()
        self.letters = "\n".join(NOT_WORD.sub("", each) for each in self.folded)
        """Letters and digits alone."""


class Needle:
    """A value in all the ways it may be written."""

    __slots__ = ("_coded", "_letters", "_lowered", "folded")

    def __init__(self, value: str) -> None:
        shown = visible(value)
        data = shown.encode("utf-8", "replace")
        self.folded = blanked(normal(value)).strip()
        letters = NOT_WORD.sub("", self.folded)
        self._letters = letters if len(letters) >= LONG_ENOUGH else None
        self._coded: tuple[tuple[str, str], ...] = ()
        """Name of the way, and what is looked for; case counts in base64 only."""
        self._lowered: tuple[tuple[str, str], ...] = ()
        if len(data) < LONG_ENOUGH:
            return
        runs = (_base64(data, shift) for shift in range(3))
        self._coded = tuple(("base64", form) for run in runs for form in {run, run.translate(URL_SAFE)})
        plain = "".join(shown.split()).lower()
        ways = {"hex": data.hex(), "rot13": codecs.encode(plain, "rot13"), "backwards": plain[::-1]}
        self._lowered = tuple((how, run) for how, run in ways.items() if run != plain)

    def found(self, reading: Reading) -> str | None:
        """How it stands there: `""` as it is, or the name of a way; None where it does not."""
        if any(self.folded in text for text in reading.folded):
            return "" if self.folded in reading.folded[0] else "escaped"
        return self.disguised(reading)

    def disguised(self, reading: Reading) -> str | None:
        """The same for everything but as it is."""
        for how, run in self._coded:
            if run in reading.compact:
                return how
        for how, run in self._lowered:
            if run in reading.lowered:
                return how
        return SPACED if self._letters is not None and self._letters in reading.letters else None


def blanked(text: str) -> str:
    """Blanks of any kind and length as one."""
    return BLANKS.sub(" ", text)


def _base64(data: bytes, shift: int) -> str:
    """What of the base64 of `data` is the same whatever stands around it, if it begins `shift` bytes into a group of three."""
    run = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
    return run[(0, 2, 3)[shift] : len(run) - (0 if (shift + len(data)) % 3 == 0 else 1)]
