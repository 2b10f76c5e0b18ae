"""Texts made to hurt: a megabyte of anything is read in time in proportion to its length."""

from __future__ import annotations

from base64 import b64encode

import pytest

from bot.detection.event import Stage
from tests.detection.scan.corpus import CANARY, scanned, scanner, token

SIZE = 100_000


def _nested() -> str:
    text = CANARY.encode()
    for _ in range(25):
        text = b64encode(text)
    return text.decode()


HOSTILE = {
    "one letter": "A" * SIZE,
    "base64 in base64 in base64": _nested(),
    "half surrogates": "\ud800" * SIZE,
    "right to left": "\u202eאב" * (SIZE // 3),
    "nothing to see": "\u200b" * SIZE,
    "one ligature": "\ufdfa" * SIZE,
    "accents on accents": "e" + "\u0301" * SIZE,
    "prefixes": "sk-proj-" * (SIZE // 8),
    "half tokens": "eyJaaaaaaaaaaaaaaaaa." * (SIZE // 21),
    "half addresses": "a@b.c." * (SIZE // 6),
    "numbers": "123456 " * (SIZE // 7),
    "heads of keys": "-----BEGIN PRIVATE KEY-----\n" * (SIZE // 28),
    "names": "Aa Bb " * (SIZE // 6),
    "starts of questions": "show what ignore your " * (SIZE // 22),
    "accounts": "DE11 " * (SIZE // 5),
    "assignments": "password=" * (SIZE // 9),
    "percent": "%41%" * (SIZE // 4),
    "letters apart": "a b " * (SIZE // 4),
    "separators": "a" + "-" * SIZE,
    "short lines": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n" * (SIZE // 65),
    "addresses backwards": "a.b@" * (SIZE // 4),
    "accounts backwards": "123456-ab 12ED " * (SIZE // 15),
    "identifiers": "12345678-1234-4abc-89ab-1234567890ab-" * (SIZE // 37),
    "long words": "abcdefghijklmnop. " * (SIZE // 18),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "plain"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_read_to_its_end(name: str, fast: bool) -> None:
    one = scanner(fast=fast)
    text = f"{HOSTILE[name]} {token('github_token')}"
    assert "github_token" in {mark.name for mark in scanned(text, one, stage=Stage.INPUT).marks}
