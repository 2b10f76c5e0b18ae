"""What a verb of `/incident` is made of. One file in `commands/` makes one `Feature`; `bot.slack.edge` registers them.

Decides the shape only. The edge acknowledges first and answers whoever asked; the feature reads, does and shows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.incident.caller import Caller
from bot.incident.incident import person
from bot.incident.words import Via
from bot.slack.buttons import Button

TYPED = "slash:"
"""How the key of a typed command begins; whatever else a person does is a press."""
C = TypeVar("C")
"""The context that the composition root hands to every handler."""


@dataclass(frozen=True)
class SharedMessage:
    """The message on which a message shortcut was used, as Slack sent it: hostile text, of people who may be anybody."""

    channel: str
    ts: str
    author: str
    """A user's id, or a bot's (`B…`); empty where Slack names nobody."""
    text: str
    files: tuple[str, ...] = ()
    """Ids of Slack files."""
    permalink: str | None = None
    """None where Slack did not name the workspace's address."""


@dataclass(frozen=True)
class Heard:
    """One event of Slack's that is no act at us: `app_home_opened`, `file_shared`."""

    type: str
    key: str
    """Slack's own `event_id`: it comes again with the same one, and counts once (design law 4)."""
    user: str
    """Who caused it; empty where Slack names nobody. Nobody was asked whether they are a full member."""
    channel: str | None = None
    """For `app_home_opened` the direct conversation with the bot."""
    incident: int | None = None
    """The incident whose room the channel is."""
    files: tuple[str, ...] = ()
    """Ids of Slack files."""
    tab: str = ""
    """Of `app_home_opened`: `home` or `messages`."""
    ts: str = ""
    """When, as Slack writes it."""


@dataclass(frozen=True)
class Asked:
    """One inbound act of a person in Slack: a command, a click, a submitted form."""

    user: str
    full_member: bool
    inbound: str
    channel: str | None = None
    """Where it happened; None in a modal or Home tab."""
    trigger_id: str | None = None
    incident: int | None = None
    """The incident of the room it happened in, or that the button or the form names."""
    value: str = ""
    """What the button carried besides the incident, or the option that was picked: ids only."""
    message_ts: str | None = None
    message: SharedMessage | None = None
    """Of a message shortcut only."""

    @property
    def caller(self) -> Caller:
        return Caller(person(self.user), self.inbound, self.full_member, self.via)

    @property
    def via(self) -> Via:
        if self.inbound.startswith(TYPED):
            return Via.COMMAND
        return Via.DIRECT if (self.channel or "").startswith("D") else Via.PANEL


@dataclass(frozen=True)
class Shown:
    """An answer with blocks, to that person alone."""

    text: str
    blocks: list[Block]


@dataclass(frozen=True)
class Modal:
    """An answer that opens a form. Must be made without slow work: the trigger id lives 3 s."""

    view: View


Answer = str | Shown | Modal | None
"""None: the change is visible where they clicked. A string is mrkdwn that is safe already (made with `md` or fixed)."""

Run = Callable[[C, Asked, Any], Awaitable[Answer]]
Click = Callable[[C, Asked], Awaitable[Answer]]
Hears = Callable[[C, Heard], Awaitable[None]]
"""Nobody waits for an answer to an event: what has to be said is an intent."""


@dataclass(frozen=True)
class Form(Generic[C]):
    """A modal's submission. The model is the verb's own: slash text and modal fill the same one.

    Every input's block id is a field's name. A pydantic error becomes an error under that input, before the ack.
    The modal's `private_metadata` is made with `buttons.value`: the incident, then the fields that `carries` names.
    """

    callback_id: str
    model: type[BaseModel]
    submit: Run[C]
    carries: tuple[str, ...] = ()
    """Fields that no input shows because the button named them already, in the order of the metadata."""


@dataclass(frozen=True)
class MessageShortcut(Generic[C]):
    """An entry in the menu of every message. `Asked.message` is the message."""

    callback_id: str
    name: str
    """At most 24 characters (Slack)."""
    description: str
    """At most 150 characters (Slack)."""
    run: Click[C]


@dataclass(frozen=True)
class Feature(Generic[C]):
    verb: str
    """One word or two: `sev`, `contain propose`."""
    summary: str
    """One line for `/incident help`."""
    model: type[BaseModel]
    """What the slash text is parsed into; its fields make the usage text."""
    examples: tuple[str, ...]
    run: Run[C]
    positional: tuple[str, ...] = ()
    """Fields that may stand without their `--name`, in this order. The last takes the rest of the line where it is text."""
    guests: bool = False
    """True where people who are not full members may use it too."""
    bare: Click[C] | None = None
    """What happens where the verb stands alone and the model needs more: usually its modal."""
    buttons: Mapping[Button, Click[C]] = field(default_factory=dict)
    forms: tuple[Form[C], ...] = ()
    message_shortcuts: tuple[MessageShortcut[C], ...] = ()
    events: Mapping[str, Hears[C]] = field(default_factory=dict)
    """By Slack's type of the event. Exactly one feature hears each."""
    scopes: tuple[str, ...] = ()
    """Slack scopes that this verb needs beyond those of every room."""
