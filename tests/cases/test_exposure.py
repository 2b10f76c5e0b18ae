"""Scope as data: unknown is never zero, the first hour's fact holds once it is estimated, the last estimate counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.cases.exposure import Estimate, count, estimate
from bot.incident.casefile import CaseFile
from bot.incident.errors import Invalid
from bot.incident.timeline import Happened, TimelineEntry
from bot.slack.cards.announcement import announcement
from bot.slack.cards.card import card
from bot.slack.cards.scene import Scene
from bot.store import Store, queries, reminders
from tests import opened as case


async def file(store: Store) -> CaseFile:
    async with store.read() as session:
        return await queries.case_file(session, 1, store.now())


async def entries(store: Store) -> Sequence[TimelineEntry]:
    async with store.read() as session:
        return [one for one in await queries.timeline(session, 1) if one.kind is Happened.EXPOSURE_ESTIMATED]


async def test_an_estimate_is_stored_recorded_and_meets_the_first_hours_need(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    assert not (await file(store)).fact("scope")
    given = Estimate(models="gpt-4o, gpt-4o,llama", users="1,200", records="unknown", basis="counted in the logs")
    await estimate(ctx, case.ALICE, 1, given)
    known = (await file(store)).exposure
    assert known is not None and known.models == ["gpt-4o", "llama"]
    assert (known.users_exposed, known.records_exposed) == (1200, None)
    assert (await file(store)).fact("scope")
    async with store.read() as session:
        progress = await reminders.progress(session, [await queries.incident(session, 1)], store.now())
    assert progress[1].fact("scope"), "nor does the clock ask for it any more"
    [entry] = await entries(store)
    assert entry.data["users"] == 1200 and entry.data["records"] is None


async def test_what_is_not_said_stays_and_what_is_not_known_any_more_goes(store: Store) -> None:
    ctx = case.context(store)
    await case.opened(ctx)
    await estimate(ctx, case.ALICE, 1, Estimate(models="gpt-4o", users="7", basis="a guess"))
    await estimate(ctx, case.ALICE, 1, Estimate(users="unknown", records="0"))
    known = (await file(store)).exposure
    assert known is not None and known.models == ["gpt-4o"] and known.basis == "a guess"
    assert (known.users_exposed, known.records_exposed) == (None, 0), "somebody counted, and there were none"
    assert "already" in await estimate(ctx, case.ALICE, 1, Estimate(users="unknown"))
    assert len(await entries(store)) == 2


async def test_it_is_shown_in_the_room_and_never_to_stakeholders(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    hostile = Estimate(models="<!channel>,*x*", users="12345", basis="sk-proj-" + "a1B2" * 12)
    await estimate(ctx, case.ALICE, 1, hostile)
    scene = Scene(await file(sqlite_store), ctx.playbook)
    shown = str(card(scene).payload())
    assert (
        "users: 12,345 · records: not known" in shown and "<!channel>" not in shown and "a1B2a1B2a1B2a1B2" not in shown
    )
    assert "12,345" not in str(announcement(scene).payload())


@pytest.mark.parametrize("text", ["about 300", "-1", "1.5", "1,20", "2000000001", "٣", "1e9", "9" * 30])
def test_a_figure_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        count(text)


async def test_nothing_said_and_too_many_names_are_refused(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    await case.opened(ctx)
    for given in (
        Estimate(),
        Estimate(models=" "),
        Estimate(models=",".join(map(str, range(30)))),
        Estimate(users="x"),
    ):
        with pytest.raises(Invalid):
            await estimate(ctx, case.ALICE, 1, given)
    assert (await file(sqlite_store)).exposure is None
