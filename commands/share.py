"""`/incident share`: an anonymised summary for others to learn from. A draft first; a person releases exactly that."""

from __future__ import annotations

from pydantic import Field

from bot.cases import questions, release
from bot.cases.context import Context
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.modal import modal, text_input
from bot.slack.text import Md
from commands.room import Verb, details

HINT = "No names, no customers, nothing secret: others will read it. Ids of this incident are replaced."


class Share(Verb):
    text: str | None = Field(default=None, max_length=questions.LONGEST)


async def run(ctx: Context, asked: Asked, form: Share) -> str:
    which = form.incident if form.incident is not None else asked.incident
    if which is None or asked.channel is not None:  # a submitted form names the incident whose room it was opened in
        which = (await details(ctx, asked, form.incident)).incident.number
    return await release.draft(ctx, asked.caller, which, document="share", text=form.text)


async def bare(ctx: Context, asked: Asked) -> Modal:
    case = await details(ctx, asked)
    text = text_input(
        "text", "What should others learn from it?", multiline=True, optional=True, longest=questions.LONGEST, hint=HINT
    )
    return Modal(modal("share", "Anonymised summary", text, submit="Draft", metadata=value(case.incident.number)))


async def click(ctx: Context, asked: Asked) -> str:
    """Release, of whatever document the button names."""
    document, upto, digest = [*asked.value.split("|"), "", "", ""][:3]
    if asked.incident is None or not upto.isdecimal():
        return Md("This button is of another version. Ask for a new draft.")
    return await release.release(ctx, asked.caller, asked.incident, document=document, upto=int(upto), sha256=digest)


FEATURE: Feature[Context] = Feature(
    verb="share",
    summary="Draft an anonymised summary for others; a person releases it.",
    model=Share,
    examples=("/incident share", "/incident share check retrieved documents before the model sees them"),
    run=run,
    positional=("text",),
    bare=bare,
    buttons={Button.RELEASE: click},
    forms=(Form("share", Share, run),),
)
