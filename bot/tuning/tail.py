"""`firsthour events tail`: what came in, what was found in it, and what fired, from the log of seen events alone.

Decides which lines are shown, and how. Everything in them was written by strangers: in a terminal it is printed with control
and invisible characters named, in JSON escaped. Texts are not in the log; of a secret, also in an id, kind and last four show.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.detection.compile import compiled
from bot.detection.event import Mark, MarkKind, Outcome, Seen
from bot.detection.finding import Finding
from bot.detection.index import Index
from bot.detection.rule import TriggerRule
from bot.incident.redact import clip, redact
from bot.incident.visible import visible
from bot.tuning.report import moment
from bot.watch.frames import Frame, FrameKind
from bot.watch.read import Fired, fired_of, follow_frames, read_frames, seen_of
from bot.watch.segments import segments

LAST = 20
"""Lines that are shown of the past."""
CHARS = 60
"""Of one id or name."""
LATE = 60.0
"""Seconds after which an event may have come too late to be counted (domain.md §4.1)."""
RAISED = frozenset({Outcome.BLOCK, Outcome.MASK, Outcome.FLAG, Outcome.ERROR})


class Readers:
    """Which triggers count an event, or look into it. Whether it completes anything depends on what came before."""

    def __init__(self, rules: Sequence[TriggerRule]) -> None:
        self._index = Index(compiled(rules), lambda rule: rule)

    def of(self, seen: Seen) -> list[str]:
        """In the order of the rules, each once."""
        return list(dict.fromkeys(rule.trigger for rule in self._index.of(seen) if rule.key_of(seen) is not None))


@dataclass(frozen=True)
class Wanted:
    readers: Readers
    user: str | None = None
    """`user_id` or `session_id` of an event; of a finding its subject, its session, or one of a fleet."""
    trigger: str | None = None
    """Only events that this one reads, and only its findings."""

    def event(self, seen: Seen) -> bool:
        named = self.user in {None, seen.event.user_id, seen.event.session_id}
        return named and (self.trigger is None or self.trigger in self.readers.of(seen))

    def finding(self, finding: Finding) -> bool:
        named = {None, finding.subject_id, finding.session_id, *(who for _, who in finding.subjects)}
        return self.trigger in {None, finding.trigger} and self.user in named


Line = Seen | Fired


def tail(folder: Path, wanted: Wanted, *, last: int = LAST, follow: bool = False) -> Iterator[Line]:
    """The last so many lines, the oldest first; with `follow` also what comes from then on, without end (it blocks)."""
    lines: deque[Line] = deque()
    end = 0
    for segment in reversed(segments(folder)):
        found: deque[Line] = deque(maxlen=last - len(lines))
        for frame in read_frames([segment]):
            end = max(end, frame.number)
            found.extend(_lines(frame, wanted))
        lines.extendleft(reversed(found))
        if len(lines) >= last:
            break
    yield from lines
    if follow:
        for frame in follow_frames(folder, end):
            yield from _lines(frame, wanted)


def _lines(frame: Frame, wanted: Wanted) -> Iterator[Line]:
    if frame.kind is FrameKind.SEEN:
        yield from (seen for seen in seen_of(frame) if wanted.event(seen))
    elif frame.kind is FrameKind.FINDINGS:
        yield from (fired for fired in fired_of(frame) if wanted.finding(fired.finding))


def in_words(line: Line, readers: Readers) -> str:
    """One line for a terminal, without a line break or a control character in it."""
    return visible(_fired(line) if isinstance(line, Fired) else _seen(line, readers.of(line)))


def _seen(seen: Seen, read_by: Sequence[str]) -> str:
    event = seen.event
    late = seen.arrived - event.at
    parts = [
        moment(seen.arrived),
        f"{event.kind}{f'/{event.stage}' if event.stage != 'unknown' else ''}",
        _short(event.app) or "no application",
        f"{event.user_kind}:{_short(event.user_id)}" if event.user_id else f"session:{_short(event.session_id)}",
        *(
            f"{verdict.outcome} by {_short(verdict.guardrail)}"
            for verdict in event.verdicts
            if verdict.outcome in RAISED
        ),
        *(f"tool {_short(tool.name)}" for tool in [event.tool] if tool is not None),
        *(f"signal {_short(signal.name)}" for signal in event.signals),
        *map(_mark, seen.marks),
        *([f"came {late:.0f} s after it happened"] if late > LATE else []),
        *([f"read by {', '.join(read_by)}"] if read_by else []),
    ]
    return "  ".join(parts)


def _mark(mark: Mark) -> str:
    how = f" as {mark.how}" if mark.how != "plain" else ""
    match mark.kind:
        case MarkKind.SECRET:
            what = f"secret {mark.name} …{mark.last4}" if mark.last4 else f"secret {mark.name}"
        case MarkKind.FRAGMENT:
            what = (
                f"part of prompt {mark.name} ({mark.coverage:.0%} of it)" if mark.coverage else f"part of {mark.name}"
            )
        case _:
            what = f"{mark.kind} {mark.name}"
    excluded = f", not counted: {mark.excluded}" if mark.excluded else ""
    return f"[{_short(what)}{how}{excluded}]"


def _fired(fired: Fired) -> str:
    finding = fired.finding
    counts = ", ".join(f"{name} {value:g}" for name, value in finding.counts.items())
    what = "fired" if finding.first else "has more evidence"
    parts = [
        moment(finding.completed_at),
        f"⇒ {finding.trigger} {what}",
        _short(finding.app) or "no application",
        f"{finding.subject_kind}:{_short(finding.subject_id) or '?'}",
        *(
            [f"session:{_short(finding.session_id)}"]
            if finding.session_id and finding.subject_kind != "session"
            else []
        ),
        *([counts] if counts else []),
        *map(_mark, finding.marks[-1:]),
        *([f"suppressed by {_short(fired.by)}"] if fired.by is not None else []),
        *(["in shadow: opens nothing"] if finding.shadow else []),
    ]
    return "  ".join(parts)


def as_data(line: Line, readers: Readers) -> dict[str, Any]:
    """`{"arrived", "event": …, "marks": […], "read_by": […]}` or `{"finding": …, "marks", "suppressed_by"}`.

    A redacted excerpt is in neither: the room of the incident is the place for it.
    """
    data: dict[str, Any] = _without_secrets(_data(line, readers))
    return data


def _without_secrets(value: Any) -> Any:
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: _without_secrets(one) for key, one in value.items()}
        case list() | tuple():
            return [_without_secrets(one) for one in value]
        case _:
            return value


def _data(line: Line, readers: Readers) -> dict[str, Any]:
    if isinstance(line, Fired):
        finding = line.finding
        return {
            "finding": {name: getattr(finding, name) for name in finding.__struct_fields__ if name != "marks"},
            "marks": [_mark_data(mark) for mark in finding.marks],
            "suppressed_by": line.by,
        }
    event = line.event
    shown = ("kind", "app", "user_id", "user_kind", "session_id", "source", "event_id", "stage", "delivered", "refused")
    return {
        "arrived": moment(line.arrived),
        "late_seconds": round(line.arrived - event.at, 3),
        "event": {"occurred_at": event.at, **{name: getattr(event, name) for name in shown}},
        "verdicts": [{"guardrail": one.guardrail, "outcome": one.outcome} for one in event.verdicts],
        "signals": [one.name for one in event.signals],
        "marks": [_mark_data(mark) for mark in line.marks],
        "read_by": readers.of(line),
    }


def _mark_data(mark: Mark) -> dict[str, object]:
    fields = ("kind", "name", "grade", "last4", "offset", "how", "coverage", "excluded")
    return {name: getattr(mark, name) for name in fields if getattr(mark, name)}


def _short(text: str | None) -> str:
    return clip(redact(text), CHARS) if text else ""
