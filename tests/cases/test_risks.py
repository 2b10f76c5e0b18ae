"""The risk register: entered, changed, looked at again, closed."""

from __future__ import annotations

import pytest

from bot.cases import remind, risks
from bot.cases.risks import Change
from bot.incident.caller import Caller
from bot.incident.due import in_days
from bot.incident.errors import Refused
from bot.incident.incident import person
from bot.incident.timeline import Happened
from bot.incident.words import Level, Treatment
from bot.store import Store
from bot.store.items import risks_of
from tests import opened as case
from tests.cases.test_items import ALICE, ROOM, leading, owed_to, told
from tests.conftest import START, Clock

MEDIUM, HIGH = Level.MEDIUM, Level.HIGH
SAID = {"likelihood": MEDIUM, "impact": HIGH, "treatment": Treatment.MITIGATE}


async def test_its_owner_is_told_on_the_review_date_and_never_after_it_is_closed(store: Store, clock: Clock) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    for days in (5, 9):
        due = in_days(START, days)
        await risks.enter(ctx, ALICE, number, text="other prompts", owner="U0OWNER", review_at=due, **SAID)  # type: ignore[arg-type]
    await risks.close(ctx, ALICE, 2, reason="the model is switched off")
    clock.now = in_days(START, 5).replace(hour=7)
    await remind.sweep(ctx)
    assert await owed_to(store) == []
    clock.now = in_days(START, 5).replace(hour=9)
    await remind.sweep(ctx)
    clock.now = in_days(START, 20)
    await remind.sweep(ctx)
    assert await owed_to(store) == [("direct:owed:U0OWNER:2026-03-07", "U0OWNER")]


async def test_every_change_is_on_the_timeline_and_a_closed_one_stays_as_it_was(store: Store) -> None:
    ctx = case.context(store)
    number = await leading(ctx)
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    await risks.enter(ctx, ALICE, number, text=f"keys like {token} <!channel>", **SAID)  # type: ignore[arg-type]
    await risks.change(ctx, ALICE, 1, Change(likelihood=Level.LOW, treatment=Treatment.ACCEPT))
    await risks.close(ctx, ALICE, 1, reason="accepted by the board")
    with pytest.raises(Refused, match="was closed at 2026-03-02 09:00 UTC"):
        await risks.change(ctx, ALICE, 1, Change(impact=Level.LOW))
    entries = await told(store, number, Happened.RISK_ENTERED, Happened.RISK_CHANGED)
    assert [one.get("reason") for one in entries] == [
        None,
        "likelihood low, impact high",
        "closed: accepted by the board",
    ]
    async with store.read() as session:
        [risk] = await risks_of(session, number)
    assert token not in risk.text + str(entries) and risk.treatment is Treatment.ACCEPT


async def test_who_is_not_in_the_room_enters_and_changes_nothing(sqlite_store: Store) -> None:
    ctx = case.context(sqlite_store)
    number = await leading(ctx)
    await risks.enter(ctx, ALICE, number, text="x", room=ROOM, **SAID)  # type: ignore[arg-type]
    eve = Caller(person("U0EVE"))
    with pytest.raises(Refused, match="/incident join"):
        await risks.enter(ctx, eve, number, text="x", **SAID)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="/incident join"):
        await risks.close(ctx, eve, 1, reason="x")
