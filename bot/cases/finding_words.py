"""How a finding reads, for people: title, summary and evidence of the alert that it becomes.

Decides the words. All text of a finding came from a stranger: what is stored of it is clipped and redacted by `alerted`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bot.cases.alert import AlertIn, EvidenceIn, SubjectIn
from bot.detection.event import Mark, MarkKind
from bot.detection.finding import Finding
from bot.detection.scan import NAMED
from bot.incident.redact import UNSTORABLE, clip
from bot.incident.words import SubjectKind
from bot.playbook import Playbook

SOURCE = "detection"
PIECES = 17
"""Pieces of evidence for marks; with the three others, at most as many as an alert may have."""
ANY_CANARY = ("credential", "")
"""Kinds of canary that mean a credential is lost; one of no kind may be any."""
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
KINDS = frozenset(kind.value for kind in SubjectKind)
TITLES = {
    MarkKind.SECRET: "Secret in a text",
    MarkKind.CANARY: "Canary in a text",
    MarkKind.FRAGMENT: "Part of the system prompt",
    MarkKind.PROBE: "Probing",
    MarkKind.IDENTIFIER: "Somebody's identifier",
}


def as_alert(playbook: Playbook, finding: Finding, *, counted: bool = False) -> AlertIn:
    """The trigger is one of the playbook's. Times that no calendar has are left out: they are not known.

    What was counted comes along where it fires first, and where `counted` asks for it: what comes after is in the timeline.
    """
    subject = _subject(finding)
    return AlertIn(
        trigger=finding.trigger,
        title=clip(_title(playbook.triggers[finding.trigger].title, subject, finding), 300),
        subject=subject,
        app=_storable(finding.app, 120),
        session_id=_storable(finding.session_id, 300),
        external_id=finding.id,
        started_at=_moment(finding.started_at),
        summary=clip(_summary(finding), 3000),
        evidence=(
            *(_counted(finding) if counted or finding.first else ()),
            *_told(finding),
            *_marks(finding),
            *(_took_part(finding) if counted or finding.first else ()),
        ),
    )


def _subject(finding: Finding) -> SubjectIn | None:
    named = _storable(finding.subject_id, 300)
    if named is None or finding.subject_kind not in KINDS:
        return None
    return SubjectIn(kind=SubjectKind(finding.subject_kind), id=named)


def _storable(text: str | None, most: int) -> str | None:
    """A database takes it as it is: ids decide sameness, so they are not redacted, and nobody evades by a NUL in one."""
    return UNSTORABLE.sub("\ufffd", text)[:most] if text else None


def _title(title: str, subject: SubjectIn | None, finding: Finding) -> str:
    who = f": {subject.kind.value.replace('_', ' ')} {subject.id}" if subject else ""
    return f"{title}{who}" + (f" in {finding.app}" if finding.app else "")


def _summary(finding: Finding) -> str:
    """What was counted, when and where, in one paragraph."""
    parts = [_counts(finding)] if finding.counts else []
    parts.append(_when(finding))
    if finding.subjects:
        parts.append(f"{len(finding.subjects)} took part")
    if finding.subject_id and NAMED.fullmatch(finding.subject_id):
        parts.append("the subject is named by a credential, of which kind, last four and a keyed hash are kept")
        parts.append("it cannot be blocked by that name: revoke the credential where it was issued")
    where = [f"application {finding.app}"] if finding.app else []
    where += [f"session {finding.session_id}"] if finding.session_id else []
    if where:
        parts.append(", ".join(where).capitalize())
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "."


def _counts(finding: Finding) -> str:
    return ", ".join(f"{name}: {_number(count)}" for name, count in finding.counts.items())


def _number(count: float) -> str:
    return f"{count:.0f}" if count == int(count) else f"{count:.3g}"


def _when(finding: Finding) -> str:
    first, last = _moment(finding.started_at), _moment(finding.completed_at)
    if first is None or last is None:
        return "at a time that is not known"
    within = f", counted over {_span(finding.window_seconds)}" if finding.window_seconds else ""
    if last - first < timedelta(seconds=1):
        return f"at {first:%Y-%m-%d %H:%M:%S} UTC{within}"
    same_day = "%H:%M:%S" if first.date() == last.date() else "%Y-%m-%d %H:%M:%S"
    return f"from {first:%Y-%m-%d %H:%M:%S} to {last.strftime(same_day)} UTC{within}"


def _span(seconds: float) -> str:
    for size, name in UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{seconds:.3g} seconds"


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _counted(finding: Finding) -> Iterator[EvidenceIn]:
    lines = [f"{name}: {_number(count)}" for name, count in finding.counts.items()]
    lines.append(_when(finding).capitalize())
    if finding.session_id:
        lines.append(f"Session {finding.session_id}")
    if finding.event_ids:
        lines.append("Events: " + ", ".join(finding.event_ids))
    yield EvidenceIn(name="What was counted", text="\n".join(lines))


def _told(finding: Finding) -> Iterator[EvidenceIn]:
    lines = [f"“{finding.told}”"] if finding.told else []
    lines += [f"The text lies at {finding.text_ref}. Firsthour does not fetch it."] if finding.text_ref else []
    if lines:
        yield EvidenceIn(name="What the source shows of the text", text="\n".join(lines))


def _marks(finding: Finding) -> Iterator[EvidenceIn]:
    """Each thing that was found, once."""
    seen: set[tuple[MarkKind, str, str]] = set()
    for mark in finding.marks:
        same = (mark.kind, mark.name, mark.digest)
        if same not in seen and len(seen) < PIECES:
            seen.add(same)
            yield EvidenceIn(name=clip(f"{TITLES[mark.kind]}: {mark.name}", 200), text="\n".join(_lines(mark)))


def _lines(mark: Mark) -> Iterator[str]:
    """Nothing in which two finds of the same thing differ comes first: the excerpt in the store is short."""
    if mark.kind is MarkKind.SECRET or (mark.kind is MarkKind.CANARY and mark.grade in ANY_CANARY):
        yield f"[redacted {mark.name}{f' …{mark.last4}' if mark.last4 else ''}]"
    if mark.grade:
        yield f"Grade: {mark.grade.replace('_', ' ')}"
    if mark.coverage:
        yield f"Share of the whole prompt: {mark.coverage:.0%}"
    if mark.excerpt:
        yield f"“{mark.excerpt}”"
    yield f"At character {mark.offset}" + (f", hidden as {mark.how.replace('_', ' ')}" if mark.how != "plain" else "")
    if mark.digest:
        yield f"Keyed hash: {mark.digest}"


def _took_part(finding: Finding) -> Iterator[EvidenceIn]:
    if finding.subjects:
        lines = [f"{kind.replace('_', ' ')} {named}" for kind, named in finding.subjects]
        yield EvidenceIn(name="Who took part", text="\n".join(lines))
