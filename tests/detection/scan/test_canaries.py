"""Canaries: in the clear and in every hidden form."""

from __future__ import annotations

import random
from base64 import b64encode, urlsafe_b64encode
from codecs import encode
from urllib.parse import quote

import pytest

from bot.detection.scan import Canary, Knowledge, Scanner
from bot.detection.scan.hidden import MADE
from bot.incident.canary_value import NOISE, made
from bot.incident.words import CanaryKind
from tests.detection.scan.corpus import CANARY, KEY, event, scanned, scanner, told

RAW = CANARY.encode()
FORMS = {
    "plain": CANARY,
    "plain, other case": CANARY.upper(),
    "reversed": CANARY[::-1],
    "rot13": encode(CANARY, "rot13"),
    "spaced": " ".join(CANARY),
    "spaced with dots": ". ".join(CANARY.replace("-", "")),
    "spaced without punctuation": CANARY.replace("-", ""),
    "hex": RAW.hex(),
    "hex, escaped": "".join(f"\\x{byte:02x}" for byte in RAW),
    "hex, listed": ", ".join(f"0x{byte:02X}" for byte in RAW),
    "hex, spaced": RAW.hex(" "),
    "hex, after an odd digit": "a" + RAW.hex(),
    "base64": b64encode(RAW).decode(),
    "base64, urlsafe": urlsafe_b64encode(b"\xff\xfe\xfd" + RAW).decode(),
    "base64, one byte before": b64encode(b"x" + RAW).decode(),
    "base64, two bytes before": b64encode(b"xy" + RAW).decode(),
    "base64, glued to a word": "code" + b64encode(b"x" + RAW).decode(),
    "base64, glued to two letters": "no" + b64encode(RAW).decode(),
    "base64 in lines": "\n".join(
        b64encode(b"a long line before it, " * 3 + RAW).decode()[at : at + 76] for at in (0, 76)
    ),
    "base64 of base64": b64encode(b64encode(RAW)).decode(),
    "base64 of hex": b64encode(RAW.hex().encode()).decode(),
    "base64 of reversed": b64encode(RAW[::-1]).decode(),
    "url": quote(CANARY, safe="").replace("a", "%61"),
    "url, all of it": "".join(f"%{byte:02X}" for byte in RAW),
    "zero width": "\u200b".join(CANARY),
    "soft hyphens": "\u00ad".join(CANARY),
    "full width": CANARY.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    "Cyrillic letters": CANARY.replace("a", "а").replace("c", "с"),
    "among accents": f"naïve “{CANARY}” — voilà",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_a_canary_is_found_in_every_form_and_never_shown(form: str, fast: bool) -> None:
    seen = scanned(f"Well: {FORMS[form]} and so on.", scanner(fast=fast))
    assert told(seen) == [("canary", "vault", "credential")]
    (mark,) = seen.marks
    assert form.split(",")[0].split(" ")[0] in ("among", "soft", "full", "zero", "Cyrillic") or mark.how.startswith(
        form.split(",")[0].split(" ")[0]
    )
    shown = mark.excerpt.lower()
    assert CANARY.lower() not in shown and FORMS[form].lower() not in shown
    assert mark.last4 == CANARY[-4:]


def test_a_canary_has_one_hash_whatever_it_is_hidden_in() -> None:
    assert len({scanned(text).marks[0].digest for text in FORMS.values()}) == 1


def test_tricks_of_writing_are_named() -> None:
    assert scanned("\u200b".join(CANARY)).marks[0].how == "zero_width"
    assert scanned(CANARY.replace("a", "а")).marks[0].how == "look_alike"


def test_a_find_in_a_text_with_accents_is_at_its_place() -> None:
    assert scanned(f"“ﬁve” — {CANARY}").marks[0].offset == len("“five” — ")


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("value", ["dobino-quqtdigfizdyhklkwxcy", "paper-crane-778899"])
def test_a_canary_in_which_no_digit_stands_before_a_letter_is_found(value: str, fast: bool) -> None:
    one = Scanner(Knowledge(canaries=(Canary("vault", "credential", value),)), KEY, fast=fast)
    for text in (
        value,
        value.upper(),
        value[::-1],
        encode(value, "rot13"),
        f"naïve {value}",
        b64encode(value.encode()).decode(),
    ):
        assert told(scanned(f"Well: {text} and so on.", one)) == [("canary", "vault", "credential")], text


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
def test_a_letter_that_looks_like_a_latin_one_stands_before_its_digit_too(fast: bool) -> None:
    one = Scanner(Knowledge(canaries=(Canary("vault", "credential", "paper-crane-1a"),)), KEY, fast=fast)
    assert told(scanned("It says paper-crane-1а there.", one)) == [("canary", "vault", "credential")]


@pytest.mark.parametrize("kind", CanaryKind)
def test_what_hides_a_canary_of_ours_is_no_long_word(kind: CanaryKind) -> None:
    """Only what letters of both cases or digits and letters tell apart from words is decoded and read backwards."""
    chance = random.Random(kind)
    for _ in range(200):
        value = made(kind, chance.randbytes(NOISE)).encode()
        assert MADE.search(value.hex()) and MADE.search(value.decode()[::-1])
        for shift in range(3):
            assert MADE.search(b64encode(b"x" * shift + value).decode())


def test_a_canary_too_short_to_tell_from_innocent_text_is_refused() -> None:
    with pytest.raises(ValueError, match="“door” is too short"):
        Knowledge(canaries=(Canary("door", "document", "open-it"),))


def test_each_of_two_canaries_is_told_and_a_kind_may_be_missing() -> None:
    known = Knowledge(canaries=(Canary("one", "document", "paper-crane-11"), Canary("two", "", "paper-crane-12")))
    seen = Scanner(known, KEY).scan(event("paper-crane-12, paper-crane-11, paper-crane-12"), 0.0)
    assert told(seen) == [("canary", "two", ""), ("canary", "one", "document")]


def test_new_knowledge_counts_from_the_next_event_on() -> None:
    one = Scanner(Knowledge(), KEY)
    assert scanned(CANARY, one).marks == ()
    one.use(one.prepare(Knowledge(canaries=(Canary("vault", "credential", CANARY),))))
    assert told(scanned(CANARY, one)) == [("canary", "vault", "credential")]


def test_what_is_hidden_deeper_than_three_layers_is_left() -> None:
    text = RAW
    for _ in range(4):
        text = b64encode(text)
    assert scanned(text.decode()).marks == ()
