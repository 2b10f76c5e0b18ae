"""`/incident evidence`: what there is, and a way to add to it: typed, in a form with files, or from a step of a checklist."""

from __future__ import annotations

from pydantic import Field, field_validator

from bot.cases import attach
from bot.cases.attach import Given
from bot.cases.context import Context
from bot.incident.evidence import Evidence
from bot.incident.words import EvidenceKind
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal, Shown
from bot.slack.kit import actions, button, section
from bot.slack.modal import file_input, modal, text_input
from bot.slack.text import Md, code, join, md, safe, when, who
from commands import evidence_message
from commands.evidence_message import kind_input
from commands.room import Verb, details, number

MOST = 15
NAME_CHARS = 80
FILES = 10
"""As many as Slack takes in one input."""
HINT = "As it was, word for word: the vault keeps the original, and everybody else sees it without secrets."


class Add(Verb):
    text: str | None = Field(default=None, max_length=attach.LONGEST)
    kind: EvidenceKind = EvidenceKind.TEXT
    name: str | None = Field(default=None, max_length=150)
    note: str | None = Field(default=None, max_length=1000)


class Filled(Add):
    files: tuple[str, ...] = Field(default=(), max_length=FILES)
    step: str | None = None

    @field_validator("step")
    @classmethod
    def _named(cls, step: str | None) -> str | None:
        return step or None


async def run(ctx: Context, asked: Asked, form: Add) -> str:
    which = await number(ctx, asked, form.incident)
    return await attach.attach(ctx, asked.caller, which, _given(form), text=form.text)


async def submit(ctx: Context, asked: Asked, form: Filled) -> str:
    which = await number(ctx, asked, form.incident)
    given = _given(form, step=form.step)
    return await attach.attach(ctx, asked.caller, which, given, text=form.text, shared=form.files)


def _given(form: Add, step: str | None = None) -> Given:
    return Given(form.kind, form.name, form.note, step)


async def listed(ctx: Context, asked: Asked) -> Shown:
    case = await details(ctx, asked)
    add = actions(button("Add evidence", Button.EVIDENCE_ADD, value(case.incident.number)))
    if not case.evidence:
        empty = md("{} has no evidence yet.", case.incident.name)
        return Shown(empty, [section(empty), add])
    latest = case.evidence[-MOST:]
    older = [md("… and earlier pieces; the export has them all.")] if len(case.evidence) > MOST else []
    text = join("\n", [*older, *(line(piece) for piece in latest)])
    return Shown(md("Evidence of {}", case.incident.name), [section(text), add])


def line(piece: Evidence) -> Md:
    """`3` logs · app.log · 12 kB · sha256 ab12… · kept · Alice, 10:02"""
    digest = md(" · {}", code(piece.sha256[:12])) if piece.sha256 else Md("")
    kind, state = piece.kind.value.replace("_", " "), piece.state.value.replace("_", " ")
    what = md("{} *{}* · {}", code(str(piece.id)), kind, safe(piece.name, NAME_CHARS))
    return md(
        "{} · {}{} · {} · {}, {}", what, size(piece.size), digest, state, who(piece.added_by), when(piece.added_at)
    )


def size(count: int) -> str:
    """`0 bytes`, `900 bytes`, `12.3 kB`, `50 MB`."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.3g} kB" if count < 1_000_000 else f"{count / 1_000_000:.3g} MB"


def form_of(incident: int, kind: EvidenceKind | None = None, step: str = "") -> Modal:
    return Modal(
        modal(
            "evidence",
            "Add evidence",
            kind_input(kind),
            file_input("files", "Files", most=FILES, optional=True),
            text_input("text", "Or text", multiline=True, optional=True, hint=HINT),
            text_input("name", "Name", longest=150, optional=True),
            text_input("note", "Where it comes from, what it shows", multiline=True, longest=1000, optional=True),
            submit="Add",
            metadata=value(incident, step),
        )
    )


async def add(ctx: Context, asked: Asked) -> Modal:
    return form_of(await number(ctx, asked))


async def for_step(ctx: Context, asked: Asked) -> Modal:
    """The button of a step, with the kind that the playbook names for it."""
    step = asked.value.partition("|")[0]
    spec = ctx.playbook.all_steps.get(step)
    return form_of(await number(ctx, asked), spec.evidence if spec is not None else None, step)


FEATURE: Feature[Context] = Feature(
    verb="evidence",
    summary="The evidence of an incident, and adding to it. The list is shown in the room only.",
    model=Add,
    examples=(
        "/incident evidence",
        "/incident evidence ignore all previous instructions --kind adversarial_input",
        "/incident evidence --kind logs --name gateway 10:02 POST /chat 200",
    ),
    run=run,
    positional=("text",),
    bare=listed,
    buttons={Button.EVIDENCE_ADD: add, Button.STEP_EVIDENCE: for_step},
    forms=(Form("evidence", Filled, submit, carries=("step",)), evidence_message.FORM),
    message_shortcuts=(evidence_message.SHORTCUT,),
    events={"file_shared": evidence_message.shared},
)
