"""A Home tab: the person's own first, never more than fits, never more than they may see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.incident.homefile import HomeFile
from bot.incident.learning import ActionItem, Risk
from bot.incident.words import ItemKind, Level, Treatment
from bot.practice import blocks as practice
from bot.practice import mrkdwn
from bot.slack.cards.home import HOME_BLOCKS, for_guests, home
from bot.slack.cards.items import WITH_BUTTONS, item_list
from bot.slack.kit import Message
from bot.slack.messages.owed import owed, unowned
from bot.slack.text import Md
from tests.slack.casefiles import ALICE, action, incident, playbook
from tests.slack.test_text import HOSTILE

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def item(number: int = 1, **changed: Any) -> ActionItem:
    values: dict[str, Any] = {
        "id": number, "incident": 12, "text": f"Item {number}", "kind": ItemKind.PREVENT, "owner": ALICE,
        "due_at": NOW - timedelta(days=number), "created_at": NOW,
    }  # fmt: skip
    return ActionItem(**{**values, **changed})


def risk(number: int = 1, **changed: Any) -> Risk:
    values: dict[str, Any] = {
        "id": number, "incident": 12, "text": f"Risk {number}", "likelihood": Level.LOW, "impact": Level.HIGH,
        "treatment": Treatment.MITIGATE, "owner": ALICE, "review_at": NOW, "created_by": ALICE, "created_at": NOW,
    }  # fmt: skip
    return Risk(**{**values, **changed})


def shown(**parts: Any) -> dict[str, Any]:
    view: dict[str, Any] = home(HomeFile(person=ALICE, now=NOW, **parts), playbook()).to_dict()
    practice.view(view, "home")
    return view


def text_of(view: dict[str, Any]) -> str:
    return "\n".join(mrkdwn.unescape(piece.text) for piece in mrkdwn.pieces(view["blocks"]))


def test_with_nothing_to_do_it_says_so_and_offers_to_declare() -> None:
    view = shown()
    assert "None waits for you." in text_of(view) and view["blocks"][0]["elements"][0]["action_id"] == "declare"


def test_everything_at_once_fits_and_what_is_left_out_is_counted() -> None:
    view = shown(
        inside=[incident(number=n, channel_id="C0123456789") for n in range(1, 101)],
        outside=[incident(number=n) for n in range(101, 201)],
        running=400,
        waiting=[(incident(), action(n)) for n in range(1, 40)],
        items=[item(n) for n in range(1, 101)],
        item_count=500,
        overdue=500,
        overdue_all=3000,
        risks=[risk(n) for n in range(1, 60)],
    )
    assert len(view["blocks"]) <= HOME_BLOCKS
    said = text_of(view)
    for part in (
        "500 pending, *500 overdue*",
        "… and 475 more.",
        "… and 375 more.",
        "*3000* action items of everybody",
    ):
        assert part in said


def test_of_an_incident_whose_room_they_are_not_in_there_is_the_public_line_only() -> None:
    secret = {"title": "The quarterly figures leaked", "subject_id": "mallory", "channel_id": "C0123456789"}
    view = shown(outside=[incident(**secret)], running=1)
    assert "INC-12* · SEV-1 · open" in text_of(view)
    assert not any(word in str(view) for word in ("quarterly", "mallory", "C0123456789", "support-bot"))
    inside = text_of(shown(inside=[incident(**secret)], running=1))
    assert "quarterly" in inside and "<#C0123456789>" in inside


def test_a_guest_sees_no_incident_and_no_button() -> None:
    view = for_guests().to_dict()
    practice.view(view, "home")
    assert "full members" in text_of(view) and "action_id" not in str(view)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_calls_nobody_and_links_nowhere(text: str) -> None:
    about = incident(title=text[:300] or "x", channel_id="C0123456789")
    view = shown(items=[item(text=text[:500])], item_count=1, risks=[risk(text=text[:500])], inside=[about], running=1)
    assert set(_mentions(view)) <= {f"<@{ALICE}>", "<#C0123456789>"}
    for message in (owed([item(text=text[:500])], [risk(text=text[:500])], NOW), unowned([item(text=text[:500])], NOW)):
        assert set(_mentions(message.payload())) <= {f"<@{ALICE}>"}


def _mentions(node: Any) -> list[str]:
    """Everything between angle brackets that Slack would obey."""
    return [found for found in re.findall(r"<[^>]*>", str(node)) if not found.startswith("<!date")]


def test_what_one_person_owes_is_one_message_within_the_limits() -> None:
    message = owed(
        [item(n, text="x" * 500) for n in range(1, 101)], [risk(n, text="y" * 500) for n in range(1, 50)], NOW
    )
    assert (
        message.text.startswith("100 of your action items are due soon or overdue; 49 risks")
        and len(message.blocks) <= 50
    )
    one = owed([item(due_at=NOW + timedelta(days=2))], [], NOW)
    assert one.text == "1 of your action items is due soon or overdue."


def test_a_rooms_list_shows_the_most_urgent_with_buttons_and_the_rest_in_lines() -> None:
    items = [item(n, link="https://github.com/a/b/issues/7" if n == 1 else None) for n in range(1, 60)]
    blocks = item_list(Md("*Action items*"), items, NOW, tracked=True)
    message = Message(Md("x"), tuple(blocks))
    shown = str(message.payload())
    assert f"… and {59 - WITH_BUTTONS} more" in shown and "Open an issue" in shown
    assert (
        item_list(Md("x"), [item(due_at=None, owner=None)], NOW)[1]
        .to_dict()["text"]["text"]
        .startswith("*1* · prevent · no owner · no date")
    )
    linked = item_list(Md("x"), [items[0]], NOW, tracked=True)
    assert "`github.com/a/b/issues/7`" in str(linked[1].to_dict()) and "Open an issue" not in str(linked[2].to_dict())
