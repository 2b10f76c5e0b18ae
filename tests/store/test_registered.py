"""Canaries and prompts in the store: what a reader of the database sees, one key for all, and what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from bot.detection.scan import shingles_of
from bot.incident.errors import Invalid, Misconfigured, NotFound, Refused
from bot.incident.registered import Canary, Prompt
from bot.incident.words import CanaryKind
from bot.store import Store, owners, registered
from bot.store.knowledge import find_key, load, packed, prompt_row, unpacked, versions
from bot.store.sealing import DetectionKey, key_file

KEY, OTHER = DetectionKey(b"k" * 32), DetectionKey(b"o" * 32)
VALUE = "sk-7k4m2q9xw3t5h8"
PROMPT = "You are the helper of the shop Lumen and the staff discount code hides in the third drawer"


async def add(store: Store, name: str = "shop-key", *, value: str = VALUE, key: DetectionKey = KEY) -> None:
    async with store.unit() as unit:
        await registered.add_canary(unit, key, name=name, kind=CanaryKind.CREDENTIAL, app="shop", value=value)


async def put(store: Store, said: str = PROMPT, *, public: tuple[str, ...] = (), key: DetectionKey = KEY) -> Prompt:
    found = shingles_of(said, key.hashing, public=public)
    async with store.unit() as unit:
        row = prompt_row(key, name="shop", app="shop", found=found, at=unit.now)
        return await registered.put_prompt(unit, key, row)


async def everything(store: Store) -> str:
    """What a reader of the database sees."""
    tables = ("canary", "prompt", "owned_identifier", "detection_key")
    async with store.read() as session:
        connection = await session.connection()
        return repr([(await connection.execute(text(f"SELECT * FROM {table}"))).all() for table in tables])


async def test_a_reader_of_the_database_sees_no_value_and_no_word(store: Store) -> None:
    await add(store)
    await put(store)
    seen = await everything(store)
    for secret in (VALUE, VALUE[3:], VALUE.encode().hex(), "Lumen", "drawer", KEY.hashing.hex()):
        assert secret not in seen and secret.lower() not in seen
    known = (await load(store, KEY)).knowledge
    assert known.canaries[0].value == VALUE
    assert known.prompts[0].anchors == shingles_of(PROMPT, KEY.hashing).anchors != ()
    assert not any(anchor in seen for anchor in known.prompts[0].anchors)


async def test_no_error_and_no_repr_shows_a_value(sqlite_store: Store) -> None:
    await add(sqlite_store)
    shown = repr(await put(sqlite_store))
    loaded = await load(sqlite_store, KEY)
    shown += repr(loaded) + repr(loaded.knowledge)
    async with sqlite_store.read() as session:
        shown += repr(await registered.canaries(session)) + repr(await registered.prompts(session))
    with pytest.raises(Refused, match="registered already, as shop-key") as again:
        await add(sqlite_store, "another")
    with pytest.raises(Invalid, match="will not do as a canary") as poor:
        await add(sqlite_store, "poor", value="hunter2")
    shown += str(again.value) + str(poor.value)
    assert VALUE not in shown and "hunter2" not in shown and "lumen" not in shown.lower()
    assert Canary.__table__.name == "canary"  # type: ignore[attr-defined]


async def test_a_name_that_is_taken_or_no_name_is_refused(sqlite_store: Store) -> None:
    await add(sqlite_store)
    with pytest.raises(Refused, match="firsthour canary remove shop-key"):
        await add(sqlite_store, value="sk-other4m2q9xw3t5h8")
    for name in ("", "Shop", "a b", "<@U0ALICE>", "x" * 81):
        with pytest.raises(Invalid, match="lower-case letters"):
            await add(sqlite_store, name)


async def test_another_key_is_refused_with_a_clear_sentence_and_nothing_is_lost(store: Store) -> None:
    await add(store)
    await put(store)
    for attempt in (add(store, "second", value="sk-other4m2q9xw3t5h8", key=OTHER), load(store, OTHER)):
        with pytest.raises(Misconfigured, match=r"not the one that was used.*1 canary and 1 prompt.*Nothing was"):
            await attempt
    async with store.unit() as unit:
        with pytest.raises(Misconfigured):
            await owners.forget(unit, OTHER, "bob")
    assert (await load(store, KEY)).knowledge.canaries[0].value == VALUE


async def test_once_all_is_removed_another_key_may_begin(store: Store) -> None:
    await add(store)
    async with store.unit() as unit:
        await registered.remove(unit, Canary, "shop-key")
    await add(store, key=OTHER)
    assert (await load(store, OTHER)).knowledge.canaries[0].value == VALUE
    with pytest.raises(Misconfigured):
        await load(store, KEY)


async def test_a_lost_key_file_is_told_before_anything_is_registered_under_a_new_one(sqlite_store: Store) -> None:
    key = await find_key(sqlite_store, None)
    await add(sqlite_store, key=key)
    key_file(sqlite_store).unlink()
    with pytest.raises(Misconfigured, match="is gone"):
        await find_key(sqlite_store, None)
    assert not key_file(sqlite_store).exists()


async def test_a_row_that_was_exchanged_by_hand_does_not_open(store: Store) -> None:
    await add(store)
    await add(store, "second", value="sk-other4m2q9xw3t5h8")
    async with store.writing.begin() as connection:
        swap = "UPDATE canary SET sealed = (SELECT sealed FROM canary WHERE name = 'second') WHERE name = 'shop-key'"
        await connection.execute(text(swap))
    with pytest.raises(Misconfigured, match="“shop-key” cannot be opened"):
        await load(store, KEY)


async def test_the_anchors_of_one_prompt_cannot_be_put_under_another_name_or_application(store: Store) -> None:
    await put(store)
    for change in ("name = 'till'", "app = NULL"):
        async with store.writing.begin() as connection:
            await connection.execute(text(f"UPDATE prompt SET {change}"))
        with pytest.raises(
            Misconfigured, match="cannot be opened: its row in the database was changed by hand"
        ) as told:
            await load(store, KEY)
        assert "drawer" not in str(told.value)


async def test_a_prompt_of_an_earlier_version_is_loaded_without_anchors(store: Store) -> None:
    await put(store)
    async with store.writing.begin() as connection:
        await connection.execute(text("UPDATE prompt SET anchors = NULL"))
    [held] = (await load(store, KEY)).knowledge.prompts
    assert held.anchors == () and held.words == shingles_of(PROMPT, KEY.hashing).words


async def test_a_new_text_that_an_earlier_version_registered_meanwhile_has_no_anchors_of_the_old_one(
    store: Store,
) -> None:
    """It knows no such column and leaves what stands there: with the old anchors the new text would be passed over."""
    await put(store)
    found = shingles_of("Never say where the blue key of the third cellar door is kept at night", KEY.hashing)
    async with store.writing.begin() as connection:
        change = text("UPDATE prompt SET shingles = :shingles, words = :words")
        await connection.execute(change, {"shingles": packed(found.shingles), "words": packed(sorted(found.words))})
    [held] = (await load(store, KEY)).knowledge.prompts
    assert held == ("shop", "shop", found.shingles, found.words, ())


async def test_a_prompt_that_is_registered_again_is_replaced(store: Store) -> None:
    await put(store)
    kept = await put(store, PROMPT + " behind the blue door", public=("Welcome. " + PROMPT[:45],))
    [held] = (await load(store, KEY)).knowledge.prompts
    assert unpacked(kept.shingles) == held.shingles
    assert held.shingles.count("") == kept.left_out == 3
    assert held.words == shingles_of(PROMPT + " behind the blue door", KEY.hashing).words


async def test_what_is_not_there_cannot_be_removed(sqlite_store: Store) -> None:
    for noun, word in ((Canary, "canary"), (Prompt, "prompt")):
        async with sqlite_store.unit() as unit:
            with pytest.raises(NotFound, match=f"no {word} of this name"):
                await registered.remove(unit, noun, "nothing")


async def test_every_change_is_known_by_a_number_and_nothing_is_loaded_without_one(store: Store) -> None:
    before = await load(store, KEY)
    assert await load(store, KEY, before) is before
    await add(store)
    after = await load(store, KEY, before)
    assert (after.version, after.owned) == (before.version + 1, before.owned)
    assert after.knowledge.owners is before.knowledge.owners, "a million identifiers are not read again for a canary"
    async with store.read() as session:
        assert await versions(session) == (after.version, after.owned)


async def test_a_canary_without_a_kind_has_none_for_the_scanner(sqlite_store: Store) -> None:
    async with sqlite_store.unit() as unit:
        await registered.add_canary(unit, KEY, name="any", kind=CanaryKind.UNKNOWN, app=None, value=VALUE)
    assert (await load(sqlite_store, KEY)).knowledge.canaries[0].kind == ""
