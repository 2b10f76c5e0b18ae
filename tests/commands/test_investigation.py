"""Classify, scope, answer, since, similar, handover as they are typed and filled in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from bot.cases import note
from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActorKind
from bot.slack import forms
from bot.slack.feature import Modal
from bot.store import Store, learning, queries
from commands import answer, classify, scope
from tests import opened as case
from tests.conftest import Clock, open_incident
from tests.opened import context, opened
from tests.spoken import asking, said, spoken

ROOM = "C0ROOM"
MOST = 4_000
"""Characters of one message."""


@pytest.fixture
async def ctx(sqlite_store: Store) -> Context:
    made = context(sqlite_store)
    await opened(made)
    async with sqlite_store.unit() as unit:
        (await unit.incident(1)).channel_id = ROOM
    return made


def inside(user: str = "U0ALICE") -> Any:
    return asking(user, channel=ROOM, incident=1)


def inputs(form: object) -> dict[str, dict[str, Any]]:
    assert isinstance(form, Modal)
    return {block["block_id"]: block for block in form.view.to_dict()["blocks"]}


def initial(form: object) -> dict[str, str]:
    return {name: one["element"].get("initial_value", "") for name, one in inputs(form).items()}


def filled(form: object, **typed: str) -> dict[str, Any]:
    """The form as Slack sends it back: what it showed, and what was typed over it."""
    both = {**initial(form), **typed}
    return {name: {"value": {"type": "plain_text_input", "value": text or None}} for name, text in both.items()}


async def submitted(ctx: Context, feature: Any, form: object, user: str = "U0ALICE", **typed: str) -> str:
    assert isinstance(form, Modal)
    number, _, carried = str(form.view.private_metadata).partition("|")
    one = feature.forms[0]
    model = forms.read(one, filled(form, **typed), incident=int(number), carried=carried)
    return said(await one.submit(ctx, inside(user=user), model))


# Classify


async def test_the_form_to_classify_shows_what_is_known_and_what_is_implied(ctx: Context) -> None:
    await spoken(ctx, 'classify prompt_injection --vectors "a ticket" AML.T0051.001 llm01')
    form = await spoken(ctx, "classify", inside())
    shown = inputs(form)
    assert shown["category"]["element"]["initial_option"]["value"] == "prompt_injection"
    assert initial(form)["tags"] == "AML.T0051.001, LLM01" and initial(form)["vectors"] == "a ticket"
    assert "AML.T0054" in shown["tags"]["hint"]["text"]
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "classify", asking(incident=1))


async def test_an_emptied_field_of_techniques_means_none(ctx: Context) -> None:
    await spoken(ctx, "classify prompt_injection LLM01")
    values = filled(await spoken(ctx, "classify", inside()), tags="")
    values["category"] = {"value": {"type": "static_select", "selected_option": {"value": "data_poisoning"}}}
    form = classify.FEATURE.forms[0]
    await form.submit(ctx, inside(), forms.read(form, values, incident=1))
    async with ctx.store.read() as session:
        incident = await queries.incident(session, 1)
    assert incident.tags == [] and incident.category == "data_poisoning"


# Scope


async def test_the_scope_is_typed_and_the_form_shows_it(ctx: Context) -> None:
    line = (
        'scope --models "gpt-4o, llama" --users 1,200 --records unknown --data-classes e-mail --basis "counted in logs"'
    )
    await spoken(ctx, line)
    form = await spoken(ctx, "scope", inside())
    assert initial(form) == {
        "models": "gpt-4o, llama",
        "environments": "",
        "users": "1200",
        "records": "",
        "data_classes": "e-mail",
        "basis": "counted in logs",
    }
    await submitted(ctx, scope.FEATURE, form, users="", records="5")
    async with ctx.store.read() as session:
        known = (await queries.case_file(session, 1, ctx.store.now())).exposure
    assert known is not None and (known.users_exposed, known.records_exposed) == (None, 5)


async def test_a_figure_that_is_none_is_said_under_its_input(ctx: Context) -> None:
    form = await spoken(ctx, "scope", inside())
    with pytest.raises(forms.FormErrors) as wrong:
        forms.read(scope.FEATURE.forms[0], filled(form, users="about 300"), incident=1)
    assert set(wrong.value.errors) == {"users"} and "whole number" in wrong.value.errors["users"]
    with pytest.raises(Invalid, match="whole number"):
        await spoken(ctx, "scope --users many")


# Answers


async def test_whoever_left_an_answer_as_they_found_it_overwrites_nothing(ctx: Context) -> None:
    await spoken(ctx, "answer why the filter was off")
    of_alice, of_bob = await spoken(ctx, "answer", inside()), await spoken(ctx, "answer", inside())
    labels = {block["label"]["text"]: name for name, block in inputs(of_alice).items()}
    why, lucky = labels["Why did it happen?"], labels["Where did we get lucky?"]
    assert initial(of_alice)[why] == "the filter was off"
    await submitted(ctx, answer.FEATURE, of_bob, user="U0BOB", **{why: "nobody tested the filter " + "x" * 2900})
    said_to_alice = await submitted(ctx, answer.FEATURE, of_alice, **{lucky: "it was a test tenant"})
    assert said_to_alice.startswith("Your answer is kept")
    async with ctx.store.read() as session:
        answers = await learning.answers(session, 1)
    assert answers["why"].startswith("nobody tested") and answers["lucky"] == "it was a test tenant"
    assert "Nothing was changed" in await submitted(ctx, answer.FEATURE, await spoken(ctx, "answer", inside()))


async def test_the_legal_clocks_have_a_form_of_their_own(ctx: Context) -> None:
    form = await spoken(ctx, "answer clocks", inside())
    first = next(iter(inputs(form)))
    assert inputs(form)[first]["label"]["text"].startswith("GDPR")
    await submitted(ctx, answer.FEATURE, form, **{first: "<!channel> no personal data"})
    async with ctx.store.read() as session:
        assert await learning.answers(session, 1) == {"clock.gdpr": "<!channel> no personal data"}
    shown = said(await spoken(ctx, "since 1h", inside()))
    assert "<!channel>" not in shown and "no personal data" in shown


# Since


async def test_since_shows_how_things_stand_and_what_changed(ctx: Context, clock: Clock) -> None:
    clock.now += timedelta(minutes=40)
    assert "Nothing was recorded" in said(await spoken(ctx, "since 30m", inside()))
    await spoken(ctx, "ack")
    await spoken(ctx, "role take")
    await spoken(ctx, "note the <!here> canary *was* in the second answer")
    clock.now += timedelta(minutes=5)
    shown = said(await spoken(ctx, "since 30m", inside()))
    assert "leads" in shown and "not estimated" in shown
    assert "*Status:* " in shown and "*People:* " in shown and "*Notes:* 1" in shown
    assert "<!here>" not in shown and "opened the incident" not in shown
    assert "opened the incident" in said(await spoken(ctx, "since 1h", inside()))
    assert "acknowledged the incident" in said(await spoken(ctx, "since ack", inside()))
    with pytest.raises(Invalid, match="lies ahead"):
        await spoken(ctx, "since 2030-01-01T00:00", inside())
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "since 30m")


async def test_an_incident_with_nothing_but_its_opening_has_one_change(sqlite_store: Store) -> None:
    ctx = context(sqlite_store)
    async with sqlite_store.unit() as unit:
        await open_incident(unit, channel_id=ROOM)
    shown = said(await spoken(ctx, "since 2026-01-01T00:00", inside()))
    assert "*Status:* 1\n" in shown and "more:" not in shown
    assert "Nothing like INC-1" in said(await spoken(ctx, "similar", inside()))
    assert "being posted" in said(await spoken(ctx, "handover", inside()))
    assert "is classified" in said(await spoken(ctx, "classify model_theft", inside()))


async def fill(store: Store, count: int, clock: Clock) -> None:
    """So many entries of 90 days, one in a hundred a note; their hashes are nobody's concern here."""
    async with store.unit() as unit:
        incident = await unit.incident(1)
        rows = [
            {
                "incident": 1, "seq": incident.head_seq + 1 + place, "at": clock.now + timedelta(seconds=77 * place),
                "kind": Happened.NOTE if place % 100 == 0 else Happened.ALERT_ATTACHED, "actor_kind": ActorKind.ALERT,
                "actor": "siem", "data": {"text": f"note {place} <!channel>", "title": "again"}, "prev_hash": "", "hash": "",
            }
            for place in range(count)
        ]  # fmt: skip
        await (await unit.session.connection()).execute(insert(TimelineEntry), rows)
        incident.head_seq += count
    clock.now += timedelta(seconds=77 * count)


async def test_ninety_days_with_very_many_entries_are_counted_and_fit_one_message(ctx: Context, clock: Clock) -> None:
    await fill(ctx.store, 5_000, clock)
    shown = said(await spoken(ctx, "since 2d", inside()))
    entries = 2 * 86_400 // 77
    assert len(shown) < MOST and "<!channel>" not in shown
    assert f"*Notes:* {entries // 100}" in shown and "the last " in shown
    left = int(shown.rpartition("… and ")[2].partition(" more: `/incident timeline`")[0].replace(",", ""))
    assert left + shown.count("\n• ") == entries
    assert len(said(await spoken(ctx, "since 90d", inside()))) < MOST


async def test_times_that_are_out_of_order_are_shown_as_they_were_recorded(ctx: Context, clock: Clock) -> None:
    clock.now += timedelta(hours=3)  # a clock that runs ahead, and is set back
    await note.note(ctx, case.ALICE, 1, text="written by a clock that ran ahead")
    clock.now -= timedelta(hours=2)
    await note.note(ctx, case.ALICE, 1, text="written after it was set right")
    clock.now += timedelta(minutes=1)
    shown = said(await spoken(ctx, "since 30m", inside()))
    assert "ran ahead" in shown and shown.index("ran ahead") < shown.index("set right")


# Similar and handover


async def test_similar_incidents_are_listed_by_their_public_line(ctx: Context) -> None:
    await opened(ctx, user="eve", app="mail")
    async with ctx.store.unit() as unit:
        (await unit.incident(2)).title = "the quarterly figures leaked"
    shown = said(await spoken(ctx, "similar", inside()))
    assert "*INC-2*" in shown and "25 points: the same trigger, the same kind of attack" in shown
    assert "quarterly" not in shown
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "similar INC-1")


async def test_a_handover_is_typed_with_a_person_and_words(ctx: Context) -> None:
    await spoken(ctx, "role take")
    assert "<@U0BOB> is asked" in said(await spoken(ctx, "handover <@U0BOB|bob> watch the canary", inside()))
    assert "being posted" in said(await spoken(ctx, "handover", inside()))
    with pytest.raises(Invalid, match="Pick a person"):
        await spoken(ctx, "handover bob", inside())
