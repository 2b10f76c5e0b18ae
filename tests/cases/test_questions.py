"""Answers: the last one counts, none is lost, hostile and long text is kept as it should be."""

from __future__ import annotations

import asyncio

import pytest

from bot.cases.questions import LONGEST, answer
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.incident import person
from bot.incident.narrative import describe
from bot.incident.timeline import Happened
from bot.playbook.asked import about_attack, about_clocks
from bot.store import Store, learning, queries
from tests import opened as case

BOB = Caller(person("U0BOB"))


async def told(store: Store) -> list[str]:
    async with store.read() as session:
        await queries.verify_timeline(session, 1)
        return [e.data["text"] for e in await queries.timeline(session, 1) if e.kind is Happened.QUESTION_ANSWERED]


async def test_the_last_answer_counts_and_every_one_is_in_the_timeline(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await answer(ctx, case.ALICE, 1, {"why": "the filter was off", "lucky": "", "clock.gdpr": "not personal data"})
    await asyncio.gather(
        answer(ctx, BOB, 1, {"why": "nobody tested it"}), answer(ctx, case.ALICE, 1, {"why": "the release skipped it"})
    )
    async with store.read() as session:
        answers = await learning.answers(session, 1)
    assert set(answers) == {"why", "clock.gdpr"}
    assert answers["why"] in {"nobody tested it", "the release skipped it"}
    assert sorted(await told(store)) == sorted(
        ["the filter was off", "not personal data", "nobody tested it", "the release skipped it"]
    )
    assert "already" in await answer(ctx, BOB, 1, {"why": answers["why"]})


async def test_hostile_and_secret_text_is_redacted_and_kept_whole(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    key = "AKIA" + "IOSFODNN7EXAMPLE"
    text = f"<!channel> `{key}` \u202e \x00 " + "x" * 2800
    await answer(ctx, case.ALICE, 1, {"what": text})
    [kept] = await told(store)
    assert key not in kept and "x" * 2800 in kept and "\x00" not in kept
    async with store.read() as session:
        entry = (await queries.timeline(session, 1, limit=1))[0]
    assert "answered “what”" in describe(entry)


async def test_too_long_an_answer_is_refused_rather_than_cut(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    await answer(ctx, case.ALICE, 1, {"what": "x" * LONGEST})
    with pytest.raises(Invalid, match="3001 characters"):
        await answer(ctx, case.ALICE, 1, {"what": "x" * (LONGEST + 1)})
    with pytest.raises(Invalid, match="no answer"):
        await answer(ctx, case.ALICE, 1, {"what": "  "})


@pytest.mark.parametrize(
    ("typed", "said"), [("wyh", "`why`"), ("clock.gpdr", "`clock.gdpr`"), ("<!channel>", "There are")]
)
async def test_a_question_that_nobody_asks_is_refused_with_the_nearest(
    sqlite_store: Store, typed: str, said: str
) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    with pytest.raises(Invalid) as refused:
        await answer(ctx, case.ALICE, 1, {typed: "because"})
    assert said in str(refused.value) and "<!channel>" not in str(refused.value)


def test_people_are_asked_everything_that_the_review_prints_of_theirs() -> None:
    asked = [one.id for one in about_attack(case.playbook())]
    assert asked == [
        "vectors", "what", "why", "detection_gap", "defence_gap", "factors", "went_well", "improve", "lucky",
    ]  # fmt: skip
    clocks = [one.id for one in about_clocks(case.playbook())]
    assert "clock.gdpr" in clocks and "clock.circia" not in clocks
