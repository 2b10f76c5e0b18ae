"""Owners: taken line by line from whatever the file holds, twice without a difference, found again, and forgotten."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Iterator, Mapping
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.detection.scan import Owner, identifier_digest, normalise_identifier, owner_digest
from bot.incident.registered import DIGEST
from bot.store import Store, owners
from bot.store.knowledge import load
from bot.store.owner_index import OwnerIndex, stored
from bot.store.sealing import DetectionKey

KEY = DetectionKey(b"k" * 32)


def digest(kind: str, value: str) -> str:
    return identifier_digest(KEY.hashing, kind, normalise_identifier(kind, value))


async def take(store: Store, source: str | TextIO) -> tuple[owners.Imported, dict[int, str]]:
    told: dict[int, str] = {}
    reading = io.StringIO(source, newline="") if isinstance(source, str) else source
    done = await owners.take(store, KEY, reading, bad=told.__setitem__)
    return done, told


async def held(store: Store) -> Mapping[str, tuple[Owner, ...]]:
    return (await load(store, KEY)).knowledge.owners


GOOD = "owner,kind,value\r\nbob,email,bob@shop.example\nann,E-Mail,ann@shop.example\nbob,name,Bob Miller\n"


async def test_identifiers_are_found_by_their_hash_with_their_owner_and_strength(store: Store) -> None:
    done, told = await take(store, GOOD)
    assert (done, told) == (owners.Imported(taken=3, added=3, bad=0), {})
    index = await held(store)
    bob = owner_digest(KEY.hashing, "bob")
    assert index[digest("email", "BOB@shop.example")] == (Owner(bob, True, "email"),)
    assert index[digest("name", "Bob Miller")] == (Owner(bob, False, "name"),)
    assert index.get(digest("email", "eve@shop.example")) is None
    assert (await load(store, KEY)).knowledge.kinds == {"email", "name"}


async def test_a_shared_identifier_has_all_of_its_owners(store: Store) -> None:
    await take(store, "bob,phone,+49 30 1234567\nann,phone,+49 30 1234567\n")
    found = (await held(store))[digest("phone", "+49 30 1234567")]
    assert {one.owner for one in found} == {owner_digest(KEY.hashing, name) for name in ("ann", "bob")}


async def test_a_second_import_changes_nothing_and_nothing_is_loaded_for_it(store: Store) -> None:
    await take(store, GOOD)
    before = await load(store, KEY)
    done, _ = await take(store, GOOD + GOOD.splitlines()[1] + "\n")
    assert (done.taken, done.added) == (4, 0)
    assert await load(store, KEY, before) is before


async def test_bad_lines_are_named_by_number_never_shown_and_keep_no_other_out(store: Store) -> None:
    lines = [
        "bob,email,bob@shop.example",  # 1
        "",
        "bob,email",  # 3
        '"bob,email,secret@shop.example',  # 4: never closed
        ",email,secret@shop.example",
        "bob,emial,secret@shop.example",
        "bob,name,\udcff\udcfe",  # 7: was not UTF-8
        f"bob,name,{'x' * 10_000}",
        f"{'o' * 301},name,secret",
        '"ann, the first",email,ann@shop.example',  # 10: a quoted comma
    ]
    done, told = await take(store, "\n".join(lines))
    assert sorted(told) == [3, 4, 5, 6, 7, 8, 9]
    assert (done.taken, done.bad, len(await held(store))) == (2, 7, 2)
    assert not any("secret" in why or "xxx" in why for why in told.values())
    assert (await held(store))[digest("email", "ann@shop.example")][0].owner == owner_digest(
        KEY.hashing, "ann, the first"
    )


async def test_an_owner_can_be_forgotten_and_everybody_too(store: Store) -> None:
    await take(store, GOOD)
    before = await load(store, KEY)
    async with store.unit() as unit:
        assert await owners.forget(unit, KEY, "bob") == 2
    after = await load(store, KEY, before)
    assert digest("email", "bob@shop.example") not in after.knowledge.owners
    assert digest("email", "ann@shop.example") in after.knowledge.owners
    async with store.unit() as unit:
        assert await owners.forget(unit, KEY, "nobody") == 0
        assert await owners.forget_everybody(unit) == 1
    assert len(await held(store)) == 0


async def test_what_was_taken_before_an_error_stays_and_is_known(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "BATCH", 2)

    class Broken(io.StringIO):
        def readline(self, size: int | None = -1, /) -> str:
            line = super().readline(-1 if size is None else size)
            if line.startswith("eve"):
                raise OSError("the disk is gone")
            return line

    with pytest.raises(OSError, match="the disk is gone"):
        await take(sqlite_store, Broken("a,email,a@x.example\nb,email,b@x.example\nc,email,c@x.example\neve,email,e\n"))
    assert len(await held(sqlite_store)) == 2


class Endless(io.StringIO):
    """Lines made while they are read."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._lines = self._made(count)

    def _made(self, count: int) -> Iterator[str]:
        for n in range(count):
            if not n % owners.BATCH:
                gc.collect()  # what nobody holds any more is no memory that is needed
            yield f"user-{n},email,user-{n}@shop.example\n"

    def readline(self, size: int | None = -1, /) -> str:
        return next(self._lines, "")


async def test_a_long_file_needs_no_more_memory_than_a_batch(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "BATCH", 50)
    await take(sqlite_store, Endless(100))  # statements are compiled and cached
    peaks = []
    gc.freeze()  # whatever the tests before this one left
    for count in (250, 1_000):
        tracemalloc.start()
        await take(sqlite_store, Endless(count))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    gc.unfreeze()
    assert peaks[1] < peaks[0] * 1.5


def test_a_line_without_an_end_is_cut_before_it_is_held() -> None:
    source = io.StringIO("x" * 100_000 + "\nbob,name,Bob\n")
    first, second = owners.lines(source)
    assert len(first) < 5_000 and second == "bob,name,Bob\n"


ROWS = st.lists(
    st.tuples(st.integers(0, 2**64 - 1) | st.integers(0, 3), st.binary(min_size=DIGEST, max_size=DIGEST)), max_size=30
)


@hypothesis_settings(max_examples=60)
@given(ROWS, st.sampled_from(["email", "name"]))
def test_the_index_answers_as_a_dictionary_would(rows: list[tuple[int, bytes]], kind: str) -> None:
    naive: dict[str, set[Owner]] = {}
    for hashed, owner in rows:
        naive.setdefault(f"{hashed:016x}", set()).add(Owner(owner.hex(), kind == "email", kind))
    index = OwnerIndex()
    index.extend([(stored(f"{hashed:016x}" + "0" * 16), owner, kind) for hashed, owner in sorted(set(rows))])
    assert {key: set(index[key]) for key in index} == naive
    assert index.size == 25 * len(index) == 25 * len(set(rows))
    for missing in ("f" * 32, "0" * 31 + "5"):
        assert (missing in index) is (missing[:16] in naive)
