"""Block Kit limits, both sides of each: what is just allowed passes, one more is refused at the right pointer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models import blocks as m
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.blocks import message_blocks, problems, view
from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import SlackError

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def md(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def x(count: int) -> str:
    return "x" * count


def section(**keys: Any) -> Json:
    return {"type": "section", "text": md("t"), **keys}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(**keys: Any) -> Json:
    return {"type": "button", "action_id": "b", "text": plain("b"), **keys}


def options(count: int, **keys: Any) -> list[Json]:
    return [{"text": plain(str(n)), "value": str(n), **keys} for n in range(count)]


def menu(kind: str, **keys: Any) -> Json:
    return {"type": kind, "action_id": "m", **keys}


def field(element: Json, **keys: Any) -> Json:
    return {"type": "input", "label": plain("l"), "element": element, **keys}


def confirm(**keys: Any) -> Json:
    texts = {"title": plain("t"), "text": md("x"), "confirm": plain("y"), "deny": plain("n")}
    return actions(button(confirm={**texts, **keys}))


def table(rows: int, columns: int, text: str = "c") -> Json:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


Make = Callable[[int], list[Json]]
MESSAGE_LIMITS: list[tuple[str, int, Make, str]] = [
    ("blocks of a message", 50, lambda n: [{"type": "divider"}] * n, "/blocks"),
    ("section text", 3000, lambda n: [{"type": "section", "text": md(x(n))}], "/blocks/0/text/text"),
    ("section fields", 10, lambda n: [{"type": "section", "fields": [md("f")] * n}], "/blocks/0/fields"),
    ("a field", 2000, lambda n: [{"type": "section", "fields": [md(x(n))]}], "/blocks/0/fields/0/text"),
    ("header", 150, lambda n: [{"type": "header", "text": plain(x(n))}], "/blocks/0/text/text"),
    ("context elements", 10, lambda n: [{"type": "context", "elements": [md("c")] * n}], "/blocks/0/elements"),
    (
        "actions elements",
        25,
        lambda n: [actions(*(button(action_id=str(i)) for i in range(n)))],
        "/blocks/0/elements",
    ),
    ("block_id", 255, lambda n: [section(block_id=x(n))], "/blocks/0/block_id"),
    ("action_id", 255, lambda n: [actions(button(action_id=x(n)))], "/blocks/0/elements/0/action_id"),
    ("button text", 75, lambda n: [actions(button(text=plain(x(n))))], "/blocks/0/elements/0/text/text"),
    ("button value", 2000, lambda n: [actions(button(value=x(n)))], "/blocks/0/elements/0/value"),
    ("button url", 3000, lambda n: [actions(button(url="https://" + x(n - 8)))], "/blocks/0/elements/0/url"),
    (
        "accessibility label",
        75,
        lambda n: [actions(button(accessibility_label=x(n)))],
        "/blocks/0/elements/0/accessibility_label",
    ),
    (
        "checkbox options",
        10,
        lambda n: [actions(menu("checkboxes", options=options(n)))],
        "/blocks/0/elements/0/options",
    ),
    (
        "radio options",
        10,
        lambda n: [actions(menu("radio_buttons", options=options(n)))],
        "/blocks/0/elements/0/options",
    ),
    (
        "overflow options",
        5,
        lambda n: [section(accessory=menu("overflow", options=options(n)))],
        "/blocks/0/accessory/options",
    ),
    (
        "select options",
        100,
        lambda n: [actions(menu("static_select", options=options(n)))],
        "/blocks/0/elements/0/options",
    ),
    (
        "option groups",
        100,
        lambda n: [
            actions(
                menu("static_select", option_groups=[{"label": plain("g"), "options": options(1)} for _ in range(n)])
            )
        ],
        "/blocks/0/elements/0/option_groups",
    ),
    (
        "group label",
        75,
        lambda n: [actions(menu("static_select", option_groups=[{"label": plain(x(n)), "options": options(1)}]))],
        "/blocks/0/elements/0/option_groups/0/label/text",
    ),
    (
        "option text",
        75,
        lambda n: [actions(menu("static_select", options=[{"text": plain(x(n)), "value": "v"}]))],
        "/blocks/0/elements/0/options/0/text/text",
    ),
    (
        "option value",
        150,
        lambda n: [actions(menu("static_select", options=[{"text": plain("t"), "value": x(n)}]))],
        "/blocks/0/elements/0/options/0/value",
    ),
    (
        "option description",
        75,
        lambda n: [actions(menu("static_select", options=options(1, description=plain(x(n)))))],
        "/blocks/0/elements/0/options/0/description/text",
    ),
    (
        "placeholder",
        150,
        lambda n: [actions(menu("users_select", placeholder=plain(x(n))))],
        "/blocks/0/elements/0/placeholder/text",
    ),
    ("confirm title", 100, lambda n: [confirm(title=plain(x(n)))], "/blocks/0/elements/0/confirm/title/text"),
    ("confirm text", 300, lambda n: [confirm(text=md(x(n)))], "/blocks/0/elements/0/confirm/text/text"),
    ("confirm yes", 30, lambda n: [confirm(confirm=plain(x(n)))], "/blocks/0/elements/0/confirm/confirm/text"),
    ("confirm no", 30, lambda n: [confirm(deny=plain(x(n)))], "/blocks/0/elements/0/confirm/deny/text"),
    (
        "image url",
        3000,
        lambda n: [{"type": "image", "image_url": "https://" + x(n - 8), "alt_text": "a"}],
        "/blocks/0/image_url",
    ),
    (
        "image alt text",
        2000,
        lambda n: [{"type": "image", "image_url": "https://a", "alt_text": x(n)}],
        "/blocks/0/alt_text",
    ),
    (
        "image title",
        2000,
        lambda n: [{"type": "image", "image_url": "https://a", "alt_text": "a", "title": plain(x(n))}],
        "/blocks/0/title/text",
    ),
    ("input label", 2000, lambda n: [field(menu("users_select"), label=plain(x(n)))], "/blocks/0/label/text"),
    ("input hint", 2000, lambda n: [field(menu("users_select"), hint=plain(x(n)))], "/blocks/0/hint/text"),
    ("markdown", 12_000, lambda n: [{"type": "markdown", "text": x(n)}], "/blocks/0/text"),
    ("table rows", 100, lambda n: [table(n, 1)], "/blocks/0/rows"),
    ("table columns", 20, lambda n: [table(1, n)], "/blocks/0/rows/0/row"),
    ("table characters", 10_000, lambda n: [table(1, 1, x(n))], "/blocks/0/rows"),
    (
        "carousel cards",
        10,
        lambda n: [{"type": "carousel", "elements": [{"type": "card", "title": md("t")}] * n}],
        "/blocks/0/elements",
    ),
    ("card body", 200, lambda n: [{"type": "card", "body": md(x(n))}], "/blocks/0/body/text"),
    (
        "container children",
        10,
        lambda n: [{"type": "container", "child_blocks": [{"type": "divider"}] * n}],
        "/blocks/0/child_blocks",
    ),
]


@pytest.mark.parametrize(("name", "limit", "make", "pointer"), MESSAGE_LIMITS, ids=[row[0] for row in MESSAGE_LIMITS])
def test_a_limit_of_messages_holds_on_both_sides(name: str, limit: int, make: Make, pointer: str) -> None:
    assert problems(make(limit), "message") == []
    found = problems(make(limit + 1), "message")
    assert found, name
    assert found[0].endswith(f"[json-pointer:{pointer}]")


def modal(*blocks: Json, **keys: Any) -> Json:
    return {"type": "modal", "title": plain("t"), "submit": plain("s"), "blocks": list(blocks), **keys}


MODAL_LIMITS: list[tuple[str, int, Callable[[int], Json], str]] = [
    ("blocks of a modal", 100, lambda n: modal(*[{"type": "divider"}] * n), "/view/blocks"),
    ("title", 24, lambda n: modal(title=plain(x(n))), "/view/title/text"),
    ("submit", 24, lambda n: modal(submit=plain(x(n))), "/view/submit/text"),
    ("close", 24, lambda n: modal(close=plain(x(n))), "/view/close/text"),
    ("private_metadata", 3000, lambda n: modal(private_metadata=x(n)), "/view/private_metadata"),
    ("callback_id", 255, lambda n: modal(callback_id=x(n)), "/view/callback_id"),
    ("external_id", 255, lambda n: modal(external_id=x(n)), "/view/external_id"),
    ("alert", 200, lambda n: modal({"type": "alert", "text": md(x(n))}), "/view/blocks/0/text/text"),
    (
        "max_length",
        3000,
        lambda n: modal(field(menu("plain_text_input", max_length=n))),
        "/view/blocks/0/element/max_length",
    ),
    ("max_files", 10, lambda n: modal(field(menu("file_input", max_files=n))), "/view/blocks/0/element/max_files"),
]


@pytest.mark.parametrize(("name", "limit", "make", "pointer"), MODAL_LIMITS, ids=[row[0] for row in MODAL_LIMITS])
def test_a_limit_of_modals_holds_on_both_sides(
    name: str, limit: int, make: Callable[[int], Json], pointer: str
) -> None:
    view(make(limit), "modal")
    with pytest.raises(SlackError) as caught:
        view(make(limit + 1), "modal")
    assert caught.value.code == "invalid_arguments"
    assert pointer in caught.value.extra["response_metadata"]["messages"][0]


WRONG: list[tuple[str, list[Json], str, str]] = [
    ("an unknown block", [{"type": "banner"}], "message", "unsupported type: banner"),
    ("an empty text", [{"type": "section", "text": md("")}], "message", "must be more than 0 characters"),
    ("an empty button", [actions(button(text=plain("")))], "message", "must be more than 0 characters"),
    ("a section of nothing", [{"type": "section"}], "message", "must provide either text or fields"),
    ("no elements", [actions()], "message", "must provide at least 1 item"),
    ("mrkdwn in a header", [{"type": "header", "text": md("h")}], "message", "unsupported type: mrkdwn"),
    ("mrkdwn on a button", [actions(button(text=md("b")))], "message", "unsupported type: mrkdwn"),
    ("emoji in mrkdwn", [section(text={**md("t"), "emoji": True})], "message", "invalid additional property: emoji"),
    ("a key that is not there", [section(colour="red")], "message", "invalid additional property: colour"),
    ("two equal block ids", [section(block_id="a"), section(block_id="a")], "message", '"a" already exists'),
    ("two equal action ids", [actions(button(), button())], "message", '"b" already exists'),
    ("a script as url", [actions(button(url="javascript:alert(1)"))], "message", "must be a valid URL"),
    ("a data image", [{"type": "image", "image_url": "data:x", "alt_text": "a"}], "message", "must be a valid URL"),
    ("an image without alt text", [{"type": "image", "image_url": "https://a"}], "message", "field: alt_text"),
    ("an unknown style", [actions(button(style="loud"))], "message", "must be one of"),
    ("a text field in a message's actions", [actions(menu("plain_text_input"))], "message", "unsupported type"),
    ("a button in an input", [field(button())], "modal", "unsupported type: button"),
    ("an e-mail field in a message", [field(menu("email_text_input"))], "message", "unsupported type"),
    ("an alert in a message", [{"type": "alert", "text": md("a")}], "message", "unsupported type: alert"),
    ("markdown in a modal", [{"type": "markdown", "text": "a"}], "modal", "unsupported type: markdown"),
    ("a table on the Home tab", [table(1, 1)], "home", "unsupported type: table"),
    ("a select without options", [actions(menu("static_select"))], "message", "either options or option_groups"),
    (
        "an initial option that is not offered",
        [actions(menu("static_select", options=options(2), initial_option=options(3)[2]))],
        "message",
        "must match one of the options",
    ),
    ("two tables", [table(1, 1), table(1, 1)], "message", "only one table allowed"),
    ("a multi select among actions", [actions(menu("multi_users_select"))], "message", "unsupported type"),
    ("an epoch that is no epoch", [actions(menu("datetimepicker", initial_date_time=1))], "message", "between"),
    ("a date that is no date", [actions(menu("datepicker", initial_date="1/1/26"))], "message", "YYYY-MM-DD"),
    (
        "a field shorter than its minimum",
        [field(menu("plain_text_input", min_length=9, max_length=3))],
        "modal",
        "must not be greater",
    ),
    ("markdown beyond its total", [{"type": "markdown", "text": x(7000)}] * 2, "message", "in all markdown blocks"),
]


@pytest.mark.parametrize(("name", "blocks", "surface", "said"), WRONG, ids=[row[0] for row in WRONG])
def test_what_slack_refuses_is_refused(name: str, blocks: list[Json], surface: str, said: str) -> None:
    found = problems(blocks, surface)
    assert any(said in one for one in found), found


def test_the_same_action_id_may_stand_in_two_blocks() -> None:
    assert problems([actions(button()), actions(button())], "message") == []


def test_a_modal_with_inputs_needs_a_submit_button() -> None:
    body = modal(field(menu("plain_text_input")))
    view(body, "modal")
    with pytest.raises(SlackError):
        view({key: value for key, value in body.items() if key != "submit"}, "modal")


def test_a_view_is_at_most_250_kilobytes() -> None:
    big = modal(*[section(text=md(x(2900)), block_id=str(n)) for n in range(85)])
    with pytest.raises(SlackError) as caught:
        view(big, "modal")
    assert caught.value.code == "view_too_large"


def test_all_text_of_a_message_together_is_limited() -> None:
    message_blocks([section(text=md(x(2640))) for _ in range(5)])
    with pytest.raises(SlackError) as caught:
        message_blocks([section(text=md(x(2641))) for _ in range(5)])
    assert caught.value.code == "msg_blocks_too_long"


async def test_the_answer_looks_like_slacks(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(
            channel=ws.channel("incidents").id, text="x", blocks=[{"type": "header", "text": plain(x(151))}]
        )
    said = "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
    answer = caught.value.response.data
    assert answer == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [said],
        "response_metadata": {"messages": [f"[ERROR] {said}"]},
    }
    assert ws.messages("incidents") == []


def test_every_limit_agrees_with_slackblocks() -> None:
    """An oracle written by others, from another source."""
    limits = pytest.importorskip("slackblocks._limits")
    ours = {row[0]: row[1] for row in (*MESSAGE_LIMITS, *MODAL_LIMITS)}
    theirs = {
        "button text": limits.BUTTON_TEXT_MAX_LENGTH,
        "button value": limits.BUTTON_VALUE_MAX_LENGTH,
        "button url": limits.BUTTON_URL_MAX_LENGTH,
        "option text": limits.OPTION_TEXT_MAX_LENGTH,
        "option value": limits.OPTION_VALUE_MAX_LENGTH,
        "option description": limits.OPTION_DESCRIPTION_MAX_LENGTH,
        "overflow options": limits.OVERFLOW_OPTIONS_MAX_ITEMS,
        "checkbox options": limits.CHECKBOXES_OPTIONS_MAX_ITEMS,
        "actions elements": limits.ACTIONS_ELEMENTS_MAX_ITEMS,
        "confirm title": limits.CONFIRMATION_TITLE_MAX_LENGTH,
        "confirm text": limits.CONFIRMATION_TEXT_MAX_LENGTH,
        "alert": limits.ALERT_TEXT_MAX_LENGTH,
        "card body": limits.CARD_BODY_MAX_LENGTH,
        "carousel cards": limits.CAROUSEL_ELEMENTS_MAX_ITEMS,
        "container children": limits.CONTAINER_CHILD_BLOCKS_MAX_ITEMS,
    }
    assert {name: ours[name] for name in theirs} == theirs


def test_what_the_official_models_make_is_accepted() -> None:
    """No false refusals: every common block and element as slack_sdk itself writes it."""
    offered = [m.Option(value="1", text="One", description="first"), m.Option(value="2", text="Two")]
    sure = m.ConfirmObject(title="Sure?", text=m.MarkdownTextObject(text="*really*"), confirm="Yes", deny="No")
    many: list[Any] = [
        m.ButtonElement(text="Go", action_id="a", value="1", style="primary", confirm=sure),
        m.LinkButtonElement(text="Open", url="https://a.example", action_id="b"),
        m.StaticSelectElement(action_id="c", placeholder="Choose", options=offered, initial_option=offered[0]),
        m.UserSelectElement(action_id="d", placeholder="Who", initial_user="U1"),
        m.ConversationSelectElement(
            action_id="e",
            placeholder="Where",
            filter=m.ConversationFilter(include=["public"]),
            response_url_enabled=None,
        ),
        m.ChannelSelectElement(action_id="f", placeholder="Where"),
        m.ExternalDataSelectElement(action_id="g", placeholder="Find", min_query_length=1),
        m.OverflowMenuElement(action_id="h", options=offered),
        m.CheckboxesElement(action_id="i", options=offered, initial_options=[offered[1]]),
        m.RadioButtonsElement(action_id="j", options=offered),
        m.DatePickerElement(action_id="k", initial_date="2026-01-31"),
        m.TimePickerElement(action_id="l", initial_time="09:30"),
        m.DateTimePickerElement(action_id="m", initial_date_time=1_790_000_000),
    ]
    blocks = [
        m.HeaderBlock(text="Title"),
        m.DividerBlock(),
        m.SectionBlock(text="*hi*", fields=["a", "b"], accessory=many[0]),
        m.ContextBlock(
            elements=[m.MarkdownTextObject(text="x"), m.ImageElement(image_url="https://a.b/c", alt_text="c")]
        ),
        m.ActionsBlock(elements=many),
        m.ImageBlock(image_url="https://a.b/c", alt_text="c", title="t"),
        m.MarkdownBlock(text="**x**"),
        m.RichTextBlock(elements=[m.RichTextSectionElement(elements=[m.RichTextElementParts.Text(text="x")])]),
    ]
    assert problems([block.to_dict() for block in blocks], "message") == []
    inputs = [
        m.PlainTextInputElement(action_id="v", multiline=True, max_length=100, placeholder="p"),
        m.StaticMultiSelectElement(action_id="v", placeholder="p", options=offered, max_selected_items=1),
        m.UserMultiSelectElement(action_id="v", placeholder="p", initial_users=["U1"]),
        m.EmailInputElement(action_id="v"),
        m.UrlInputElement(action_id="v"),
        m.NumberInputElement(action_id="v", is_decimal_allowed=True, min_value="1"),
        m.CheckboxesElement(action_id="v", options=offered),
    ]
    shown = View(
        type="modal",
        title="t",
        submit="s",
        close="c",
        callback_id="x",
        private_metadata="y",
        notify_on_close=True,
        blocks=[m.InputBlock(label="l", hint="h", element=one, optional=True, dispatch_action=False) for one in inputs],
    )
    view(shown.to_dict(), "modal")
    view(View(type="home", blocks=blocks[:4]).to_dict(), "home")
