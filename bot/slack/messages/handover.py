"""The summary for whoever takes over: state, what is in force, what waits, what is open and due, what nobody knows.

Decides what it says, from the case file of the moment at which it is posted. That it is posted is `bot.cases.handover`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import LiteralString

from slack_sdk.models.blocks import Block

from bot.incident.columns import Json
from bot.incident.words import ActionState, Role
from bot.incident.work import Action, Step
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import named
from bot.slack.cards.exposure import exposed
from bot.slack.cards.scene import MARKS, Scene
from bot.slack.kit import Message, actions, button, section
from bot.slack.limits import ALL_CHARS
from bot.slack.messages.asked import strings
from bot.slack.text import Md, clip_md, join, md, mention, quoted, safe, when, who

MOST_ACTIONS, MOST_ROLES, MOST_STEPS, MOST_DEADLINES, MOST_UPDATES, MOST_UNKNOWN = 6, 6, 2, 5, 2, 8
TEXT_CHARS, TEXT_OF_PERSON = 100, 2_000
MOST_CHARS, LEAST_CHARS, SHARE = ALL_CHARS - 700, 100, 1_900
"""What all parts may take beside the head and the button, with how little left one is left out, what one may take."""
BY_NOBODY = ""


def handed_over(scene: Scene, args: Json) -> Message | None:
    """`by`, `to`: user ids; `text`; `command`: whether `to` is asked to take it; `unanswered`: questions of the review."""
    by, to = str(args.get("by", "")), args.get("to")
    given_to = md(" to {}", who(str(to))) if to else Md("")
    head = md("🤝 *{} hands over{}*: {} {}", who(by), given_to, MARKS[scene.incident.severity], scene.name)
    blocks: list[Block] = [section(head)]
    parts = [[quoted(str(args["text"]), TEXT_OF_PERSON)]] if args.get("text") else []
    blocks += _fitting([*parts, *_parts(scene, strings(args, "unanswered"))])
    if to and args.get("command") and not scene.ended and scene.file.commander == by:
        blocks.append(section(md("{}: press *Take command* when you have read this.", mention(str(to)))))
        pressed = button("Take command", Button.TAKE_COMMAND, value(scene.incident.number), style="primary")
        blocks.append(actions(pressed, block_id=f"handover:{scene.incident.number}"))
    return Message(md("{} hands over{} in {}", who(by), given_to, scene.name), tuple(blocks))


def _fitting(parts: Sequence[list[Md]]) -> Iterator[Block]:
    """As much as one message takes: hostile text grows fivefold where it is escaped, and what is cut ends in “…”."""
    left = MOST_CHARS
    for part in parts:
        shown = clip_md(join("\n", part), min(SHARE, left))
        if part and left > LEAST_CHARS:
            left -= len(shown)
            yield section(shown)


def _parts(scene: Scene, unanswered: Sequence[str]) -> Iterator[list[Md]]:
    yield _state(scene)
    yield _in_force(scene)
    yield _waiting(scene)
    yield _steps(scene)
    yield _deadlines(scene)
    yield _unknown(scene, unanswered)
    yield _updates(scene)


def _state(scene: Scene) -> list[Md]:
    file = scene.file
    leads = [md("{}: {}", scene.role_title(role), who(file.holders[role])) for role in Role if role in file.holders]
    lines = [
        md("*Now:* {}, {}, declared {}", scene.severity, scene.status, when(scene.incident.declared_at, "both")),
        md("{}, subject {}", scene.trigger or "Declared by a person", scene.subject),
        join(" · ", leads) if leads else Md("Nobody has command."),
    ]
    return [*lines, md("Scope: {}", exposed(file.exposure))] if file.exposure else lines


def _in_force(scene: Scene) -> list[Md]:
    held = scene.file.in_force
    lines = [md("• {}, {}", named(scene, one), _until(one)) for one in held[:MOST_ACTIONS]]
    return [_counted("*In force:* {}", len(held)), *lines] if held else [Md("*In force:* nothing")]


def _counted(heading: LiteralString, count: int) -> Md:
    return md("{}{}", md(heading, count), f", the first {MOST_ACTIONS}" if count > MOST_ACTIONS else "")


def _until(action: Action) -> Md:
    if action.state is not ActionState.VERIFIED:
        return Md("not verified yet")
    if action.revert_asked_at is not None:
        return Md("being reverted")
    return (
        md("until {}", when(action.temporary_until, "both")) if action.temporary_until else Md("until it is reverted")
    )


def _waiting(scene: Scene) -> list[Md]:
    waits = [one for one in scene.file.actions if one.state is ActionState.PROPOSED]
    lines = [
        md("• {}{}", named(scene, one), md(", expires {}", when(one.expires_at, "both")) if one.expires_at else Md(""))
        for one in waits[:MOST_ACTIONS]
    ]
    return [_counted("*Waits for a decision:* {}", len(waits)), *lines] if waits else []


def _steps(scene: Scene) -> list[Md]:
    """By role, those with most to do first; of each role the steps that are due first. Phases that have not begun count, too."""
    ordered = sorted(scene.file.open_steps, key=lambda step: step.role or BY_NOBODY)
    roles = [(role, list(steps)) for role, steps in groupby(ordered, key=lambda step: step.role or BY_NOBODY)]
    roles.sort(key=lambda one: (-len(one[1]), one[0]))
    lines = [_of_role(scene, role, steps) for role, steps in roles[:MOST_ROLES]]
    left = sum(len(steps) for _, steps in roles[MOST_ROLES:])
    return [md("*Open steps:* {}", len(ordered)), *lines, *_more(left)] if ordered else [Md("*Open steps:* none")]


def _of_role(scene: Scene, role: str, steps: list[Step]) -> Md:
    last = max((step.due_at for step in steps if step.due_at), default=scene.file.now)
    first = sorted(steps, key=lambda step: (step.due_at is None, step.due_at or last, step.position))[:MOST_STEPS]
    listed = [
        md("{}{}", safe(step.text, TEXT_CHARS), md(" ({})", scene.due(step.due_at)) if step.due_at else Md(""))
        for step in first
    ]
    more = md("; and {} more", len(steps) - len(first)) if len(steps) > len(first) else Md("")
    return md("• {}: {}{}", scene.in_charge(role) if role else Md("nobody in particular"), join("; ", listed), more)


def _deadlines(scene: Scene) -> list[Md]:
    due = scene.deadlines[:MOST_DEADLINES]
    return [Md("*Next deadlines*"), *(md("• {}, {}", one.what, scene.due(one.at)) for one in due)] if due else []


def _unknown(scene: Scene, unanswered: Sequence[str]) -> list[Md]:
    incident = scene.incident
    gaps = [
        (Md("• when it started"), incident.started_at is None),
        (Md("• who did it"), incident.subject_id is None),
        (Md("• how far it went: `/incident scope`"), scene.file.exposure is None),
        (Md("• which kind of attack it was: `/incident classify`"), incident.tags is None),
    ]
    asked = {one.id: one.text for one in scene.playbook.review.questions}
    lines = [words for words, open_ in gaps if open_]
    lines += [md("• {}", asked.get(one, one)) for one in unanswered]
    return [Md("*Not known yet*"), *lines[:MOST_UNKNOWN], *_more(len(lines) - MOST_UNKNOWN)] if lines else []


def _updates(scene: Scene) -> list[Md]:
    last = scene.file.updates[-MOST_UPDATES:]
    if not last:
        return [Md("*Stakeholders* were told nothing but the announcement.")]
    lines = [md("• {} {}: {}", when(one.at, "both"), who(one.by), safe(one.text)) for one in last]
    return [Md("*Last updates for stakeholders*"), *lines]


def _more(count: int) -> list[Md]:
    return [md("… and {} more", count)] if count > 0 else []
