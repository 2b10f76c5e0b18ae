"""What is loaded from the store is what the scanner finds: registered by one process, known to another that runs."""

from __future__ import annotations

import io

from sqlalchemy import text

from bot.detection.event import Event, Kind, Mark, MarkKind, Stage
from bot.detection.scan import Scanner, shingles_of
from bot.incident.words import CanaryKind
from bot.store import Store, owners, registered
from bot.store.knowledge import load, prompt_row
from bot.store.sealing import DetectionKey
from tests.conftest import START

KEY = DetectionKey(b"k" * 32)
VALUE = "sk-7k4m2q9xw3t5h8"
PROMPT = "You are the helper of the shop Lumen and the staff discount code hides in the third drawer"


async def register(store: Store) -> None:
    found = shingles_of(PROMPT, KEY.hashing)
    async with store.unit() as unit:
        await registered.add_canary(unit, KEY, name="shop-key", kind=CanaryKind.CREDENTIAL, app=None, value=VALUE)
        await registered.put_prompt(unit, KEY, prompt_row(KEY, name="shop", app=None, found=found, at=unit.now))
    source = io.StringIO("bob,email,bob@shop.example\n")
    await owners.take(store, KEY, source, bad=lambda line, why: None)


def marks(scanner: Scanner, text: str) -> dict[MarkKind, Mark]:
    event = Event(kind=Kind.LLM_CALL, occurred_at=START, user_id="ann", stage=Stage.OUTPUT, delivered=True, text=text)
    seen = scanner.scan(event, START.timestamp())
    assert VALUE not in repr(seen)
    return {mark.kind: mark for mark in seen.marks}


async def test_what_was_registered_is_found_by_a_scanner_that_is_handed_it(store: Store) -> None:
    before = await load(store, KEY)
    scanner = Scanner(before.knowledge, KEY.hashing)
    said = f"The key is {VALUE}, ask bob@shop.example: the staff discount code hides in the third drawer"
    assert not {MarkKind.CANARY, MarkKind.FRAGMENT, MarkKind.IDENTIFIER} & set(marks(scanner, said))
    await register(store)
    after = await load(store, KEY, before)
    found = marks(Scanner(after.knowledge, KEY.hashing), said)
    assert (found[MarkKind.CANARY].name, found[MarkKind.CANARY].grade) == ("shop-key", "credential")
    assert found[MarkKind.FRAGMENT].coverage > 0
    async with store.writing.begin() as connection:  # as an earlier version registered it
        await connection.execute(text("UPDATE prompt SET anchors = NULL"))
    earlier = await load(store, KEY)
    assert marks(Scanner(earlier.knowledge, KEY.hashing), said) == found
    assert (found[MarkKind.IDENTIFIER].name, found[MarkKind.IDENTIFIER].grade) == ("email", "strong")
