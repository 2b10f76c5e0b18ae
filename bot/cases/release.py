"""What leaves the organisation: a document is shown as a draft, and a person releases exactly what they looked at.

Decides that a release is bound to the SHA-256 of the draft: what says something else by now is refused. Nothing is sent
anywhere but into the room; who released it carries it out. What the documents say is `bot.review`'s.
"""

from __future__ import annotations

import hashlib

from sqlmodel import select

from bot.cases import questions
from bot.cases.context import Context
from bot.cases.people import holder_of, member
from bot.incident.caller import Caller
from bot.incident.columns import Json
from bot.incident.errors import Refused
from bot.incident.incident import Incident
from bot.incident.outward import IntentKind
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import Role
from bot.store import Unit

TITLES = {"share": "anonymised summary", "vendor": "report to the vendor"}
"""What can be released."""
MAY_RELEASE = (Role.COMMANDER, Role.COMMUNICATIONS_LEAD, Role.LEGAL)


async def draft(ctx: Context, caller: Caller, number: int, *, document: str, text: str | None = None) -> str:
    """Share a draft in the room, with a button that releases it. `text` is what the person adds in their own words."""
    who = member(caller)
    async with ctx.store.unit() as unit:
        incident = await unit.incident(number)
        if text is not None and text.strip():
            await questions.store(unit, incident, caller.actor, {document: questions.stated(text)})
        upto = incident.head_seq
    shown: Json = {"document": document, "upto": upto, "sha256": await _digest(ctx, number, document, upto)}
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        key = f"draft:{document}:{number}:{upto}:{caller.inbound or ''}"  # whoever asks again gets it again
        args = {**shown, "draft": True, "by": who}
        await unit.intend(IntentKind.UPLOAD, f"upload:{key}"[:200], incident=incident, args=args)
        post = {"message": "document_draft", **shown}
        await unit.intend(IntentKind.POST, f"post:{key}"[:200], incident=incident, args=post)
        return unit.answer(
            f"A draft of the {TITLES[document]} comes into the room of {incident.name}. Read it, then release it."
        )


async def release(ctx: Context, caller: Caller, number: int, *, document: str, upto: int, sha256: str) -> str:
    """Raises Refused for whoever may not release, where it was never shown, and where it says something else by now."""
    if document not in TITLES:
        raise Refused("This version of Firsthour releases no such document.")
    if await _digest(ctx, number, document, upto) != sha256:
        raise Refused("What it would say has changed since it was shown. Ask for a new draft, and look at that.")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        await holder_of(unit, incident, caller, *MAY_RELEASE)
        if not await _said(unit, incident, Happened.DOCUMENT_WRITTEN, sha256):
            raise Refused("This draft was never shown in the room. Ask for one, and look at it first.")
        if await _said(unit, incident, Happened.DOCUMENT_RELEASED, sha256):
            return unit.answer("Exactly this was released already. It is in the room.")
        unit.record(incident, Happened.DOCUMENT_RELEASED, caller.actor, document=document, sha256=sha256)
        args: Json = {"document": document, "upto": upto, "sha256": sha256, "by": caller.actor.id}
        args["comment"] = f"Released: {TITLES[document]}, sha256 {sha256}"
        await unit.intend(IntentKind.UPLOAD, f"upload:released:{number}:{sha256}", incident=incident, args=args)
        return unit.answer(f"The {TITLES[document]} is released; the file comes into the room. You carry it out.")


async def _digest(ctx: Context, number: int, document: str, upto: int) -> str:
    """Raises Refused where no documents can be made here."""
    if document not in ctx.documents:
        raise Refused("This Firsthour writes no such document.")
    [made] = await ctx.documents[document]({"incident": number, "upto": upto})
    return hashlib.sha256(made.content).hexdigest()


async def _said(unit: Unit, incident: Incident, kind: Happened, sha256: str) -> bool:
    wanted = select(TimelineEntry.data).where(TimelineEntry.incident == incident.number, TimelineEntry.kind == kind)
    return any(data.get("sha256") == sha256 for data in await unit.session.exec(wanted))
