"""The card: the one message that answers "what is this, who leads, what is next" (design §6).

Decides what stands on it and which buttons each status offers. Where it stands is delivery's.
"""

from __future__ import annotations

from collections.abc import Callable

from slack_sdk.models.blocks import Block, ButtonElement

from bot.incident.words import DetectionMethod, Role, Status
from bot.slack.buttons import Button, value
from bot.slack.cards.exposure import exposed
from bot.slack.cards.scene import MARKS, Scene
from bot.slack.kit import Message, actions, button, context, fields, header, section
from bot.slack.text import Md, code, join, md, quoted, when, who

B = Button
OFFERED: dict[Status, tuple[Button, ...]] = {
    Status.OPEN: (B.ACKNOWLEDGE, B.TAKE_COMMAND, B.SEVERITY, B.UPDATE, B.NOTE, B.PROPOSE),
    Status.REOPENED: (B.ACKNOWLEDGE, B.TAKE_COMMAND, B.SEVERITY, B.UPDATE, B.NOTE, B.PROPOSE),
    Status.ACKNOWLEDGED: (B.TAKE_COMMAND, B.SEVERITY, B.UPDATE, B.NOTE, B.PROPOSE, B.RESOLVE),
    Status.CONTAINED: (B.TAKE_COMMAND, B.SEVERITY, B.UPDATE, B.NOTE, B.PROPOSE, B.RESOLVE),
    Status.REMEDIATED: (B.TAKE_COMMAND, B.SEVERITY, B.UPDATE, B.NOTE, B.PROPOSE, B.RESOLVE),
    Status.RESOLVED: (B.CLOSE, B.UPDATE, B.NOTE),
    Status.CLOSED: (),
    Status.FALSE_POSITIVE: (),
    Status.DUPLICATE: (),
}
"""What can be done next, most urgent first."""
HOURS_FROM = 120
"""Minutes; where a severity stretches the first hour beyond this, hours are counted."""
BUTTONS: dict[Button, Callable[[str], ButtonElement]] = {
    B.ACKNOWLEDGE: lambda incident: button("Acknowledge", B.ACKNOWLEDGE, incident, style="primary"),
    B.TAKE_COMMAND: lambda incident: button("Take command", B.TAKE_COMMAND, incident),
    B.SEVERITY: lambda incident: button("Change severity", B.SEVERITY, incident),
    B.UPDATE: lambda incident: button("Post update", B.UPDATE, incident),
    B.NOTE: lambda incident: button("Add note", B.NOTE, incident),
    B.PROPOSE: lambda incident: button("Propose action", B.PROPOSE, incident),
    B.RESOLVE: lambda incident: button("Resolve", B.RESOLVE, incident),
    B.CLOSE: lambda incident: button("Close", B.CLOSE, incident, style="primary"),
}


def card(scene: Scene) -> Message:
    incident = scene.incident
    blocks: list[Block] = [
        header(f"{MARKS[incident.severity]} {scene.name}: {incident.title}"),
        fields(*_facts(scene)),
        section(_clock(scene)),
    ]
    if incident.summary:
        blocks.append(section(quoted(incident.summary)))
    if scene.file.exposure is not None:
        blocks.append(context(md("*Scope:* {}", exposed(scene.file.exposure))))
    if incident.gathered:
        blocks.append(section(_storm(scene)))
    if scene.file.roles:
        blocks.append(context(_roles(scene)))
    if offered := OFFERED[incident.status]:
        number = value(incident.number)
        blocks.append(actions(*(BUTTONS[one](number) for one in offered), block_id=f"card:{incident.number}"))
    blocks.append(context(_origin(scene)))
    return Message(
        md("{} {} is {}: {}", incident.severity.label, scene.name, scene.status, incident.title), tuple(blocks)
    )


def _facts(scene: Scene) -> list[Md]:
    incident = scene.incident
    commander = scene.file.commander
    facts = [
        md("*Severity*\n{}", scene.severity),
        md("*Status*\n{}", scene.status),
        md("*Trigger*\n{}", scene.trigger or "declared by a person"),
        md("*Subject*\n{}", scene.subject),
        md("*Commander*\n{}", mention_or_nobody(commander)),
        md("*Alerts*\n{}", incident.alert_count),
    ]
    if incident.app:
        facts.append(md("*Application*\n{}", code(incident.app)))
    if incident.session_id:
        facts.append(md("*Session*\n{}", code(incident.session_id, 120)))
    return facts


def mention_or_nobody(person: str | None) -> Md:
    return who(person) if person else Md("nobody yet")


def _clock(scene: Scene) -> Md:
    if scene.ended:
        return _ending(scene)
    lines = [_minute(scene)]
    if (deadline := scene.next_deadline) is not None:
        lines.append(md("*Next:* {}, {}", deadline.what, scene.due(deadline.at)))
    return join("\n", [line for line in lines if line] or [Md("Nothing falls due at this severity.")])


def _minute(scene: Scene) -> Md:
    """`Minute 7 of 60`, with the window that runs; empty where the severity has no first hour."""
    windows = scene.windows
    if not windows:
        return Md("")
    if (running := scene.running) is None:
        return md("The first hour ended at {}.", when(scene.at_minute(windows[-1].end_minutes)))
    total = windows[-1].end_minutes
    if total <= HOURS_FROM:
        clock = md("*Minute {} of {}*", scene.minute, total)
    else:
        clock = md("*Hour {} of {}*", scene.minute // 60 + 1, total // 60)
    return md(
        "{} · window {} of {}, *{}*, until {}\n{}",
        clock,
        windows.index(running) + 1,
        len(windows),
        running.title,
        when(scene.at_minute(running.end_minutes)),
        running.counts,
    )


def _ending(scene: Scene) -> Md:
    incident = scene.incident
    ended = md("*{}* since {}", scene.status.capitalize(), when(incident.ended_at or scene.file.now, "both"))
    if incident.duplicate_of is not None:
        return md("{}. Work goes on in INC-{}.", ended, incident.duplicate_of)
    return md("{}\n{}", ended, quoted(incident.resolution)) if incident.resolution else ended


def _storm(scene: Scene) -> Md:
    """How many other subjects there are, and who stands out. The containment panel is about the first one."""
    count, named = scene.incident.gathered, scene.file.gathered
    listed = [md("• {}: {}", scene.subject_of(one.subject_kind, one.subject_id), one.alerts) for one in named]
    more = [md("… and {} more", count - len(named))] if count > len(named) else []
    head = md("*Storm:* alerts about *{}* other {} are gathered here. Most alerts:", count, _subjects(count))
    note = Md("The containment plan is about the first subject; propose actions for the others, or a wider one.")
    return join("\n", [head, *listed, *more, note])


def _subjects(count: int) -> str:
    return "subject" if count == 1 else "subjects"


def _roles(scene: Scene) -> Md:
    holders = scene.file.holders
    held = [md("{}: {}", scene.role_title(role), who(holders[role])) for role in Role if role in holders]
    return join(" · ", held)


def _origin(scene: Scene) -> Md:
    incident = scene.incident
    opened = "Opened by an alert ({}) {}" if incident.detection is DetectionMethod.AUTOMATED else "Declared by {} {}"
    parts = [md(opened, who(incident.declared_by), when(incident.declared_at, "both"))]
    if incident.detected_at is not None:
        parts.append(md("detected {}", when(incident.detected_at, "both")))
    parts.append(Md("`/incident help` lists what you can do"))
    return join(" · ", parts)
