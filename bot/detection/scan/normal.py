"""Texts in their normal form, so that tricks of writing make no difference: width, case, invisible characters, look-alikes.

Decides what counts as the same text (Unicode NFKC, UAX #15; case folding, Unicode §3.13; Default_Ignorable_Code_Point,
DerivedCoreProperties.txt; look-alikes of Latin letters, UTS #39 confusables.txt, the Cyrillic and Greek ones).

Most of a text is ASCII. What these forms do to it is decided by its other characters alone, which are few: looking at those
first makes a text with a few accents and quotation marks five times cheaper.
"""

from __future__ import annotations

import re
from unicodedata import combining, is_normalized, normalize

import msgspec

INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
"""Control characters, line separators and lone surrogates: nothing that is shown holds them."""
LOOK_ALIKES = str.maketrans(
    "асеорхуіјѕԁһӏԛԝвкмнтαοερτνικχυ",
    "aceopxyijsdhlqwbkmhtaoeptvikxu",
)
HALVES = re.compile(r"[\ud800-\udfff]+")
LIGATURES = re.compile("[\ufdfa\ufdfb]")
"""They become 18 and 8 characters, all others at most 6: nobody hides anything in them but work."""
OFTEN = (("\u2026", "..."), ("\u00a0", " "))
"""What NFKC makes of the two that people write most, an ellipsis and a space that does not break. Without others it is all."""
ASCII = bytes(range(128))


class Forms(msgspec.Struct, frozen=True, gc=False):
    """One text as it is looked at. Whoever has them hands them on: making them takes as long as searching them."""

    text: str
    """`visible`."""
    data: bytes
    """That in UTF-8."""
    even: bytes
    """That, `evened`; the same object where all of it is ASCII."""
    rare: str = ""
    """The `others` of it."""


def visible(text: str) -> str:
    """NFKC without the characters that nobody sees; case and letters stay as they are. ASCII comes back unchanged.

    Of half surrogate pairs, which no UTF-8 holds, U+FFFD is left. NFKC makes eighteen characters of one ligature: what comes
    out is cut at four times the text.
    """
    return text if text.isascii() else _visible(text, others(text.encode("utf-8", "surrogatepass")))


def _visible(text: str, rare: str) -> str:
    """`rare`: its `others`."""
    if HALVES.search(rare):
        text = HALVES.sub("\ufffd", text)
    if INVISIBLE.search(rare):
        text = INVISIBLE.sub("", text)
    for often, plain in OFTEN:
        if often in rare:
            text, rare = text.replace(often, plain), rare.replace(often, "")
    if _settled(rare):
        return text
    if LIGATURES.search(rare):
        text = LIGATURES.sub(" ", text)
    return normalize("NFKC", text)[: 4 * len(text)]


def forms(text: str) -> Forms:
    if text.isascii():
        data = text.encode()
        return Forms(text, data, data)
    data = text.encode("utf-8", "surrogatepass")
    rare = others(data)
    shown = _visible(text, rare)
    return Forms(text, data, *_evened(data, rare)) if shown is text else forms_of(shown)


def forms_of(shown: str) -> Forms:
    """Of a text that is `visible`."""
    data = shown.encode()
    return Forms(shown, data, data) if shown.isascii() else Forms(shown, data, *_evened(data, others(data)))


def normal(text: str) -> str:
    """What two texts are compared by."""
    shown = visible(text)
    return shown.lower() if shown.isascii() else evened(shown)


def evened(text: str) -> str:
    """The normal form of a text that is `visible`. ASCII alone comes back as it is: matchers take its letters in either case."""
    return forms_of(text).even.decode()


def _evened(data: bytes, rare: str) -> tuple[bytes, str]:
    """With its `others`. `rare`: those of the text. Where they are in their normal form, only the letters of ASCII are made
    small."""
    if rare.casefold() == rare and _settled(rare) and rare.translate(LOOK_ALIKES) == rare:
        return data.lower(), rare
    folded = data.decode().casefold()
    if not _settled(others(folded.encode())):
        folded = normalize("NFKC", folded)
    even = folded.translate(LOOK_ALIKES).encode()
    return even, others(even)


def original(text: str, at: int) -> int:
    """Where the character at this place of the normal form stands in the text itself."""
    if text.isascii():
        return at
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if len(normal(text[:middle])) < at:
            low = middle + 1
        else:
            high = middle
    return low


def others(data: bytes) -> str:
    """The characters beyond ASCII of a text in UTF-8, in their order."""
    return data.translate(None, ASCII).decode("utf-8", "surrogatepass")


def _settled(rare: str) -> bool:
    """NFKC leaves them as they are, whatever stands between them."""
    return is_normalized("NFKC", rare) and not any(map(combining, rare))
