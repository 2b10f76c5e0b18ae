"""Evidence with its custody, and the validation of the fix with its bounds.

Decides how they are written. Whether a fix is proven is `bot.incident.proof`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from bot.incident.timeline import Happened
from bot.incident.validation import ValidationRun
from bot.review.about import About
from bot.review.page import Facts, Heading, Part, Table, Text
from bot.review.record import Entry
from bot.review.told import moment, span

CUSTODY = (
    Happened.EVIDENCE_ADDED, Happened.EVIDENCE_KEPT, Happened.EVIDENCE_READ, Happened.EVIDENCE_LOST,
)  # fmt: skip
PIECES = 200
"""So many pieces are listed; a storm brings thousands. The JSON file has them all."""
HANDLED = 12
"""So many of the times that a piece was handled are told one by one: the first ones, and the last one."""
WORDS = {"evidence_added": "added", "evidence_kept": "kept", "evidence_read": "read", "evidence_lost": "lost"}


def evidence(about: About) -> Sequence[Part]:
    pieces, chain = about.record.evidence, custody(about)
    rows = [
        (
            str(one.id),
            one.name,
            one.kind.value.replace("_", " "),
            one.state.value.replace("_", " "),
            one.sha256 or None,
            str(one.size),
            one.source,
            _handled(about, chain.get(one.sha256 or one.name, ())),
        )
        for one in pieces[:PIECES]
    ]
    more = [Text(f"{len(pieces) - PIECES} more pieces are in the JSON file.")] if len(pieces) > PIECES else []
    waived = [
        (moment(e.at), about.people.role(e.actor), _text(e, "missing"), about.people.blameless(_text(e, "reason")))
        for e in about.record.of(Happened.EVIDENCE_WAIVED)
    ]
    headers = ("No.", "Name", "Kind", "State", "SHA-256", "Bytes", "From", "Who handled it (UTC)")
    return (
        Table(headers, rows, empty="No evidence was kept."),
        *more,
        Heading("Went on without"),
        Table(("Time (UTC)", "By", "What was missing", "Why"), waived, empty="Nobody went on without wanted evidence."),
    )


def custody(about: About) -> Mapping[str, Sequence[Entry]]:
    """By SHA-256, or by name where the bytes were never seen."""
    chain: dict[str, list[Entry]] = defaultdict(list)
    for entry in about.record.of(*CUSTODY):
        chain[str(entry.data.get("sha256") or entry.data.get("name"))].append(entry)
    return chain


def _handled(about: About, entries: Sequence[Entry]) -> str | None:
    told = [f"{moment(e.at)} {WORDS[e.kind.value]} by {about.people.role(e.actor)}" for e in entries]
    if len(told) > HANDLED:
        told = [*told[: HANDLED - 1], f"… {len(told) - HANDLED} more", told[-1]]
    return "; ".join(told) or None


def _text(entry: Entry, key: str) -> str | None:
    value = entry.data.get(key)
    listed = ", ".join(map(str, value)) if isinstance(value, list) else value
    return str(listed) if listed else None


def validation(about: About) -> Sequence[Part]:
    incident, runs = about.record.incident, about.record.runs
    parts: list[Part] = []
    if incident.validation_waived_at is not None:
        parts.append(
            Facts(
                [
                    ("Waived at (UTC)", moment(incident.validation_waived_at)),
                    ("Waived by", about.people.role(incident.validation_waived_by)),
                    ("Why", about.people.blameless(incident.validation_waiver)),
                ]
            )
        )
    if not runs:
        return (*parts, Text("The attack was not replayed against the fix."))
    headers = ("Run", "Target", "Version", "Vulnerable version", "Verdict", "Began (UTC)", "Took", "Reason")
    rows = [_run(about, one) for one in runs]
    return (*parts, Table(headers, rows), *(part for one in runs for part in _payloads(one)))


def _run(about: About, run: ValidationRun) -> tuple[str | None, ...]:
    verdict = run.verdict.value if run.verdict else run.state.value
    return (
        f"{run.id}{' (regression)' if run.regression else ''}",
        run.target,
        run.target_version,
        run.vulnerable_version,
        f"{verdict} (under containment only)" if run.contained_meanwhile and run.verdict else verdict,
        moment(run.started_at),
        span(run.started_at, run.finished_at),
        about.people.blameless(run.reason or run.report.get("summary")),
    )


def _payloads(run: ValidationRun) -> Sequence[Part]:
    """Of each payload only its hash: what the attacker wrote stays in the vault."""
    found = run.report.get("payloads")
    payloads = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if not payloads:
        return ()
    headers = ("Payload (SHA-256)", "Valid trials", "Attack succeeded", "Bound at 95 %", "Passed", "Why not")
    rows = [
        (
            str(one.get("payload", ""))[:16] or None,
            _number(one.get("valid")),
            _number(one.get("successes")),
            _bound(one),
            "yes" if one.get("passed") is True else "no",
            str(one.get("reason") or "") or "–",
        )
        for one in payloads
    ]
    left = run.report.get("left_out")
    more = [Text(f"{left} more payloads are in the JSON file of the run.")] if isinstance(left, int) and left else []
    return (Heading(f"Payloads of run {run.id}"), Table(headers, rows), *more)


def _number(value: Any) -> str | None:
    return str(value) if isinstance(value, int) else None


def _bound(payload: Mapping[str, Any]) -> str | None:
    lower, upper = payload.get("lower"), payload.get("upper")
    if not isinstance(upper, int | float) or not isinstance(lower, int | float):
        return None
    if payload.get("successes"):
        return f"works in {percent(lower)} to {percent(upper)}"
    return f"works in less than {percent(upper)}"


def percent(share: float) -> str:
    """`9.5 %`."""
    return f"{share * 100:.2g} %" if share < 0.1 else f"{share * 100:.0f} %"
