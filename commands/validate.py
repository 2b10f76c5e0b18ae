"""`/incident validate`: replay the attack against the fix. The form says what is there, asks for what is missing, and begins."""

from __future__ import annotations

from pydantic import Field
from slack_sdk.models.blocks import Block

from bot.cases import validation
from bot.cases.context import Context
from bot.cases.replay import Given, Part
from bot.cases.targets import target_of
from bot.cases.validation import Reached
from bot.incident.casefile import CaseFile
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import named
from bot.slack.cards.lasting import revert, revertable
from bot.slack.cards.scene import Scene
from bot.slack.feature import Answer, Asked, Feature, Form, Shown
from bot.slack.kit import actions, button, section
from bot.slack.text import Md, code, md
from bot.store import queries
from commands.room import Verb, details, number
from commands.validate_form import VERSION_CHARS, ask

MOST_SHOWN = 5


class Validate(Verb):
    target: str | None = Field(default=None, max_length=120)
    vulnerable: str | None = Field(default=None, max_length=VERSION_CHARS)
    """The version on which the attack worked."""
    contained: bool = False
    """Also where containment reaches the test's identity."""


class Filled(Validate):
    """The form: it asked for parts as well."""

    payload: str | None = None
    indicator: str | None = None
    answer: str | None = None

    @property
    def given(self) -> tuple[Given, ...]:
        parts = ((Part.PAYLOAD, self.payload), (Part.INDICATOR, self.indicator), (Part.POSITIVE, self.answer))
        return tuple(Given(part, text) for part, text in parts if text)


async def run(ctx: Context, asked: Asked, form: Validate) -> Answer:
    case = await details(ctx, asked, form.incident)
    return await _start(ctx, asked, case.incident.number, form)


async def submitted(ctx: Context, asked: Asked, form: Filled) -> Answer:
    return await _start(ctx, asked, await number(ctx, asked, form.incident), form)


async def anyway(ctx: Context, asked: Asked) -> Answer:
    target, _, vulnerable = asked.value.partition("|")
    form = Validate(target=target, vulnerable=vulnerable or None, contained=True)
    return await _start(ctx, asked, await number(ctx, asked), form)


async def _start(ctx: Context, asked: Asked, which: int, form: Validate) -> Answer:
    given = form.given if isinstance(form, Filled) else ()
    wanted = validation.Asked(form.target, form.vulnerable, given, form.contained)
    began = await validation.start(ctx, asked.caller, which, wanted)
    if not isinstance(began, Reached):
        return began.words
    async with ctx.store.read() as session:
        case = await queries.case_file(session, which, ctx.store.now())
    return _lift_first(ctx, case, began, form)


def _lift_first(ctx: Context, case: CaseFile, began: Reached, form: Validate) -> Shown:
    """What would hold the replay back, each with Revert, and the way to replay all the same."""
    scene = Scene(case, ctx.playbook)
    text = md(
        "Nothing began. The replay runs as {}, and containment reaches that identity: what it holds back says nothing about the "
        "fix. Lift it first, or replay all the same: then the verdict is “under containment only”, and proves nothing.",
        code(began.identity, 80),
    )
    blocks: list[Block] = [section(text)]
    for action in began.actions[:MOST_SHOWN]:
        blocks.append(section(_held(scene, action)))
        if action.incident == case.incident.number and revertable(action):
            blocks.append(actions(revert(scene, action), block_id=f"lift:{action.incident}:{action.index}"))
    target, _ = target_of(ctx, form.target)
    carried = value(case.incident.number, target, *([form.vulnerable[:100]] if form.vulnerable else []))
    blocks.append(actions(button("Replay all the same", Button.VALIDATE_ANYWAY, carried)))
    return Shown(text, blocks)


def _held(scene: Scene, action: Action) -> Md:
    own = action.incident == scene.incident.number
    return named(scene, action) if own else md("INC-{}, action {}", action.incident, action.index)


FEATURE: Feature[Context] = Feature(
    verb="validate",
    summary="Replay the attack against the fix.",
    model=Validate,
    examples=(
        "/incident validate",
        "/incident validate staging",
        "/incident validate staging --vulnerable 2026-11-20.1",
    ),
    run=run,
    positional=("target",),
    bare=ask,
    buttons={Button.STEP_VALIDATE: ask, Button.VALIDATE: ask, Button.VALIDATE_ANYWAY: anyway},
    forms=(Form("validate", Filled, submitted),),
)
