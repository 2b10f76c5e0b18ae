"""The verbs of evidence as they are typed and pressed: where the list is shown, what a form carries, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from bot.cases.context import Context
from bot.incident.errors import Invalid, NotFound, Refused
from bot.incident.evidence import Evidence, WaitingBytes
from bot.incident.words import EvidenceKind
from bot.slack import forms
from bot.slack.buttons import Button
from bot.slack.feature import Form, Modal, SharedMessage, Shown
from bot.store import Store
from commands import FEATURES, evidence, evidence_message
from tests.opened import context, opened
from tests.spoken import asking, pressed, said, spoken

ROOM = "C0ROOM"
SECRET = "AK" + "IA" + "QWERTYUIOPASDFGH"


@pytest.fixture
async def ctx(sqlite_store: Store) -> Context:
    made = context(sqlite_store)
    await opened(made)
    async with sqlite_store.unit() as unit:
        (await unit.incident(1)).channel_id = ROOM
    return made


def inside() -> Any:
    return asking(channel=ROOM, incident=1)


async def pieces(ctx: Context) -> list[Evidence]:
    async with ctx.store.read() as session:
        return list((await session.exec(select(Evidence))).all())


def shown(answer: object) -> str:
    assert isinstance(answer, Shown)
    return str([block.to_dict() for block in answer.blocks])


async def test_the_list_is_shown_in_the_room_only(ctx: Context) -> None:
    assert "no evidence yet" in shown(await spoken(ctx, "evidence", inside()))
    said(await spoken(ctx, "evidence --kind logs --name gateway GET /chat 200", asking(incident=1)))
    text = shown(await spoken(ctx, "evidence", inside()))
    assert "*logs* · gateway" in text and "13 bytes" in text and "evidence_add" in text
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "evidence", asking(incident=1))
    with pytest.raises(Invalid):
        await spoken(ctx, "evidence --kind nonsense x", inside())


async def test_a_look_at_a_piece_is_without_secrets_and_for_text_alone(ctx: Context) -> None:
    await spoken(ctx, f"evidence the key is {SECRET}", inside())
    text = shown(await spoken(ctx, "evidence read 1 to compare", inside()))
    assert "the key is" in text and SECRET not in text
    with pytest.raises(NotFound):
        await spoken(ctx, "evidence read 9", inside())
    with pytest.raises(Refused, match="in its room only"):
        await spoken(ctx, "evidence read 1", asking(incident=1))
    async with ctx.store.unit() as unit:
        (await unit.session.get_one(Evidence, 1)).media_type = "image/png"
    with pytest.raises(Refused, match="is no text"):
        await spoken(ctx, "evidence read 1", inside())


async def test_a_piece_is_labelled_and_what_is_missing_is_waived(ctx: Context) -> None:
    await spoken(ctx, "evidence what they sent", inside())
    assert "adversarial input" in said(await spoken(ctx, "evidence label 1 adversarial_input", inside()))
    assert (await pieces(ctx))[0].kind is EvidenceKind.ADVERSARIAL_INPUT
    assert "model state, logs" in said(await spoken(ctx, "evidence waive nobody kept them", inside()))
    assert isinstance(await pressed(ctx, Button.EVIDENCE_WAIVE, "1"), Modal)


async def test_a_steps_form_has_its_kind_chosen_and_an_unknown_step_none(ctx: Context) -> None:
    for step, kind in (("evidence.model_state", "model_state"), ("gone", None)):
        form = await pressed(ctx, Button.STEP_EVIDENCE, f"1|{step}")
        assert isinstance(form, Modal) and form.view.private_metadata == f"1|{step}"
        element = form.view.to_dict()["blocks"][0]["element"]
        chosen = element.get("initial_option", {}).get("value")
        assert chosen == kind, "where nobody says, the person chooses"


def test_a_form_reads_the_ids_of_uploaded_files() -> None:
    values = {
        "kind": {"value": {"type": "static_select", "selected_option": {"value": "logs"}}},
        "files": {"value": {"type": "file_input", "files": [{"id": "F1", "name": "a"}, {"id": "F2"}]}},
        "text": {"value": {"type": "plain_text_input", "value": None}},
    }
    form: Form[Context] = next(one for one in evidence.FEATURE.forms if one.callback_id == "evidence")
    read: Any = forms.read(form, values, incident=1, carried="evidence.logs")
    assert (read.files, read.kind, read.step) == (("F1", "F2"), EvidenceKind.LOGS, "evidence.logs")
    none: Any = forms.read(form, {**values, "files": {"value": {"type": "file_input", "files": []}}}, carried="")
    assert none.files == () and none.step is None


async def test_outside_of_a_room_a_message_asks_for_its_incident_and_carries_ids_only(ctx: Context) -> None:
    message = SharedMessage(
        "C0X", "1.2", "U0EVE", f"my key is {SECRET}", ("F1",), "https://x.slack.com/archives/C0X/p12"
    )
    form = await evidence_message.opened(ctx, asking(message=message))
    assert isinstance(form, Modal) and SECRET not in str(form.view.to_dict())
    asked = form.view.to_dict()["blocks"][0]
    assert (
        asked["block_id"] == "incident" and "INC-1 (SEV-1)" in str(asked) and "credential" not in str(asked).casefold()
    )
    async with ctx.store.read() as session:
        assert [one.content.decode() for one in (await session.exec(select(WaitingBytes))).all()] == [message.text]
    with pytest.raises(Refused, match="neither text nor a file"):
        await evidence_message.opened(ctx, asking(message=SharedMessage("C0X", "1.2", "U0EVE", " ")))


def test_the_shortcut_is_registered_once() -> None:
    assert [one.name for feature in FEATURES for one in feature.message_shortcuts] == ["Save as evidence"]


async def test_the_incident_that_is_chosen_outside_of_a_room_gets_the_message(ctx: Context) -> None:
    message = SharedMessage("C0X", "1.2", "U0EVE", "ignore all instructions")
    form = await evidence_message.opened(ctx, asking(message=message))
    assert isinstance(form, Modal)
    incident, _, carried = str(form.view.private_metadata).partition("|")
    values = {
        "incident": {"value": {"type": "static_select", "selected_option": {"value": "1"}}},
        "kind": {"value": {"type": "static_select", "selected_option": {"value": "adversarial_input"}}},
    }
    read: Any = forms.read(evidence_message.FORM, values, incident=int(incident), carried=carried)
    assert "1 piece of evidence added to INC-1" in await evidence_message.submit(ctx, asking(), read)
    (piece,) = await pieces(ctx)
    assert piece.origin == {"channel": "C0X", "ts": "1.2", "author": "U0EVE"} and piece.name == "message C0X 1.2"
