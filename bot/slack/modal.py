"""Forms: a modal and its inputs, within Slack's limits (slack.md §2). Every input's block id is a field's name.

Decides what fits, as `kit` does for messages. Which fields a form has, and what becomes of them, is the verb's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    InputInteractiveElement,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    StaticSelectElement,
    UserSelectElement,
)
from slack_sdk.models.blocks.block_elements import FileInputElement
from slack_sdk.models.views import View

from bot.slack.kit import words
from bot.slack.limits import PLACEHOLDER_CHARS, KitError, check_blocks

BLOCKS, TITLE_CHARS, LABEL_OF_INPUT_CHARS, METADATA_CHARS, TEXT_CHARS, CHOICES = 100, 24, 2_000, 3_000, 3_000, 10
FILES = 10
ELEMENT = "value"
"""The action id of the one element that every input has."""


def modal(
    callback_id: str, title: LiteralString, *blocks: Block, submit: LiteralString | None = "Save", metadata: str = ""
) -> View:
    """`metadata` carries ids only (`12` or `12|step.id`). Raises KitError."""
    if len(title) > TITLE_CHARS or len(submit or "") > TITLE_CHARS or len(metadata) > METADATA_CHARS:
        raise KitError(f"a modal's title and buttons have {TITLE_CHARS} characters, its metadata {METADATA_CHARS}")
    if not 0 < len(blocks) <= BLOCKS:
        raise KitError(f"a modal has 1 to {BLOCKS} blocks")
    if submit is None and any(isinstance(block, InputBlock) for block in blocks):
        raise KitError("a modal with inputs needs a submit button")
    check_blocks(blocks)
    return View(
        type="modal",
        callback_id=callback_id,
        title=words(title, TITLE_CHARS),
        submit=words(submit, TITLE_CHARS) if submit else None,
        close=words("Cancel" if submit else "Close", TITLE_CHARS),
        blocks=list(blocks),
        private_metadata=metadata or None,
    )


def text_input(
    field: str,
    label: str,
    *,
    multiline: bool = False,
    initial: str | None = None,
    placeholder: LiteralString | None = None,
    hint: str | None = None,
    optional: bool = False,
    longest: int = TEXT_CHARS,
) -> InputBlock:
    element = PlainTextInputElement(
        action_id=ELEMENT,
        multiline=multiline or None,
        initial_value=initial[:longest] if initial else None,
        placeholder=words(placeholder, PLACEHOLDER_CHARS) if placeholder else None,
        max_length=min(longest, TEXT_CHARS),
    )
    return _input(field, label, element, hint=hint, optional=optional)


def choice(
    field: str,
    label: str,
    options: Sequence[Option],
    *,
    initial: Option | None = None,
    hint: str | None = None,
    optional: bool = False,
) -> InputBlock:
    """One of some options: radio buttons for a handful, a menu for more."""
    if len(options) <= 4:
        radio = RadioButtonsElement(action_id=ELEMENT, options=list(options), initial_option=initial)
        return _input(field, label, radio, hint=hint, optional=optional)
    if len(options) > 100:
        raise KitError("a menu has at most 100 options")
    menu = StaticSelectElement(action_id=ELEMENT, options=list(options), initial_option=initial)
    return _input(field, label, menu, hint=hint, optional=optional)


def person_input(
    field: str, label: str, *, initial: str | None = None, hint: str | None = None, optional: bool = False
) -> InputBlock:
    return _input(
        field, label, UserSelectElement(action_id=ELEMENT, initial_user=initial), hint=hint, optional=optional
    )


def file_input(field: str, label: str, *, most: int, hint: str | None = None, optional: bool = False) -> InputBlock:
    """Files that the person uploads: their ids. Needs the scope files:read."""
    if not 0 < most <= FILES:
        raise KitError(f"an input takes 1 to {FILES} files")
    return _input(field, label, FileInputElement(action_id=ELEMENT, max_files=most), hint=hint, optional=optional)


def checkboxes(
    field: str, label: str, options: Sequence[Option], *, initial: Sequence[Option] = (), optional: bool = True
) -> InputBlock:
    if not 0 < len(options) <= CHOICES:
        raise KitError(f"checkboxes have 1 to {CHOICES} options")
    boxes = CheckboxesElement(action_id=ELEMENT, options=list(options), initial_options=list(initial) or None)
    return _input(field, label, boxes, hint=None, optional=optional)


def _input(field: str, label: str, element: InputInteractiveElement, *, hint: str | None, optional: bool) -> InputBlock:
    return InputBlock(
        block_id=field,
        label=words(label, LABEL_OF_INPUT_CHARS),
        element=element,
        hint=words(hint, LABEL_OF_INPUT_CHARS) if hint else None,
        optional=optional or None,
    )
