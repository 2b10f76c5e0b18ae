"""“Save as evidence” on any message, and files that people share in a room: both become evidence without a command."""

from __future__ import annotations

from pydantic import Field
from slack_sdk.models.blocks import InputBlock, Option

from bot.cases import attach, files
from bot.cases.attach import Given, Message
from bot.cases.context import Context
from bot.incident.errors import Invalid, Refused
from bot.incident.incident import person
from bot.incident.words import EvidenceKind
from bot.slack.buttons import value
from bot.slack.feature import Asked, Form, Heard, MessageShortcut, Modal
from bot.slack.kit import option
from bot.slack.modal import choice, modal, text_input
from bot.store import queries
from commands.room import Verb

SEPARATOR = ","


class Save(Verb):
    """Only a form fills it: what it carries of the message is ids, its text waits in the store."""

    kind: EvidenceKind = EvidenceKind.TEXT
    name: str | None = Field(default=None, max_length=150)
    note: str | None = Field(default=None, max_length=1000)
    sha256: str
    channel: str
    ts: str
    author: str
    shared: str
    permalink: str


async def submit(ctx: Context, asked: Asked, form: Save) -> str:
    if form.incident is None:
        raise Invalid("Say which incident it belongs to.", field="incident")
    ids = tuple(one for one in form.shared.split(SEPARATOR) if one)
    saved = Message(form.sha256, form.channel, form.ts, form.author, form.permalink or None, ids)
    return await attach.message(ctx, asked.caller, form.incident, Given(form.kind, form.name, form.note), saved)


async def opened(ctx: Context, asked: Asked) -> Modal:
    message = asked.message
    assert message is not None, "a message shortcut carries its message"
    if not message.text.strip() and not message.files:
        raise Refused("There is neither text nor a file in that message.")
    blocks = [
        kind_input(EvidenceKind.SCREENSHOT if not message.text.strip() else None),
        text_input("name", "Name", longest=150, optional=True),
        text_input("note", "Where it comes from, what it shows", multiline=True, longest=1000, optional=True),
    ]
    if asked.incident is None:
        async with ctx.store.read() as session:
            running = await queries.running(session, limit=100)
        if not running:
            raise Refused("No incident is running. Declare one first: `/incident declare`.")
        options = [option(f"{one.name} ({one.severity.label})", str(one.number)) for one in running]
        blocks.insert(0, choice("incident", "Of which incident?", options))
    sha256 = await attach.stash(ctx, message.text) if message.text.strip() else ""
    carried = (sha256, message.channel, message.ts, message.author, SEPARATOR.join(message.files))
    metadata = value(asked.incident or 0, *carried, message.permalink or "")
    return Modal(modal("evidence_message", "Save as evidence", *blocks, submit="Save", metadata=metadata))


async def shared(ctx: Context, heard: Heard) -> None:
    """A file in a room is kept at once: it may be deleted a minute later. Anywhere else nothing is looked at."""
    if heard.incident is None or not heard.files:
        return
    async with ctx.store.unit(inbound=heard.key) as unit:
        incident = await unit.incident(heard.incident)
        await files.offer(unit, incident, person(heard.user), heard.files)


def kind_input(initial: EvidenceKind | None) -> InputBlock:
    """Every kind that people add; a pack is written by the validation alone."""
    options: dict[EvidenceKind | None, Option] = {
        kind: option(kind.value.replace("_", " ").capitalize(), kind.value) for kind in ADDED
    }
    return choice("kind", "What is it?", list(options.values()), initial=options.get(initial))


ADDED = tuple(kind for kind in EvidenceKind if kind not in {EvidenceKind.PACK, EvidenceKind.SNAPSHOT})


FORM: Form[Context] = Form(
    "evidence_message", Save, submit, carries=("sha256", "channel", "ts", "author", "shared", "permalink")
)
SHORTCUT: MessageShortcut[Context] = MessageShortcut(
    "save_evidence", "Save as evidence", "Keep this message and its files as evidence", opened
)
