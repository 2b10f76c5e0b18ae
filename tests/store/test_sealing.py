"""The detection key: made once with nobody else's eyes on it, never in the database, and never printed."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.environment import read_settings
from bot.incident.errors import Misconfigured
from bot.store import Store
from bot.store.sealing import KEY_BYTES, DetectionKey, detection_key, key_file

RAW = bytes(range(KEY_BYTES))
TEXT = base64.b64encode(RAW).decode()
VALUE = "sk-7k4m2q9xw3t5"


async def test_without_a_variable_the_key_lies_beside_the_sqlite_file_and_stays_the_same(sqlite_store: Store) -> None:
    first = await detection_key(sqlite_store, None)
    path = key_file(sqlite_store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name == "firsthour.db.key"
    assert (await detection_key(sqlite_store, None)).proof == first.proof
    assert path.read_bytes().strip() not in Path(sqlite_store.url.database or "").read_bytes()
    assert [one for one in path.parent.iterdir() if "key." in one.name] == [], "no draft is left behind"


async def test_the_variable_wins_and_makes_no_file(sqlite_store: Store) -> None:
    key = await detection_key(sqlite_store, SecretStr(TEXT))
    assert key.proof == DetectionKey(RAW).proof
    assert not key_file(sqlite_store).exists()


async def test_postgres_needs_the_variable_and_the_error_says_how_to_make_one(postgres_url: str) -> None:
    store = Store(postgres_url)
    with pytest.raises(Misconfigured, match=r"FIRSTHOUR_DETECTION_KEY is not set.*openssl rand -base64 32"):
        await detection_key(store, None)
    assert (await detection_key(store, SecretStr(TEXT))).proof == DetectionKey(RAW).proof
    await store.close()


@pytest.mark.parametrize("given", ["secret", "c2hvcnQ=", "not base64 at all ***", base64.b64encode(b"x" * 31).decode()])
async def test_what_is_no_key_is_refused_and_not_repeated(sqlite_store: Store, given: str) -> None:
    with pytest.raises(Misconfigured, match="holds no key") as refused:
        await detection_key(sqlite_store, SecretStr(given))
    assert given not in str(refused.value)


async def test_both_alphabets_and_a_line_break_are_taken(sqlite_store: Store) -> None:
    raw = bytes([251, 255, 254] * 11)
    for text in (base64.b64encode(raw).decode() + "\n", base64.urlsafe_b64encode(raw).decode().rstrip("=")):
        assert (await detection_key(sqlite_store, SecretStr(text))).proof == DetectionKey(raw).proof


async def test_a_key_file_that_everybody_may_read_is_refused_with_the_cure(sqlite_store: Store) -> None:
    await detection_key(sqlite_store, None)
    key_file(sqlite_store).chmod(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        await detection_key(sqlite_store, None)


async def test_a_key_file_that_is_gone_is_not_made_anew_over_what_is_registered(sqlite_store: Store) -> None:
    with pytest.raises(Misconfigured, match=r"is gone.*Nothing is lost: put the file back"):
        await detection_key(sqlite_store, None, make=False)
    assert not key_file(sqlite_store).exists()


async def test_a_damaged_key_file_is_refused(sqlite_store: Store) -> None:
    key_file(sqlite_store).write_bytes(os.urandom(8) + b"\xff")
    key_file(sqlite_store).chmod(0o600)
    with pytest.raises(Misconfigured, match=r"firsthour\.db\.key holds no key"):
        await detection_key(sqlite_store, None)


def test_a_sealed_value_opens_with_its_key_and_its_words_only() -> None:
    key = DetectionKey(RAW)
    sealed = key.seal(VALUE, "shop", "credential", None)
    assert VALUE.encode() not in sealed
    assert key.unseal(sealed, "shop", "credential", None) == VALUE
    assert key.seal(VALUE, "shop", "credential", None) != sealed, "the same value twice cannot be seen"
    for other, words in (
        (DetectionKey(RAW[::-1]), ("shop", "credential", None)),
        (key, ("shop", "document", None)),
        (key, ("shop", "credential", "app")),
    ):
        with pytest.raises(Misconfigured, match="“shop” cannot be opened"):
            other.unseal(sealed, *words)
    with pytest.raises(Misconfigured):
        key.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), "shop", "credential", None)


def test_a_key_never_prints() -> None:
    key = DetectionKey(RAW)
    settings = read_settings({"FIRSTHOUR_DETECTION_KEY": TEXT})
    assert settings.detection_key is not None and settings.detection_key.get_secret_value() == TEXT
    for shown in (repr(key), str(key), f"{settings!r}", repr(vars(key)["origin"])):
        assert TEXT not in shown and RAW.hex() not in shown and key.hashing.hex() not in shown
    assert len({key.hashing.hex(), key.proof}) == 2
