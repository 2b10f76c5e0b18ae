"""A person adds evidence: text, a message, files of Slack's; or says what kind a piece is.

Decides what one act of a person adds, and that it counts once. What is stored of a piece is `evidence`'s, a file's way into
the vault `files`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.cases import evidence, files, fingerprint
from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, Refused, VaultFailed
from bot.incident.incident import Incident
from bot.incident.narrative import so_many
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceKind
from bot.store import Unit, queries, waiting

LONGEST = 100_000
"""Characters of a text that is typed or pasted. Slack takes 3,000 in a form and 40,000 in a message."""
EXAMPLE = "/incident evidence ignore all previous instructions --kind adversarial_input"


@dataclass(frozen=True)
class Given:
    """What a form or a command says of what it adds."""

    kind: EvidenceKind
    name: str | None = None
    note: str | None = None
    step: str | None = None
    """The step of the checklist that asked for it."""


@dataclass(frozen=True)
class Message:
    """A message of Slack's, whose text waits since the shortcut was used on it."""

    sha256: str
    """Empty where it had no text."""
    channel: str
    ts: str
    author: str
    permalink: str | None
    files: tuple[str, ...]


async def stash(ctx: Context, text: str) -> str:
    """Have a message's text wait while its form is filled in: nothing but ids goes through the form. The text's SHA-256."""
    async with ctx.store.unit() as unit:
        return waiting.wait(unit, text.encode())


async def attach(
    ctx: Context, caller: Caller, number: int, given: Given, *, text: str | None = None, shared: Sequence[str] = ()
) -> str:
    """Add a text, files, or both. Raises Invalid where there is neither or the text is too long; Refused for a guest."""
    user = member(caller)
    if not (text or "").strip() and not shared:
        raise Invalid("There is nothing to add: give a text or a file.", example=EXAMPLE, field="text")
    if len(text or "") > LONGEST:
        raise Invalid(f"The text has {len(text or ''):,} characters, {LONGEST:,} fit. Add it as a file.", field="text")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        count = len(await files.offer(unit, incident, caller.actor, shared, kind=given.kind, **_said(given)))
        if text and text.strip():
            content = text.encode()
            called = given.name or f"{given.kind.value} {hashlib.sha256(content).hexdigest()[:8]}"
            await evidence.add(unit, incident, caller.actor, _new(given, called, content, {"person": user}))
            count += 1
        return unit.answer(_told(incident, count, given.step))


async def message(ctx: Context, caller: Caller, number: int, given: Given, saved: Message) -> str:
    """Add a message with its context, and its files. Raises Refused where its text is not held any more."""
    member(caller)
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        count = len(await files.offer(unit, incident, caller.actor, saved.files, kind=given.kind, **_said(given)))
        if saved.sha256:
            await _text_of(unit, incident, caller, given, saved)
            count += 1
        return unit.answer(_told(incident, count, given.step))


async def _text_of(unit: Unit, incident: Incident, caller: Caller, given: Given, saved: Message) -> None:
    content = await waiting.waiting(unit.session, saved.sha256)
    if content is None:
        raise Refused("The form was open for too long. Use “Save as evidence” on the message again.")
    origin = {
        "channel": saved.channel,
        "ts": saved.ts,
        "author": saved.author,
        **({"permalink": saved.permalink} if saved.permalink else {}),
    }
    called = given.name or f"message {saved.channel} {saved.ts}"
    await evidence.add(unit, incident, caller.actor, _new(given, called, content, origin))


async def label(ctx: Context, caller: Caller, number: int, evidence_id: int, kind: EvidenceKind) -> str:
    """Say what kind a piece is: only what is `adversarial_input` is replayed against a fix."""
    member(caller)
    payload = await _payload(ctx, number, evidence_id) if kind is EvidenceKind.ADVERSARIAL_INPUT else ""
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        piece = await evidence.find(unit, incident, evidence_id)
        was, piece.kind = piece.kind, kind
        words = [one.value.replace("_", " ") for one in (was, kind)]
        said = f"Evidence {evidence_id} ({piece.name}) is {words[1]}, not {words[0]}."
        unit.record(incident, Happened.NOTE, caller.actor, text=said)
        if payload:
            await fingerprint.remember(unit, incident, payload, piece.id)
        return unit.answer(f"Evidence {evidence_id} is {words[1]} now.")


async def _payload(ctx: Context, number: int, evidence_id: int) -> str:
    """Its text, for its fingerprint alone: nobody is shown it. Empty where there is none."""
    async with ctx.store.read() as session:
        piece = await queries.evidence(session, number, evidence_id)
    if piece is None or not piece.sha256 or not evidence.readable(piece.media_type):
        return ""
    try:
        return evidence.text_of(await evidence.content_of(ctx, piece.sha256), piece.media_type)
    except VaultFailed:
        return piece.excerpt


def _new(given: Given, name: str, content: bytes, origin: dict[str, str]) -> evidence.New:
    step = {"step": given.step} if given.step else {}
    return evidence.New(given.kind, name, content, files.SLACK, note=given.note, origin={**origin, **step})


def _said(given: Given) -> dict[str, str | None]:
    return {"name": given.name, "note": given.note}


def _told(incident: Incident, count: int, step: str | None) -> str:
    if not count:
        return f"{incident.name} has that already."
    tick = " Tick the step once it is complete." if step else ""
    what = so_many(count, "piece")
    return f"{what} of evidence added to {incident.name}. `/incident evidence` shows when it is in the vault.{tick}"
