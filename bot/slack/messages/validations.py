"""Posts about validations: what one came to, and that an attack succeeded again after the incident was closed.

Decides the words and who is mentioned. The run's own message in the room has every reason; a post says that there is news.
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.incident.validation import ValidationRun
from bot.incident.words import Verdict
from bot.slack.cards.scene import Scene
from bot.slack.cards.validation import verdict
from bot.slack.kit import Message, message
from bot.slack.text import Md, code, md, safe, who


def _run(scene: Scene, args: Json) -> ValidationRun | None:
    return next((one for one in scene.file.validations if one.id == args.get("run")), None)


def validated(scene: Scene, args: Json) -> Message | None:
    """Mentions whoever began it: only they wait for it."""
    run = _run(scene, args)
    if run is None or run.verdict is None:
        return None
    if run.regression:
        head = md("The attack of {} was replayed by the calendar, against {}: ", scene.name, code(run.target, 80))
    else:
        head = md("{}: validation {} against {}: ", who(run.started_by), run.id or 0, code(run.target, 80))
    return message(md("{}{}. {}{}", head, verdict(run), _why(run), _next(scene, run)))


def _why(run: ValidationRun) -> Md:
    said = (run.reason or "").partition(": ")[2]
    return md("{} ", safe(said[0].upper() + said[1:], 500)) if said else Md("")


def _next(scene: Scene, run: ValidationRun) -> Md:
    if scene.ended or run.regression:
        return Md("")
    if run.verdict is Verdict.VERIFIED and not run.contained_meanwhile:
        return Md("The fix is proven; the incident can be resolved: `/incident resolve`.")
    return Md("All reasons stand in its message.")


def regressed(scene: Scene, args: Json) -> Message | None:
    """Loud: whoever leads must act, and nobody expects it."""
    run = _run(scene, args)
    if run is None:
        return None
    text = md(
        "🚨 {} {} is open again: its attack succeeded in validation {}, against {}. {}Press *Acknowledge* on the card.",
        scene.in_charge("commander"),
        scene.name,
        run.id or 0,
        code(run.target, 80),
        _why(run),
    )
    return message(text)


def regressed_elsewhere(scene: Scene, args: Json) -> Message | None:
    """The other incident about the same thing is open, so the closed one stays closed; the room that is at work is told."""
    number = int(args.get("incident", 0))
    text = md(
        "🚨 {} The attack of INC-{}, which was closed and is about the same, succeeded again when it was replayed. It stays "
        "closed; work goes on here.",
        scene.in_charge("commander"),
        number,
    )
    return message(text)
