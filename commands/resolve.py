"""`/incident resolve`: the harm has stopped and will not come back. What is in force is decided about with it, and where no
validation proves the fix, why it is resolved without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field
from slack_sdk.models.blocks import Block

from bot.cases import finish, proven
from bot.cases.context import Context
from bot.cases.recovery import Decided
from bot.incident.incident import Incident
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.feature import Asked, Feature, Form, Modal
from bot.slack.kit import option, section
from bot.slack.modal import CHOICES, checkboxes, modal, text_input
from bot.slack.text import Md, md
from bot.store import validations
from commands.room import Verb, number, seen


def _indexes(given: object) -> object:
    """`1,3` as it is typed, or what was ticked. Raises ValueError."""
    parts = given.replace(",", " ").split() if isinstance(given, str) else given
    if not isinstance(parts, list | tuple) or not all(str(one).isascii() and str(one).isdecimal() for one in parts):
        raise ValueError("Name actions by their numbers: 1,3.")
    return frozenset(int(one) for one in parts)


Indexes = Annotated[frozenset[int], BeforeValidator(_indexes)]


class Resolve(Verb):
    reason: str = Field(min_length=1, max_length=1000)
    revert: Indexes = frozenset()
    revert_all: bool = False
    keep: Indexes = frozenset()
    because: str | None = Field(default=None, max_length=1000)
    waive: str | None = Field(default=None, max_length=proven.LONGEST)
    """Why there is no proof that the fix holds; the commander's alone."""

    @property
    def decided(self) -> Decided:
        return Decided(self.revert, self.keep, self.because or "", self.revert_all)


class Answered(Resolve):
    """The form: it asked about each of some actions, and whatever was not ticked is kept."""

    shown: Indexes = frozenset()

    @property
    def decided(self) -> Decided:
        return Decided(self.revert, self.shown - self.revert, self.because or "")


async def run(ctx: Context, asked: Asked, form: Resolve) -> str:
    which = await number(ctx, asked, form.incident)
    return await finish.resolve(ctx, asked.caller, which, reason=form.reason, decided=form.decided, waiver=form.waive)


async def bare(ctx: Context, asked: Asked) -> Modal:
    found = await seen(ctx, asked)
    case, which = found.case, found.case.incident.number
    held = sorted(case.in_force, key=lambda one: (one.executed_at or one.proposed_at, one.index), reverse=True)
    open_ones = [one for one in held if one.reversible and one.revert_asked_at is None]
    reason = text_input("reason", "Why is it resolved?", multiline=True, longest=1000, hint="The review prints it.")
    carried = [" ".join(str(one.index) for one in open_ones[:CHOICES])] if open_ones else []
    blocks = [*_in_force(ctx, held, open_ones, inside=found.inside), reason, *await _unproven(ctx, case.incident)]
    return Modal(modal("resolve", "Resolve", *blocks, submit="Resolve", metadata=value(which, *carried)))


async def _unproven(ctx: Context, incident: Incident) -> list[Block]:
    """One short question, only where nothing proves the fix."""
    async with ctx.store.read() as session:
        found = await validations.proven(session, incident)
    if found.proof is not None:
        return []
    said = md("*Not proven:* {}. `/incident validate` replays the attack.", found.lacking)
    hint = "For example: there is nothing to replay. Only the commander may go without; the review prints why."
    return [section(said), text_input("waive", "Why without a proof of the fix?", longest=proven.LONGEST, hint=hint)]


def _in_force(ctx: Context, held: Sequence[Action], open_ones: Sequence[Action], *, inside: bool) -> list[Block]:
    """One decision for each action: revert it, as is offered, or untick it and say why it stays.

    Outside of the room no target is named.
    """
    blocks: list[Block] = []
    if fixed := [one for one in held if not one.reversible]:
        named = ", ".join(f"{one.index}. {ctx.playbook.actions[one.kind].title}" for one in fixed)
        blocks.append(section(md("Cannot be undone, so it stays: {}.", named)))
    if len(open_ones) > CHOICES:
        blocks.append(
            section(Md("More is in force than fits here: revert or keep some in the containment panel first."))
        )
    if open_ones:
        offered = [option(_label(ctx, one, inside=inside), str(one.index)) for one in open_ones[:CHOICES]]
        blocks += [
            checkboxes("revert", "Revert now, the latest first", offered, initial=offered),
            text_input(
                "because",
                "Why does the rest stay?",
                multiline=True,
                optional=True,
                longest=1000,
                hint="Needed where you untick something: it stays in force, and the review names it.",
            ),
        ]
    return blocks


def _label(ctx: Context, action: Action, *, inside: bool) -> str:
    title = f"{action.index}. {ctx.playbook.actions[action.kind].title}"
    return f"{title}: {action.scope_id}" if inside else title


FEATURE: Feature[Context] = Feature(
    verb="resolve",
    summary="Resolve: the harm has stopped. Say why, and what becomes of what is in force.",
    model=Resolve,
    examples=(
        "/incident resolve the prompt filter is live and verified",
        '/incident resolve --waive "nothing to replay: the key was in a log" the key was rotated',
        "/incident resolve --revert-all the prompt filter is live",
        '/incident resolve --revert 3,1 --keep 2 --because "the account was taken over" the filter is live',
    ),
    run=run,
    positional=("reason",),
    bare=bare,
    buttons={Button.RESOLVE: bare},
    forms=(Form("resolve", Answered, run, carries=("shown",)),),
)
