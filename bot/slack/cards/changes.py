"""What changed since a moment, for whoever comes late: three lines of how things stand, then what happened, in groups.

Decides which entries make a group and how many lines each gets; whatever is not shown is counted. What happened is read by
`bot.store.changes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from bot.incident.lifecycle import NEXT_STEP
from bot.incident.narrative import Person, pieces, so_many
from bot.incident.timeline import Happened, TimelineEntry
from bot.incident.words import ActionState
from bot.slack.cards.exposure import exposed
from bot.slack.cards.scene import MARKS, Scene
from bot.slack.text import Md, join, md, safe, when, who

H = Happened
GROUPS: dict[LiteralString, frozenset[Happened]] = {
    "Status": frozenset({H.OPENED, H.ACKNOWLEDGED, H.STATUS_CHANGED, H.RECURRED, H.MONITORING_BEGAN, H.MONITORING_ENDED}),
    "Severity": frozenset({H.SEVERITY_CHANGED, H.SEVERITY_CONFIRMED, H.TRIGGER_CHANGED, H.STORM_BEGAN}),
    "People": frozenset({H.ROLE_TAKEN, H.HANDED_OVER, H.ESCALATED}),
    "Containment": frozenset(
        {
            H.ACTION_PROPOSED, H.ACTION_APPROVED, H.ACTION_DECLINED, H.ACTION_EXPIRED, H.GLASS_BROKEN, H.ACTION_VERIFIED,
            H.ACTION_FAILED, H.ACTION_UNKNOWN, H.ACTION_REVERTED, H.REVERT_FAILED, H.ACTION_TEMPORARY, H.ACTION_KEPT,
        }
    ),
    "Findings": frozenset({H.CLASSIFIED, H.EXPOSURE_ESTIMATED, H.QUESTION_ANSWERED}),
    "Fix": frozenset({H.VALIDATION_STARTED, H.VALIDATION_STOPPED, H.VALIDATED, H.VALIDATION_WAIVED}),
    "Steps": frozenset({H.PHASE_BEGAN, H.STEP_DONE, H.STEP_SKIPPED, H.STEP_UNDONE}),
    "Evidence": frozenset({H.EVIDENCE_ADDED, H.EVIDENCE_LOST, H.EVIDENCE_WAIVED}),
    "Updates": frozenset({H.UPDATE_POSTED, H.DOCUMENT_WRITTEN, H.DOCUMENT_RELEASED}),
    "Notes": frozenset({H.NOTE, H.STEP_NOTED}),
}  # fmt: skip
"""In the order in which they are shown. What stands in none (alerts, reminders, invitations) is counted."""
NOTEWORTHY = frozenset[Happened]().union(*GROUPS.values())
FIRST_LINES = 3
"""Every group gets so many before any gets more."""
MOST_LINES = 12
SENTENCE_CHARS = 220
ALL_CHARS = 3_600
"""An answer of more than 4,000 characters is split into several messages by Slack."""


def changes(scene: Scene, since: datetime, *, counts: Mapping[Happened, int], latest: Sequence[TimelineEntry]) -> Md:
    """`counts`: of every kind since then; `latest`: the last entries of `NOTEWORTHY` kinds, oldest first."""
    head = [*_now(scene), md("*Since {}*", when(since, "both"))]
    if not counts:
        return join("\n", [*head, Md("Nothing was recorded.")])
    groups = {title: [one for one in latest if one.kind in kinds] for title, kinds in GROUPS.items()}
    room = ALL_CHARS - sum(len(line) + 1 for line in head) - 80 * len(groups)
    shown = _fitting({title: [_line(one) for one in entries[-MOST_LINES:]] for title, entries in groups.items()}, room)
    lines = [line for title, kinds in GROUPS.items() for line in _group(title, _total(counts, kinds), shown[title])]
    others = sum(count for kind, count in counts.items() if kind not in NOTEWORTHY)
    left = sum(counts.values()) - sum(map(len, shown.values()))
    foot = [md("*Other entries* (alerts, reminders, people joining): {}", others)] if others else []
    foot += [md("… and {} more: `/incident timeline`", f"{left:,}")] if left else []
    return join("\n", [*head, *lines, *foot])


def _now(scene: Scene) -> list[Md]:
    """Three lines: what it is and who leads; what is contained and what waits; how far it went and what comes next."""
    file, incident = scene.file, scene.incident
    leads = md("{} leads", who(file.commander)) if file.commander else Md("nobody has command")
    waiting = sum(one.state is ActionState.PROPOSED for one in file.actions)
    reach = exposed(file.exposure) if file.exposure else Md("not estimated")
    return [
        md("{} *{}* {}, {}, {}", MARKS[incident.severity], scene.name, scene.severity, scene.status, leads),
        md(
            "{} in force, {} waiting for a decision; {} of {} steps open",
            so_many(len(file.in_force), "action"), waiting, len(file.open_steps), len(file.steps),
        ),
        md("Scope: {}. {}", reach, Md(NEXT_STEP[incident.status])),
    ]  # fmt: skip


def _line(entry: TimelineEntry) -> Md:
    return md("• {} {}", when(entry.at), told(entry))


def told(entry: TimelineEntry) -> Md:
    """One entry of a timeline as a sentence. Who did it is a mention; an id that stands in somebody's words stays inert."""
    left, shown = SENTENCE_CHARS, list[Md]()
    for piece in pieces(entry):
        shown.append(who(piece) if isinstance(piece, Person) else safe(piece, left))
        left -= len(piece)
        if left <= 0:
            break
    return join("", shown)


def _total(counts: Mapping[Happened, int], kinds: frozenset[Happened]) -> int:
    return sum(count for kind, count in counts.items() if kind in kinds)


def _group(title: LiteralString, total: int, lines: Sequence[Md]) -> list[Md]:
    if not total:
        return []
    last = md(", the last {}", len(lines)) if lines and total > len(lines) else Md("")
    return [md("*{}:* {}{}", title, f"{total:,}", last), *lines]


def _fitting(groups: Mapping[str, list[Md]], room: int) -> dict[str, list[Md]]:
    """The last lines of each group, in their order: some of every group first, more of each where there is room left."""
    kept: dict[str, int] = dict.fromkeys(groups, 0)
    for most in (FIRST_LINES, MOST_LINES):
        for title, lines in groups.items():
            while kept[title] < min(most, len(lines)) and len(lines[-1 - kept[title]]) + 1 <= room:
                room -= len(lines[-1 - kept[title]]) + 1
                kept[title] += 1
    return {title: lines[len(lines) - kept[title] :] for title, lines in groups.items()}
