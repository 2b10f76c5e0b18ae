"""Posts of what happened: new alerts, decisions, results, failures. None where it needs no words.

Decides the words and who is mentioned (only whoever must act now, design law 16). Whether there is news is the cases'.
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.incident.words import ActionState, Severity
from bot.incident.work import Action
from bot.slack.buttons import Button, value
from bot.slack.cards.deciding import named
from bot.slack.cards.scene import MARKS, Scene
from bot.slack.cards.standing import standing, waits_for_a_person
from bot.slack.kit import Message, actions, button, confirm, message, section
from bot.slack.messages.asked import action_of
from bot.slack.text import Md, code, join, md, quoted, safe, when, who

S = ActionState
NEEDS_THE_COMMANDER = frozenset({S.FAILED, S.UNKNOWN})
FAILURES = 20


def severity_changed(scene: Scene, args: Json) -> Message | None:
    before = _severity(args.get("from"))
    was = md(" It was {}.", before.label) if before else Md("")
    why = md("\n{}", quoted(str(args["reason"]))) if args.get("reason") else Md("")
    mark = MARKS[scene.incident.severity]
    return message(md("{} {} is now *{}*.{}{}", mark, scene.name, scene.severity, was, why))


def _severity(given: object) -> Severity | None:
    """`SEV-2` or `2`; None where it names none."""
    try:
        return Severity.parse(str(given))
    except ValueError:
        return None


def update_posted(scene: Scene, _: Json) -> Message | None:
    if not scene.file.updates:
        return None
    last = scene.file.updates[-1]
    return message(md("{} told stakeholders at {}:\n{}", who(last.by), when(last.at), quoted(last.text)))


def alert_attached(scene: Scene, _: Json) -> Message | None:
    if not scene.file.alerts:
        return None
    last = scene.file.alerts[-1]
    count = scene.incident.alert_count
    return message(md("Alert {} of {}, from {}: {}", count, scene.name, safe(last.source, 80), last.title))


def storm_began(scene: Scene, _: Json) -> Message | None:
    """Once: from now on the card counts."""
    if not scene.incident.gathered or scene.ended:
        return None
    what, app = scene.trigger or "This trigger", scene.incident.app
    where = md(" in {}", code(app)) if app else Md("")
    text = md(
        "🌀 A storm: “{}”{} fires for one subject after another. Further subjects get no rooms of their own; their alerts are "
        "counted on the card of {}. The containment plan is about the first subject.",
        what,
        where,
        scene.name,
    )
    return message(text)


def action_proposed(scene: Scene, args: Json) -> Message | None:
    """Mentions the commander: containment waits for the decision."""
    action = action_of(scene, args)
    if action is None or action.state is not S.PROPOSED:
        return None
    title = scene.playbook.actions[action.kind].title
    decider = scene.in_charge("commander")
    return message(
        md(
            "{}: action {}, “{}”, waits for a decision in the containment panel. {}",
            decider,
            action.index,
            title,
            action.why,
        )
    )


def glass_broken(scene: Scene, args: Json) -> Message | None:
    """Loud: the commander is mentioned, whoever did it and why is named, and what can be done about it."""
    action = action_of(scene, args)
    broken = scene.file.glass_broken(action) if action is not None else None
    if action is None or broken is None:
        return None
    undo = (
        Md("Revert it in the containment panel if it was wrong.") if action.reversible else Md("It cannot be undone.")
    )
    text = md(
        "🚨 {}: *break-glass* by {} at {}. {} was ordered without the signatures it needs:\n{}\n{} The review looks at it.",
        scene.in_charge("commander"),
        who(broken.person),
        when(broken.at),
        named(scene, action),
        quoted(broken.reason or "No reason is stored."),
        undo,
    )
    return message(text)


def action_result(scene: Scene, args: Json) -> Message | None:
    action = action_of(scene, args)
    if action is None or action.state in {S.PROPOSED, S.APPROVED}:
        return None
    needed = action.state in NEEDS_THE_COMMANDER or waits_for_a_person(action)
    called = md("{} ", scene.in_charge("commander")) if needed else Md("")
    title = scene.playbook.actions[action.kind].title
    return message(md("{}*{}. {}*: {}", called, action.index, title, standing(scene, action)))


def resolved(scene: Scene, _: Json) -> Message | None:
    incident = scene.incident
    if not scene.ended:
        return None
    lines = [md("{} is *{}*.", scene.name, scene.status)]
    if incident.resolution:
        lines.append(quoted(incident.resolution))
    held = scene.file.in_force
    if lifted := [one for one in held if one.revert_asked_at is not None]:
        lines.append(md("Being reverted: {}.", join(", ", [_titled(scene, one) for one in lifted])))
    if kept := [one for one in held if one.revert_asked_at is None]:
        lines += [Md("Left in force:"), *(_left(scene, one) for one in kept[:FAILURES])]
    return message(join("\n", lines))


def _titled(scene: Scene, action: Action) -> Md:
    return md("{}. {}", action.index, scene.playbook.actions[action.kind].title)


def _left(scene: Scene, action: Action) -> Md:
    return md("• {}: {}", _titled(scene, action), safe(action.kept_because or "nobody said why", 300))


def invite_failed(scene: Scene, args: Json) -> Message | None:
    """Who could not be invited, and why: `failures` is a list of `{"who", "why"}`."""
    given = args.get("failures")
    failures = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not failures:
        return None
    lines = [
        md("• {}: {}", who(str(one.get("who", "?"))), safe(str(one.get("why", "")))) for one in failures[:FAILURES]
    ]
    more = [md("… and {} more", len(failures) - FAILURES)] if len(failures) > FAILURES else []
    return message(join("\n", [Md("Not everybody could be invited. Invite them by hand:"), *lines, *more]))


def gave_up(scene: Scene, args: Json) -> Message | None:
    """`intent` is the kind of the outward act that stays undone, `why` a sentence."""
    what = DONE_BY_HAND.get(str(args.get("intent")), "Something outside did not work")
    return message(md("⚠️ {}: {}", what, safe(str(args.get("why", "")), 400)))


def document_draft(scene: Scene, args: Json) -> Message | None:
    """What may leave, with the button that lets exactly this leave."""
    document, digest = str(args.get("document")), str(args.get("sha256"))
    text = md(
        "A draft of the {} of {} is in this room (sha256 {}). Read it to its end: nobody else's name, customer or secret may "
        "be in it. Release lets exactly this file leave, and nothing else.",
        DRAFTS.get(document, "document"),
        scene.name,
        code(digest[:16]),
    )
    bound = value(scene.incident.number, document, int(args.get("upto") or 0), digest)
    release = button(
        "Release",
        Button.RELEASE,
        bound,
        ask=confirm("Release it?", Md("You have read it, and it may leave."), yes="Release"),
    )
    return Message(text, (section(text), actions(release)))


DRAFTS = {"share": "anonymised summary", "vendor": "report to the vendor"}
DONE_BY_HAND = {
    "invite": "Somebody could not be invited; invite them by hand",
    "pin": "The card could not be pinned; pin it by hand",
    "show": "A message or the topic could not be brought up to date; `/incident status` shows how things stand",
    "post": "A message could not be posted",
    "direct": "Somebody could not be written to directly; call them another way",
    "execute": "An action could not be carried out; look at the containment panel",
    "revert": "An action could not be reverted; look at the containment panel",
    "plan": "Nobody could be asked how far proposed actions reach; decide without the figures",
    "keep": "A piece of evidence could not be carried to the vault; it waits in the store, and the log says why",
    "fetch": "A file could not be fetched from Slack; do not delete it, and add it again with `/incident evidence`",
    "open_room": "The room could not be opened",
    "track": "No issue could be opened for an action item; mend it and press again",
    "upload": "A document could not be shared; ask for it again once this is mended",
}
