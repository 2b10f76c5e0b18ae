"""Keyed hashes are HMAC-SHA256, truncated."""

from __future__ import annotations

import hmac

import pytest

from bot.detection.scan import digest, identifier_digest, owner_digest


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 65])
@pytest.mark.parametrize("text", ["", "alice", "é" * 500, "\ud800"])
def test_a_digest_is_the_first_half_of_an_hmac(key: bytes, text: str) -> None:
    assert digest(key, text) == hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def test_people_and_identifiers_of_the_same_spelling_differ() -> None:
    key = b"a key of these tests"
    assert len({owner_digest(key, "a"), identifier_digest(key, "email", "a"), identifier_digest(key, "name", "a")}) == 3


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        digest(b"short", "x")
