"""The announcement: what people outside the room read. Public facts only (design §6, law 6).

Decides which wording fits the status. It is given no title, subject, person or evidence to show: the number, severity,
status, the time of the declaration, how many alerts a storm holds, the numbers of its other rooms, and the last update
that somebody wrote for stakeholders are all there is.
"""

from __future__ import annotations

from slack_sdk.models.blocks import Block

from bot.incident.words import Status
from bot.slack.buttons import Button, value
from bot.slack.cards.scene import MARKS, Scene
from bot.slack.kit import Message, actions, button, context, header, section
from bot.slack.text import Md, join, md, quoted, safe, when

WORDING_CHARS, UPDATE_CHARS = 1_000, 1_500
MOST_BESIDE = 10
OVER = frozenset({Status.RESOLVED, Status.CLOSED})


def announcement(scene: Scene) -> Message:
    incident = scene.incident
    told = _told(scene)
    blocks: list[Block] = [
        header(f"{MARKS[incident.severity]} {scene.name} · {scene.severity} · {scene.status}"),
        section(told),
    ]
    if incident.drill:
        blocks.append(context(Md("This is a drill.")))
    if incident.gathered:
        blocks.append(context(md("It stands for a burst of alerts: {} in all.", incident.alert_count)))
    if scene.file.announces:
        blocks.append(section(_beside(scene)))
    if scene.file.updates:
        last = scene.file.updates[-1]
        blocks.append(section(md("*Update*, {}\n{}", when(last.at, "both"), quoted(last.text, UPDATE_CHARS))))
    if not scene.ended:
        blocks.append(actions(button("Join", Button.JOIN, value(incident.number)), block_id=f"join:{incident.number}"))
    return Message(told, tuple(blocks))


def _told(scene: Scene) -> Md:
    incident, due = scene.incident, scene.next_update
    return Md(
        safe(_wording(scene), WORDING_CHARS).format(
            number=scene.name,
            severity=safe(scene.severity),
            status=_status(scene),
            declared=when(incident.declared_at, "both"),
            next_update=when(due) if due is not None and due > scene.file.now else "when there is news",
        )
    )


def _beside(scene: Scene) -> Md:
    """The other rooms of a burst: stakeholders read one line about all of them."""
    told = [
        md("{} ({}, {})", one.name, one.severity.label, one.status.replace("_", " ")) for one in scene.file.announces
    ]
    more = [md("{} more", len(told) - MOST_BESIDE)] if len(told) > MOST_BESIDE else []
    return md("About the same: {}.", join(", ", [*told[:MOST_BESIDE], *more]))


def _status(scene: Scene) -> str:
    first = scene.incident.duplicate_of
    return scene.status if first is None else f"a duplicate of INC-{first}"


def _wording(scene: Scene) -> str:
    wordings, status = scene.playbook.announcement, scene.incident.status
    if status is Status.FALSE_POSITIVE:
        return wordings.false_positive
    if status in OVER:
        return wordings.resolved
    if status is Status.REOPENED:
        return wordings.reopened
    return wordings.opened if status is Status.OPEN and not scene.file.updates else wordings.updated
