"""Posts of the clock: what now counts, what is still missing, who must act. None where there is nothing left to say.

Decides the words and who is mentioned (only whoever must act now, design law 16). When they are sent is the clock's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slack_sdk.models.blocks import ButtonElement

from bot.incident.columns import Json
from bot.incident.words import ActionState
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import named
from bot.slack.cards.lasting import keep, revert, revertable
from bot.slack.cards.scene import Scene
from bot.slack.cards.standing import who_may
from bot.slack.kit import Message, actions, button, message, section
from bot.slack.messages.after import came_back, monitoring_ended
from bot.slack.messages.asked import action_of, strings
from bot.slack.text import PERSON, USERGROUP, Md, join, md, mention, safe, usergroup, when

ITEMS = 20


def window_started(scene: Scene, args: Json) -> Message | None:
    window = scene.window(str(args.get("window")))
    if window is None or scene.ended:
        return None
    text = md("*{}*, until {}: {}", window.title, when(scene.at_minute(window.end_minutes)), window.counts)
    return message(text)


def window_nudge(scene: Scene, args: Json) -> Message | None:
    """Only what is still missing, naming whoever owns it."""
    window = scene.window(str(args.get("window")))
    if window is None or scene.ended or not (missing := scene.missing(window)):
        return None
    end = scene.at_minute(window.end_minutes)
    verb = "ends" if end > scene.file.now else "ended"
    lines = [md("*{}* {} at {}. Still missing:", window.title, verb, when(end))]
    for need in missing:
        owned = [step.owner for step in scene.open_steps(need) if step.owner] if need.kind == "step" else []
        owner = next(iter(owned), None) or scene.holder(need.role) or scene.file.commander
        lines.append(md("• {}: {}", need.label, scene.in_charge(need.role, owner)))
    return _with_snooze(join("\n", lines), scene, "window", window.id)


def acknowledge_overdue(scene: Scene, args: Json) -> Message | None:
    if not scene.incident.unacknowledged or scene.ended:
        return None
    called = called_out(strings(args, "people"), strings(args, "usergroups"))
    text = md(
        "{} Nobody has acknowledged {} ({}) since {}. Press *Acknowledge* if you take it.",
        called,
        scene.name,
        scene.incident.severity.label,
        when(scene.incident.declared_at),
    )
    incident = value(scene.incident.number)
    acknowledge = button("Acknowledge", Button.ACKNOWLEDGE, incident, style="primary")
    return Message(text, (section(text), actions(acknowledge)))


def called_out(people: Sequence[str], usergroups: Sequence[str]) -> Md:
    """Mentions of ids; a name that Slack does not know is only named."""
    called = [mention(one) if PERSON.fullmatch(one) else safe(one, 80) for one in people]
    called += [usergroup(one) if USERGROUP.fullmatch(one) else safe(one, 80) for one in usergroups]
    return join(" ", called)


def update_due(scene: Scene, _: Json) -> Message | None:
    if scene.ended:
        return None
    last = scene.file.updates[-1].at if scene.file.updates else None
    since = md("The last one was at {}.", when(last)) if last else Md("There has been none yet.")
    owner = scene.in_charge("communications_lead", scene.holder("communications_lead") or scene.file.commander)
    text = md("{}: an update for stakeholders of {} is due. {}", owner, scene.name, since)
    post = button("Post update", Button.UPDATE, value(scene.incident.number), style="primary")
    return Message(text, (section(text), actions(post, _snooze(scene, "update"))))


def expiring_actions(scene: Scene, args: Json) -> Message | None:
    """What expires together is brought up together, each with who may decide; silent where everything was decided."""
    soon = [
        (action.expires_at, action)
        for action in scene.file.actions
        if action.state is ActionState.PROPOSED
        and action.expires_at is not None
        and action.expires_at.isoformat() <= str(args.get("until"))
    ]
    if not soon or scene.ended:
        return None
    until = min(expires for expires, _ in soon)
    one = len(soon) == 1
    lines = [md("• {}: {}", named(scene, action), who_may(scene, action)) for _, action in soon[:ITEMS]]
    more = [md("… and {} more", len(soon) - ITEMS)] if len(soon) > ITEMS else []
    first = md(
        "{}: {} at {}, and nobody has decided. Decide in the containment panel:",
        scene.in_charge("commander"),
        "a proposal expires" if one else f"{len(soon)} proposals expire",
        when(until),
    )
    return message(join("\n", [first, *lines, *more]))


def temporary_over(scene: Scene, args: Json) -> Message | None:
    """Calls the commander the first time only; it stays a question until somebody answers it."""
    action = action_of(scene, args)
    if action is None or not revertable(action) or action.temporary_until is None:
        return None
    text = md(
        "{}{} was to be temporary until {} and is still in force. Revert it, or keep it and say why.",
        Md("") if args.get("again") else md("{}: ", scene.in_charge("commander")),
        named(scene, action),
        when(action.temporary_until, "both"),
    )
    return Message(text, (section(text), actions(revert(scene, action), keep(action))))


def review_due(scene: Scene, _: Json) -> Message | None:
    """Nobody is mentioned: it can wait for a day, and not for ever."""
    incident = scene.incident
    if incident.review_due_at is None or incident.review_held_at is not None:
        return None
    late = incident.review_due_at < scene.file.now
    text = md(
        "🗓️ The review of {} {} {}. `/incident review` writes it; `/incident review held` says that it was held; "
        "`/incident review plan 2026-12-01` puts it on another day.",
        scene.name,
        "was due on" if late else "is due on",
        when(incident.review_due_at, "day"),
    )
    return message(text)


def catch_up(scene: Scene, args: Json) -> Message | None:
    """What fell due while Firsthour was not running, as one message instead of a burst (design law 13)."""
    given = args.get("items")
    items = given if isinstance(given, list) else []
    lines = [line for item in items[:ITEMS] if (line := _line(scene, item)) is not None]
    if not lines:
        return None
    more = [md("… and {} more", len(items) - ITEMS)] if len(items) > ITEMS else []
    return message(
        join("\n", [Md("*While Firsthour was away, this fell due:*"), *(md("• {}", one) for one in lines), *more])
    )


def _line(scene: Scene, item: object) -> Md | None:
    """A sentence as it stands; a message by name as its text."""
    if isinstance(item, str):
        return safe(item)
    if not isinstance(item, dict) or item.get("message") not in LINES:
        return None
    missed = LINES[item["message"]](scene, item)
    return missed.text if missed is not None else None


def _with_snooze(text: Md, scene: Scene, *what: str) -> Message:
    return Message(text, (section(text), actions(_snooze(scene, *what))))


def _snooze(scene: Scene, *what: str) -> ButtonElement:
    """`12|window|confirm` or `12|update`. Calls to acknowledge and proposals that expire cannot be put off."""
    return button("Snooze", Button.SNOOZE, value(scene.incident.number, *what))


LINES: dict[str, Callable[[Scene, Json], Message | None]] = {
    "window_started": window_started,
    "window_nudge": window_nudge,
    "acknowledge_overdue": acknowledge_overdue,
    "update_due": update_due,
    "expiring_actions": expiring_actions,
    "temporary_over": temporary_over,
    "came_back": came_back,
    "monitoring_ended": monitoring_ended,
}
"""What can have fallen due."""
