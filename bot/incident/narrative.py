"""One English sentence for every timeline entry, in plain text. Pure.

Decides the words, and which of them name a person. Ids stay ids and nothing is escaped or clipped: that is the room's that
shows it (`bot.slack` turns a person's id into a mention). What an entry does not say is left out, or called unknown, and never
raises: entries are read years later by other versions of this program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActorKind, Severity

H = Happened
ACTION = "action {action}[ ({kind:word} on {scope})]"
SENTENCES: dict[Happened, str] = {
    H.OPENED: "{actor} opened the incident[ at {severity:severity}][ for {trigger}][, reported by {source}][: {title}]",
    H.ALERT_ATTACHED: "Another alert[ from {source}] was attached[, about {subject}][, {count} in all][: {title}]",
    H.STORM_BEGAN: "A storm began: alerts about further subjects are gathered here",
    H.EVIDENCE_ADDED: "{actor} added the evidence {name}[ (sha256 {sha256:short})]",
    H.ROOM_OPENED: "The room was opened[: #{name}][ ({channel})]",
    H.ACKNOWLEDGED: "{actor} acknowledged the incident",
    H.STATUS_CHANGED: "{actor} changed the status[ from {from:word}] to {to:word}[: {reason}]",
    H.SEVERITY_CHANGED: "{actor} changed the severity[ from {from:severity}] to {to:severity}[: {reason}]",
    H.TRIGGER_CHANGED: "What it is about became worse:[ {from:word} before,] {to:word} now[, by {subject}]",
    H.SEVERITY_CONFIRMED: "{actor} confirmed the severity[ {severity:severity}]",
    H.ROLE_TAKEN: "{person} took the role {role:word}[ over from {before}][, named by {other}]",
    H.JOINED: "{person} joined the room[, invited by {other}]",
    H.NOTE: "{actor} noted: {text}",
    H.UPDATE_POSTED: "{actor} updated the stakeholders: {text}",
    H.PHASE_BEGAN: "The phase {phase:word} began",
    H.STEP_DONE: "{actor} finished the step “{text}”[: {note}]",
    H.STEP_SKIPPED: "{actor} skipped the step “{text}”[: {reason}]",
    H.STEP_ASSIGNED: "{actor} assigned the step “{text}” to {owner}",
    H.STEP_NOTED: "{actor} noted on the step “{text}”: {note}",
    H.STEP_UNDONE: "{actor} reopened the step “{text}”[: {reason}]",
    H.ACTION_PROPOSED: "{actor} proposed " + ACTION + "[: {reason}]",
    H.ACTION_SIGNED: "{actor} signed "
    + ACTION
    + "[ as {role:word}][, from the {via:word}]; another signature is needed",
    H.ACTION_APPROVED: "{actor} approved " + ACTION + "[ as {role:word}][, from the {via:word}][: {reason}]",
    H.ACTION_DECLINED: "{actor} declined " + ACTION + "[ as {role:word}][, from the {via:word}][: {reason}]",
    H.ACTION_RESTATED: "The proposal of action {actions} was stated anew[: {reason}]; earlier signatures do not count for it",
    H.GLASS_BROKEN: "{actor} broke the glass: " + ACTION + " was ordered without the signatures it needs[: {reason}]",
    H.ACTION_EXPIRED: "The proposal of " + ACTION + " expired",
    H.ACTION_EXECUTING: "{actor} began to carry out " + ACTION + "[, asked by {by}][; {held} holds the same target]",
    H.ACTION_VERIFIED: ACTION + " is in force and was verified[: {result}]",
    H.ACTION_FAILED: ACTION + " failed[: {result}]",
    H.ACTION_UNKNOWN: "The outcome of " + ACTION + " is unknown[: {result}]",
    H.REVERT_ASKED: "{actor} asked to revert " + ACTION + "[: {reason}]",
    H.ACTION_REVERTED: ACTION + " was reverted[: {result}]",
    H.REVERT_FAILED: "Reverting " + ACTION + " failed[: {result}]",
    H.ACTION_TEMPORARY: "{actor} made " + ACTION + " temporary[, until {until}]",
    H.ACTION_KEPT: "{actor} left " + ACTION + " in force[: {reason}]",
    H.REMINDED: "The room was reminded of {about:word}[ ({window})][: {missing}]",
    H.ESCALATED: "{actor} escalated to {to}[ (level {level})]",
    H.SNOOZED: "{actor} snoozed the reminders[ for {minutes} minutes]",
    H.GAVE_UP: "{actor} gave up on {intent:word}[: {why}]",
    H.EVIDENCE_KEPT: "The evidence {name} is in the vault[ (sha256 {sha256:short})]",
    H.EVIDENCE_READ: "{actor} read the evidence {name}[ (sha256 {sha256:short})][ from the {via:word}][: {reason}]",
    H.EVIDENCE_LOST: "The evidence {name} could not be had[ (sha256 {sha256:short})][: {why}]",
    H.EVIDENCE_WAIVED: "{actor} went on without evidence that the playbook wants ({missing})[ before {before}][: {reason}]",
    H.CLASSIFIED: "{actor} classified the attack[ as {category:word}][, {tags}]",
    H.EXPOSURE_ESTIMATED: "{actor} estimated how far it went:"
    + "[ {users} users exposed][, {records} records][, models {models}][, environments {environments}]"
    + "[, data {data}][ ({basis})]",
    H.QUESTION_ANSWERED: "{actor} answered “{question:word}”[: {text}]",
    H.HANDED_OVER: "{actor} handed over[ to {to}][: {text}]",
    H.VALIDATION_STARTED: "{actor} began validation {run}[ against {target}][, version {version}][, {payloads:payload}]",
    H.VALIDATION_STOPPED: "{actor} stopped validation {run}[: {reason}]",
    H.VALIDATED: "Validation {run} came to {verdict:word}[ against {target}][, version {version}][: {reason}]",
    H.VALIDATION_WAIVED: "{actor} waived the validation of the fix: {reason}",
    H.DOCUMENT_WRITTEN: "{actor} had {document:word} written[ (sha256 {sha256:short})]",
    H.DOCUMENT_RELEASED: "{actor} released {document:word}[ (sha256 {sha256:short})][ to {to}]",
    H.REVIEW_PLANNED: "{actor} planned the review[ for {due}]",
    H.REVIEW_HELD: "{actor} said that the review was held[: {text}]",
    H.ITEM_ADDED: "{actor} added action item {item}[ ({kind:word})][: {text}]",
    H.ITEM_CHANGED: "{actor} changed action item {item}[, owner {owner}][, due {due}][, tracked at {link}]",
    H.ITEM_DONE: "{actor} finished action item {item}[: {text}]",
    H.ITEM_DROPPED: "{actor} dropped action item {item}[: {reason}]",
    H.RISK_ENTERED: "{actor} entered risk {risk}[: {text}]",
    H.RISK_CHANGED: "{actor} changed risk {risk}[, {treatment:word}][: {reason}]",
    H.MONITORING_BEGAN: "{actor} began enhanced monitoring[, until {until}]",
    H.MONITORING_ENDED: "Enhanced monitoring ended[: {result}]",
    H.RECURRED: "It came back[ as {incident}][: {reason}]",
}
"""`{key}` is a value of the entry; a part in brackets is left out where its value is not known."""

INSTEAD: dict[str, str] = {"person": "actor", "text": "step", "result": "reason", "reason": "result"}
"""What stands in for a key that an entry does not have."""
PEOPLE = frozenset({"person", "before", "owner", "to", "by"})
"""Keys that only this program fills in, with a person where it looks like one: never with a text from outside."""
MEMBER = re.compile(r"[UW][A-Z0-9]{2,}")
"""An id of Slack's."""
UNKNOWN = "(unknown)"
PART = re.compile(r"\[([^\]]*)\]|([^\[]+)")
FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")


class Person(str):
    """The id of a person of the workspace, within a sentence."""

    __slots__ = ()


def describe(entry: TimelineEntry) -> str:
    """`U02BOB changed the severity from SEV-3 to SEV-2: customer data is involved.`"""
    return "".join(pieces(entry))


def pieces(entry: TimelineEntry) -> list[str]:
    """The sentence in its parts, so that who shows it can tell a person's id (`Person`) from the same letters in a text."""
    known = _known(entry)
    found = [piece for part in PART.finditer(SENTENCES[entry.kind]) for piece in _filled(part, known) if piece]
    if not isinstance(found[0], Person):  # a person's id stays as it is
        found[0] = found[0][0].upper() + found[0][1:]
    if not found[-1].endswith((".", "!", "?", "…")):
        found.append(".")
    return found


def _known(entry: TimelineEntry) -> Mapping[str, Any]:
    known = {key: value for key, value in entry.data.items() if value not in (None, "", [], {})}
    known["actor"] = _actor(entry)
    if known.get("person", entry.actor) != entry.actor:
        known["other"] = known["actor"]
    for key in PEOPLE & known.keys():
        known[key] = Person(known[key]) if MEMBER.fullmatch(str(known[key])) else known[key]
    for key, other in INSTEAD.items():
        if key not in known and other in known:
            known[key] = known[other]
    return known


def _actor(entry: TimelineEntry) -> str:
    match entry.actor_kind:
        case ActorKind.PERSON:
            return Person(entry.actor)
        case ActorKind.ALERT:
            return f"an alert from {entry.actor}"
        case ActorKind.CONNECTOR:
            return f"the connector {entry.actor}"
        case ActorKind.SYSTEM:
            return "Firsthour"


def _filled(part: re.Match[str], known: Mapping[str, Any]) -> Iterator[str]:
    optional = part[1] is not None
    template = part[1] if optional else part[2]
    if optional and any(name not in known for name, _ in FIELD.findall(template)):
        return
    end = 0
    for field in FIELD.finditer(template):
        yield template[end : field.start()]
        yield SPELLED[field[2]](known[field[1]]) if field[1] in known else UNKNOWN
        end = field.end()
    yield template[end:]


def _text(value: Any) -> str:
    """On one line, whatever it is."""
    if isinstance(value, Person):
        return value
    listed = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return " ".join(listed.split())


def so_many(count: int, noun: str) -> str:
    """`1 payload`, `2,000 payloads`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _severity(value: Any) -> str:
    try:
        return Severity.parse(str(int(value)) if isinstance(value, int) else str(value)).label
    except ValueError:
        return _text(value)


SPELLED: dict[str | None, Callable[[Any], str]] = {
    None: _text,
    "word": lambda value: _text(value).replace("_", " "),
    "short": lambda value: _text(value)[:12],
    "severity": _severity,
    "payload": lambda value: so_many(value, "payload") if isinstance(value, int) else _text(value),
}
