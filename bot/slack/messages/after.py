"""Posts of the weeks after an incident: it came back, it was watched and did not, an owner of action items is gone.

Decides the words. When they are sent is decided by `bot.cases.monitoring` and by the delivery of what people owe.
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.slack.cards.scene import Scene
from bot.slack.kit import Message, message
from bot.slack.text import Md, join, md, quoted, safe, who

ITEMS = 20


def recurrence_of(scene: Scene, args: Json) -> Message | None:
    """In the new room: `of`, `days` since it was closed, `why`, what `fixed` it, its `proof`."""
    before = scene.incident.recurrence_of
    if before is None:
        return None
    first = md(
        "🔁 Recurrence of *{}*, closed {} days ago: {}.", f"INC-{before}", str(args.get("days")), str(args.get("why"))
    )
    lines = [first]
    if args.get("fixed"):
        lines += [Md("What fixed it:"), quoted(str(args["fixed"]))]
    lines.append(md("Its proof: {}.", safe(str(args.get("proof", "")), 500)))
    return message(join("\n", lines))


def came_back(scene: Scene, args: Json) -> Message | None:
    """In the old room, and to its commander: `incident` is the new number, `why` what is alike."""
    name = f"INC-{args.get('incident')}"
    text = md(
        "🔁 {} came back as *{}*: {}. Work goes on there: `/incident join {}`.",
        scene.name,
        name,
        str(args.get("why")),
        name,
    )
    return message(text)


def monitoring_ended(scene: Scene, args: Json) -> Message | None:
    again = [str(one) for one in args.get("again") or ()][:ITEMS]
    if again:
        return message(md("Enhanced monitoring of {} ended. It came back as {}.", scene.name, ", ".join(again)))
    return message(md("Enhanced monitoring of {} ended: nothing came back.", scene.name))


def owner_gone(scene: Scene, args: Json) -> Message | None:
    """`owner` cannot be written to any more; `items` are the numbers of what they own."""
    numbers = [str(one) for one in args.get("items") or ()]
    named = ", ".join(numbers[:ITEMS]) + (f" and {len(numbers) - ITEMS} more" if len(numbers) > ITEMS else "")
    return message(
        md(
            "{} owns action items of {} that are due and cannot be written to any more: {}. Give them to somebody else: "
            "`/incident action edit {} --owner @somebody`.",
            who(str(args.get("owner", "?"))),
            scene.name,
            named,
            numbers[0] if numbers else "3",
        )
    )
