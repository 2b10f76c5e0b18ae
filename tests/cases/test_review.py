"""The review is asked for, planned at the close, reminded of until it was held; what leaves is released by a person."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from markdown_it import MarkdownIt

from bot.cases import finish, release, review, roles
from bot.cases.context import Context
from bot.cases.remind import sweep
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import SYSTEM, person
from bot.incident.outward import IntentKind, ReminderKind
from bot.incident.timeline import Happened
from bot.incident.words import Role, Status
from bot.review.documents import makers
from bot.store import Store, queries
from tests import opened as case
from tests.conftest import START, Clock
from tests.review import told

ALICE, BOB = case.ALICE, Caller(person("U0BOB"))
GUEST = Caller(person("U0GUEST"), full_member=False)
K = ReminderKind.REVIEW_DUE


@pytest.fixture
def ctx(store: Store) -> Context:
    return replace(case.context(store), documents=makers(told.desk(store)))


async def closed(ctx: Context, store: Store) -> int:
    """Resolved, with its proof waived, and closed by its commander."""
    number = await case.opened(ctx)
    await roles.assign(ctx, ALICE, number, role=Role.COMMANDER, person="U0ALICE")
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.status = Status.RESOLVED
        incident.resolved_at = incident.ended_at = unit.now
    await finish.close(ctx, ALICE, number)
    return number


async def days(store: Store, number: int) -> list[float]:
    return [(row.due_at - START) / timedelta(days=1) for row in await case.reminders(store, number, K)]


async def test_at_the_close_it_is_due_within_two_weeks_and_the_room_is_reminded_until_it_was_held(
    ctx: Context, store: Store, clock: Clock
) -> None:
    number = await closed(ctx, store)
    assert (await case.incident(store, number)).review_due_at == START + timedelta(days=14)
    assert await days(store, number) == [7, 14]
    told_on = []
    for day in range(1, 36):
        clock.now = START + timedelta(days=day, seconds=1)
        before = len([one for one in await case.posts(store, number) if one["message"] == "review_due"])
        await sweep(ctx)
        if len([one for one in await case.posts(store, number) if one["message"] == "review_due"]) > before:
            told_on.append(day)
        if day == 29:
            await review.held(ctx, BOB, number, text="with both teams")
    assert told_on == [7, 14, 21, 28], "a week before, on the day, then every week, and never once it was held"
    async with store.read() as session:
        entry = await queries.last_entry(session, number, Happened.REVIEW_HELD)
    assert entry is not None and entry.data == {"text": "with both teams"}


async def test_the_close_says_when_it_is_due_and_a_reopened_incident_gets_another_review(
    ctx: Context, store: Store, clock: Clock
) -> None:
    number = await closed(ctx, store)
    said = [one.args["message"] for one in await case.intents(store, number, IntentKind.POST)]
    assert said.count("review_due") == 1
    await review.held(ctx, ALICE, number)
    await finish.reopen(ctx, ALICE, number, reason="it came back")
    clock.advance(days=1)
    async with store.unit() as unit:
        incident = await unit.incident(number)
        incident.status, incident.ended_at = Status.RESOLVED, unit.now
    await finish.close(ctx, ALICE, number)
    assert (await case.incident(store, number)).review_due_at == START + timedelta(days=15)


async def test_whoever_asks_for_a_draft_again_gets_it_again(ctx: Context, store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    for act in ("slash:1", "slash:2"):
        await release.draft(ctx, replace(BOB, inbound=act), number, document="share")
    assert len(await case.intents(store, number, IntentKind.UPLOAD)) == 2


async def test_hostile_words_in_a_summary_stay_words(ctx: Context, store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    for document in ("share", "vendor"):
        shown, _, _ = await drafted(ctx, store, number, document, told.HOSTILE)
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(shown)
        kinds = {one.type for token in tokens for one in [token, *(token.children or ())]}
        assert not kinds & {"link_open", "image", "html_block", "html_inline", "code_inline", "bullet_list_open"}


async def test_another_day_takes_the_place_of_the_first(ctx: Context, store: Store, clock: Clock) -> None:
    number = await closed(ctx, store)
    answer = await review.plan(ctx, BOB, number, on=date(2026, 4, 1))
    assert "2026-04-01" in answer
    assert (await case.incident(store, number)).review_due_at == datetime(2026, 4, 1, 9, tzinfo=UTC)
    assert await days(store, number) == [23, 30]
    for wrong in (date(2026, 3, 1), date(2027, 6, 1)):
        with pytest.raises(Invalid, match="For example"):
            await review.plan(ctx, BOB, number, on=wrong)


async def test_an_incident_that_runs_again_is_not_reminded_of(ctx: Context, store: Store, clock: Clock) -> None:
    number = await closed(ctx, store)
    await finish.reopen(ctx, ALICE, number, reason="it came back")
    clock.advance(days=14, seconds=1)
    await sweep(ctx)
    assert not [one for one in await case.posts(store, number) if one["message"] == "review_due"]
    with pytest.raises(Refused, match="not resolved yet"):
        await review.held(ctx, ALICE, number)


async def test_a_review_is_asked_for_by_members_and_shared_once_for_the_same_state(ctx: Context, store: Store) -> None:
    number = await case.opened(ctx)
    for _ in range(2):
        assert "is being written" in await review.ask(ctx, BOB, number)
    await review.ask(ctx, BOB, number, names=True)
    with pytest.raises(Refused):
        await review.ask(ctx, GUEST, number)
    wanted = await case.intents(store, number, IntentKind.UPLOAD)
    assert [(one.args["document"], one.args["by"], one.args.get("names")) for one in wanted] == [
        ("review", "U0BOB", None),
        ("review", "U0BOB", True),
    ]


async def drafted(
    ctx: Context, store: Store, number: int, document: str, text: str | None = None
) -> tuple[str, int, str]:
    """A draft that was delivered: its text, up to which entry, and its digest."""
    await release.draft(ctx, BOB, number, document=document, text=text)
    args = (await case.intents(store, number, IntentKind.UPLOAD))[-1].args
    [made] = await ctx.documents[document](args | {"incident": number})
    async with store.unit() as unit:
        unit.record(
            await unit.incident(number), Happened.DOCUMENT_WRITTEN, SYSTEM, document=document, sha256=args["sha256"]
        )
    return made.content.decode(), args["upto"], args["sha256"]


async def test_a_summary_for_others_has_no_name_no_id_and_no_word_of_the_room(
    ctx: Context, store: Store, clock: Clock
) -> None:
    number = await told.whole(store, clock, text="ORCHID was in the room")
    text = "mallory@example.com asked the shop from 10.0.0.7; <@U0ALICE01> saw U0BOB0002 and session-4711"
    shown, _, _ = await drafted(ctx, store, number, "share", text)
    for hidden in (
        "mallory",
        "ORCHID",
        "shop-staging",
        "acme",
        "billing-db",
        "U0ALICE01",
        "U0BOB0002",
        "10.0.0.7",
        "4711",
    ):
        assert hidden not in shown, hidden
    assert f"INC-{number}" not in shown and "user-1" in shown and "TLP:GREEN" in shown
    assert re.search(r"user-1 asked the application-1 from an-address; a-responder saw", shown)


async def test_only_exactly_what_was_shown_is_released_and_only_by_who_may(
    ctx: Context, store: Store, clock: Clock
) -> None:
    number = await told.whole(store, clock)
    _, upto, digest = await drafted(ctx, store, number, "share", "filter what is retrieved")
    asked = {"document": "share", "upto": upto, "sha256": digest}
    commander = Caller(person(told.ALICE))
    with pytest.raises(Refused, match="Only the commander"):
        await release.release(ctx, BOB, number, **asked)
    with pytest.raises(Refused, match="has changed"):
        await release.release(ctx, commander, number, **asked | {"sha256": "0" * 64})
    assert "is released" in await release.release(ctx, commander, number, **asked)
    assert "already" in await release.release(ctx, commander, number, **asked)
    sent = [one.args for one in await case.intents(store, number, IntentKind.UPLOAD)]
    assert [one["sha256"] for one in sent if not one.get("draft")] == [digest]
    _, later, other = await drafted(ctx, store, number, "share", "something else now")
    assert other != digest
    with pytest.raises(Refused, match="has changed"):
        await release.release(ctx, commander, number, **asked)
    with pytest.raises(Refused, match="has changed"):
        await ctx.documents["share"]({"incident": number, "upto": later, "sha256": digest})


async def test_what_was_never_shown_is_not_released(ctx: Context, store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock)
    await release.draft(ctx, BOB, number, document="vendor")
    args = (await case.intents(store, number, IntentKind.UPLOAD))[-1].args
    with pytest.raises(Refused, match="never shown"):
        await release.release(
            ctx, Caller(person(told.ALICE)), number, document="vendor", upto=args["upto"], sha256=args["sha256"]
        )


async def test_a_vendor_is_told_the_model_and_hashes_and_no_customer(ctx: Context, store: Store, clock: Clock) -> None:
    number = await told.whole(store, clock, text="ORCHID")
    shown, _, _ = await drafted(ctx, store, number, "vendor", "acme-large gave mallory@example.com its prompt")
    assert "acme-large" in shown and "a" * 64 in shown and "AML.T0051" in shown and "v1" in shown
    assert "acme-large gave user-1 its prompt" in shown
    assert "mallory" not in shown and "ORCHID" not in shown and "NOT PROVIDED" in shown
