"""Action items and risks as lines and lists: in an answer, in the owner's direct message, on the Home tab. Pure.

Decides how one reads and which buttons stand beside it. Which are shown to whom is decided by whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from slack_sdk.models.blocks import Block

from bot.incident.learning import ActionItem, Risk
from bot.incident.words import ItemState
from bot.slack.buttons import Button, value
from bot.slack.kit import actions, button, section
from bot.slack.text import Md, code, join, md, safe, who

TEXT_CHARS, LIST_CHARS = 200, 120
"""Of one item with buttons, and of one in a list without: a list must fit into one message."""
WITH_BUTTONS, LISTED = 12, 25


def item_line(item: ActionItem, now: datetime, *, incident: bool = False, chars: int = TEXT_CHARS) -> Md:
    """`*14* · prevent · <@U0SEC> · due 2026-12-01 · tracked: Add the payloads …`"""
    parts = [md("*{}*", item.id or 0)]
    if incident:
        parts.append(safe(f"INC-{item.incident}"))
    parts += [safe(item.kind.value), who(item.owner) if item.owner else Md("no owner"), _due(item, now)]
    if item.link is not None:
        parts.append(code(shown_link(item.link)))
    return md("{}\n{}", join(" · ", parts), safe(item.text, chars))


def item_blocks(item: ActionItem, now: datetime, *, incident: bool = False, tracked: bool = False) -> list[Block]:
    """One pending item with its buttons. `tracked`: there is a tracker in which an issue could be opened."""
    about = value(item.incident, item.id or 0)
    buttons = [
        button("Done", Button.ITEM_DONE, about, says=f"Done: action item {item.id}"),
        button("Edit", Button.ITEM_EDIT, about, says=f"Edit action item {item.id}"),
    ]
    if tracked and item.link is None:
        buttons.append(
            button("Open an issue", Button.ITEM_TRACK, about, says=f"Open an issue for action item {item.id}")
        )
    return [section(item_line(item, now, incident=incident)), actions(*buttons)]


def item_list(
    title: Md, items: Sequence[ActionItem], now: datetime, *, incident: bool = False, tracked: bool = False
) -> list[Block]:
    """The pending ones with buttons, as many as fit; what is over in lines."""
    pending = [item for item in items if item.state is ItemState.PENDING]
    pending.sort(key=lambda item: (item.due_at is None, item.due_at or now, item.id or 0))
    blocks: list[Block] = [section(title)]
    for item in pending[:WITH_BUTTONS]:
        blocks += item_blocks(item, now, incident=incident, tracked=tracked)
    if len(pending) > WITH_BUTTONS:
        blocks.append(section(md("… and {} more that are pending.", len(pending) - WITH_BUTTONS)))
    over = [item for item in items if item.state is not ItemState.PENDING]
    if over:
        lines = [md("{} {}: {}", item.id or 0, item.state.value, safe(item.text, LIST_CHARS)) for item in over[:LISTED]]
        more = [md("… and {} more.", len(over) - LISTED)] if len(over) > LISTED else []
        blocks += [section(join("\n", part)) for part in _parted([*lines, *more])]
    return blocks


def risk_line(risk: Risk, now: datetime, *, incident: bool = False) -> Md:
    """`*3* · high × medium · mitigate · <@U0SEC> · looked at again on 2026-12-01: …`"""
    parts = [md("*{}*", risk.id or 0)]
    if incident:
        parts.append(safe(f"INC-{risk.incident}"))
    parts.append(md("likelihood {}, impact {}", risk.likelihood.value, risk.impact.value))
    parts += [safe(risk.treatment.value), who(risk.owner) if risk.owner else Md("no owner")]
    if risk.closed_at is not None:
        parts.append(Md("closed"))
    elif risk.review_at is not None:
        late = md("*to be looked at since {}*", day(risk.review_at))
        parts.append(late if risk.review_at < now else md("to be looked at on {}", day(risk.review_at)))
    return md("{}\n{}", join(" · ", parts), safe(risk.text, TEXT_CHARS))


def shown_link(link: str) -> str:
    """`github.com/acme/shop/issues/7`: to be read and copied; no text makes a live link."""
    parts = urlsplit(link)
    return f"{parts.netloc}{parts.path}"


def day(at: datetime) -> Md:
    """A UTC date: due dates end with it for everybody, so that it is not translated into the reader's zone."""
    return safe(f"{at.astimezone(UTC):%Y-%m-%d}")


def _due(item: ActionItem, now: datetime) -> Md:
    if item.due_at is None:
        return Md("no date")
    return md("*overdue since {}*" if item.due_at < now else "due {}", day(item.due_at))


def _parted(lines: list[Md]) -> list[list[Md]]:
    return [lines[start : start + 8] for start in range(0, len(lines), 8)]
