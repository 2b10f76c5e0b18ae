"""Block Kit builders, and the check of every limit of a message (slack.md §2). The only place that makes blocks.

Decides what fits. Text that comes from data is clipped, so that a title of 10,000 characters breaks no card; what a
programmer chose (ids, values, how many) raises KitError. What a card says is the card's; forms are `modal`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    Option,
    OverflowMenuElement,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
    UserSelectElement,
)

from bot.slack.buttons import Button
from bot.slack.limits import (
    ACTION_ELEMENTS,
    ALL_CHARS,
    BLOCKS,
    CONFIRM_BUTTON_CHARS,
    CONFIRM_TEXT_CHARS,
    CONFIRM_TITLE_CHARS,
    CONTEXT_CHARS,
    CONTEXT_ELEMENTS,
    FIELD_CHARS,
    FIELDS,
    HEADER_CHARS,
    LABEL_CHARS,
    OPTION_VALUE_CHARS,
    OVERFLOW_OPTIONS,
    PLACEHOLDER_CHARS,
    SECTION_CHARS,
    SELECT_OPTIONS,
    TEXT_CHARS,
    VALUE_CHARS,
    KitError,
    at_most,
    check_blocks,
    render,
    weight,
)
from bot.slack.text import Md, clip_md, plain


@dataclass(frozen=True)
class Message:
    """What is posted or shown: blocks, and a text that reads well in a notification and a screen reader."""

    text: Md
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", clip_md(self.text, TEXT_CHARS))
        object.__setattr__(self, "blocks", tuple(self.blocks))
        check(self)

    def payload(self) -> dict[str, Any]:
        return {"text": str(self.text), "blocks": [render(block) for block in self.blocks]}

    def digest(self) -> str:
        """sha256 of the canonical JSON: two messages with one digest look the same."""
        canonical = json.dumps(self.payload(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def message(text: Md, *blocks: Block) -> Message:
    """Without blocks, the text itself as one section: nothing in it is turned into a link."""
    return Message(text, blocks or (section(text),))


def mrkdwn(text: Md, limit: int = SECTION_CHARS) -> MarkdownTextObject:
    """`verbatim`: Slack makes no link of an address in it, and no mention of a name."""
    if not isinstance(text, Md):
        raise KitError("mrkdwn is made with md(), so that no value in it is obeyed")
    return MarkdownTextObject(text=clip_md(text, limit) or " ", verbatim=True)


def words(text: str, limit: int) -> PlainTextObject:
    return PlainTextObject(text=plain(text, limit).strip() or "—", emoji=True)


def header(text: str) -> HeaderBlock:
    return HeaderBlock(text=words(text, HEADER_CHARS))


def section(text: Md, *, accessory: InteractiveElement | None = None, block_id: str | None = None) -> SectionBlock:
    return SectionBlock(text=mrkdwn(text), accessory=accessory, block_id=block_id)


def fields(*texts: Md, block_id: str | None = None) -> SectionBlock:
    at_most(FIELDS, len(texts), "fields of a section")
    return SectionBlock(fields=[mrkdwn(text, FIELD_CHARS) for text in texts], block_id=block_id)


def context(*texts: Md, block_id: str | None = None) -> ContextBlock:
    at_most(CONTEXT_ELEMENTS, len(texts), "elements of a context")
    return ContextBlock(elements=[mrkdwn(text, CONTEXT_CHARS) for text in texts], block_id=block_id)


def divider() -> DividerBlock:
    return DividerBlock()


def actions(*elements: InteractiveElement, block_id: str | None = None) -> ActionsBlock:
    at_most(ACTION_ELEMENTS, len(elements), "elements of an actions block")
    return ActionsBlock(elements=list(elements), block_id=block_id)


def confirm(title: str, text: Md, *, yes: LiteralString, no: LiteralString = "Not now") -> ConfirmObject:
    """What a person is asked before a click counts. Title and text may hold data; the two answers are fixed words."""
    return ConfirmObject(
        title=words(title, CONFIRM_TITLE_CHARS),
        text=mrkdwn(text, CONFIRM_TEXT_CHARS),
        confirm=words(yes, CONFIRM_BUTTON_CHARS),
        deny=words(no, CONFIRM_BUTTON_CHARS),
    )


def button(
    label: LiteralString,
    action: Button,
    value: str,
    *,
    style: str | None = None,
    ask: ConfirmObject | None = None,
    says: str | None = None,
) -> ButtonElement:
    """A label is a fixed word, never data. `says` is read out by screen readers where the label alone is not enough."""
    at_most(LABEL_CHARS, len(label), "characters of a button's label")
    at_most(VALUE_CHARS, len(value), "characters of a button's value")
    return ButtonElement(
        text=words(label, LABEL_CHARS),
        action_id=action.value,
        value=value,
        style=style,
        confirm=ask,
        accessibility_label=plain(says, LABEL_CHARS) if says else None,
    )


def option(label: str, value: str) -> Option:
    at_most(OPTION_VALUE_CHARS, len(value), "characters of an option's value")
    return Option(text=words(label, LABEL_CHARS), value=value)


def overflow(action: Button, options: Sequence[Option]) -> OverflowMenuElement:
    at_most(OVERFLOW_OPTIONS, len(options), "options of an overflow menu")
    return OverflowMenuElement(action_id=action.value, options=list(options))


def static_select(
    action_id: str, options: Sequence[Option], *, placeholder: LiteralString, initial: Option | None = None
) -> StaticSelectElement:
    at_most(SELECT_OPTIONS, len(options), "options of a select")
    return StaticSelectElement(
        action_id=action_id,
        options=list(options),
        placeholder=words(placeholder, PLACEHOLDER_CHARS),
        initial_option=initial,
    )


def users_select(action_id: str, *, placeholder: LiteralString, initial: str | None = None) -> UserSelectElement:
    return UserSelectElement(
        action_id=action_id, placeholder=words(placeholder, PLACEHOLDER_CHARS), initial_user=initial
    )


def check(shown: Message) -> None:
    """Raises KitError where Slack would refuse the message: the SDK does not see counts, totals and repeated ids."""
    at_most(BLOCKS, len(shown.blocks), "blocks of a message")
    if not shown.blocks or not shown.text.strip():
        raise KitError("a message needs blocks, and a text for notifications")
    rendered = check_blocks(shown.blocks)
    at_most(ALL_CHARS, weight(rendered), "characters of all blocks")


def weigh(blocks: Iterable[Block]) -> int:
    return weight([render(block) for block in blocks])
