"""Every limit from both sides: what fits passes here and in the practice workspace; what does not is refused or clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.models.blocks import SectionBlock

from bot.practice import blocks as practice
from bot.slack.buttons import Button
from bot.slack.kit import (
    Message,
    actions,
    button,
    confirm,
    context,
    divider,
    fields,
    header,
    message,
    mrkdwn,
    option,
    overflow,
    section,
    static_select,
    users_select,
)
from bot.slack.limits import KitError
from bot.slack.modal import checkboxes, choice, modal, person_input, text_input
from bot.slack.text import Md, md, safe

LONG = safe("word & " * 3_000, 20_000)


def accepted(shown: Message) -> None:
    """Slack would take it: the practice workspace's validator is written apart from ours."""
    practice.message_blocks(shown.payload()["blocks"])


@pytest.mark.parametrize(
    "blocks",
    [
        [header("x" * 10_000)],
        [section(LONG)],
        [fields(*[LONG] * 2)],
        [context(LONG)],
        [actions(button("Approve", Button.APPROVE, "1", ask=confirm("t" * 500, LONG, yes="Approve"), says="s" * 500))],
        [section(md("x"), accessory=overflow(Button.STEP_MORE, [option("l" * 500, "v" * 150)]))],
        [header(""), section(Md("")), divider()],
    ],
    ids=["header", "section", "fields", "context", "confirm", "option", "empty"],
)
def test_text_from_data_is_clipped_and_breaks_no_card(blocks: list[Any]) -> None:
    accepted(Message(md("text"), tuple(blocks)))


def options(count: int) -> list[Any]:
    return [option(str(number), str(number)) for number in range(count)]


def buttons(count: int) -> list[Any]:
    return [button("Done", button_id, "1") for button_id in list(Button)[:count]]


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda n: fields(*[md("x")] * n), 10),
        (lambda n: context(*[md("x")] * n), 10),
        (lambda n: actions(overflow(Button.STEP_MORE, options(n))), 5),
        (lambda n: actions(static_select("s", options(n), placeholder="Pick")), 100),
        (lambda n: actions(button("Done", Button.STEP_DONE, "v" * n)), 2_000),
        (lambda n: actions(overflow(Button.STEP_MORE, [option("l", "v" * n)])), 150),
        (lambda n: section(md("x"), block_id="b" * n), 255),
    ],
    ids=["fields", "context", "overflow", "select", "button value", "option value", "block_id"],
)
def test_what_a_programmer_chose_is_refused_past_the_limit(make: Callable[[int], Any], most: int) -> None:
    accepted(message(md("text"), make(most)))
    with pytest.raises(KitError):
        message(md("text"), make(most + 1))


def test_a_message_has_at_most_50_blocks() -> None:
    accepted(Message(md("text"), tuple([divider()] * 50)))
    with pytest.raises(KitError, match="blocks of a message"):
        Message(md("text"), tuple([divider()] * 51))


def test_all_blocks_together_have_at_most_13200_characters() -> None:
    accepted(Message(md("text"), tuple([section(Md("x" * 2_640))] * 5)))
    with pytest.raises(KitError, match="characters of all blocks"):
        Message(md("text"), tuple([section(Md("x" * 2_641))] * 5))


def test_the_text_is_short_enough_to_be_updated() -> None:
    assert len(message(Md("x" * 10_000), divider()).text) <= 4_000


def test_ids_stand_once() -> None:
    with pytest.raises(KitError, match="block_id"):
        message(md("text"), section(md("a"), block_id="same"), section(md("b"), block_id="same"))
    with pytest.raises(KitError, match="action_id"):
        message(md("text"), actions(button("Done", Button.STEP_DONE, "1"), button("Done", Button.STEP_DONE, "2")))
    message(md("text"), actions(button("Done", Button.STEP_DONE, "1")), actions(button("Done", Button.STEP_DONE, "2")))


def test_text_that_was_not_made_with_md_is_refused() -> None:
    with pytest.raises(KitError):
        mrkdwn("<!channel>")  # type: ignore[arg-type]


def test_a_block_in_which_addresses_become_links_is_refused() -> None:
    with pytest.raises(KitError, match="verbatim"):
        message(md("text"), SectionBlock(text="http://evil.example"))


def test_a_message_needs_text_and_blocks() -> None:
    with pytest.raises(KitError):
        Message(md(" "), (divider(),))
    with pytest.raises(KitError):
        Message(md("text"), ())


def test_the_digest_is_of_what_is_seen() -> None:
    assert message(md("a")).digest() == message(md("a")).digest()
    assert message(md("a")).digest() != message(md("b")).digest()
    assert message(md("a")).digest() != message(md("a"), section(md("b"))).digest()


def test_a_modal_fits() -> None:
    form = modal(
        "declare",
        "Declare an incident",
        text_input("title", "l" * 5_000, initial="t" * 9_000, hint="h" * 5_000, placeholder="What happened?"),
        choice("severity", "Severity", options(4), initial=options(4)[1]),
        choice("trigger", "Trigger", options(100)),
        person_input("commander", "Commander", optional=True),
        checkboxes("flags", "Flags", options(10)),
        metadata="12|step.id",
    )
    practice.view(form.to_dict(), "modal")


@pytest.mark.parametrize(
    "make",
    [
        lambda: modal("m", "A title that is longer than 24", section(md("x"))),
        lambda: modal("m", "Form", text_input("a", "A"), submit=None),
        lambda: modal("m", "Form", text_input("a", "A"), text_input("a", "A")),
        lambda: modal("m", "Form", section(md("x")), metadata="m" * 3_001),
        lambda: modal("m", "Form"),
        lambda: modal("m", "Form", *[divider()] * 101),
        lambda: choice("s", "S", options(101)),
        lambda: checkboxes("s", "S", options(11)),
    ],
)
def test_a_form_that_slack_would_refuse_is_not_made(make: Callable[[], object]) -> None:
    with pytest.raises(KitError):
        make()


def test_a_menu_of_people_says_what_it_is_for() -> None:
    accepted(message(md("text"), actions(users_select("who", placeholder="Who?", initial="U01ALICE"))))
