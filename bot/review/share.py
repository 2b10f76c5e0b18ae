"""A summary of an incident for others to learn from: no names, no customer data, no text that somebody wrote in the room.

Decides what is in it: what the playbook has words for, times as spans from the beginning, ids as placeholders. A person may
add words in a form, and a person releases it (`bot.cases.release`); it never leaves by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.incident.columns import Json
from bot.incident.document import Document
from bot.incident.metrics import in_words, measure
from bot.incident.narrative import so_many
from bot.incident.words import ActionState, Verdict
from bot.review.about import About
from bot.review.anonymous import Placeholders
from bot.review.markdown import markdown
from bot.review.page import Facts, Page, Section, Table, Text
from bot.review.sections.measured import WORDS, facts_for
from bot.review.sections.proven import percent

QUESTION = "share"
"""What a person adds to it is stored as the answer to this."""
DONE = frozenset({ActionState.VERIFIED, ActionState.REVERTED, ActionState.UNKNOWN, ActionState.FAILED})


def document(about: About, args: Json) -> tuple[Document, ...]:
    """`{"label"}` of how far it may travel. The same record makes the same bytes, so that its hash can be released."""
    label = str(args.get("label") or "GREEN")
    draft = "-draft" if args.get("draft") else ""
    page = compose(about, label)
    return (Document(f"shared-summary{draft}.md", page.title, markdown(page).encode()),)


def compose(about: About, label: str) -> Page:
    """Neither the incident's number nor the organisation's name is in it."""
    places = Placeholders()
    places.known(about.record)
    return Page(
        title="Summary of an AI security incident",
        label=f"TLP:{label}",
        remark="Anonymised: placeholders stand for ids, spans for times, and nothing that was written in the room is in it.",
        blank=about.playbook.review.blank,
        sections=(
            Section("what", "What it was", "", (Facts(_what(about)),)),
            Section("words", "In the words of those who handled it", "", (Text(_added(about, places)),)),
            Section("contained", "How it was contained", "", (Table(*_contained(about, places), empty="It was not."),)),
            Section("measured", "How long it took", "", (Table(("Metric", "Value", "Target"), _measured(about)),)),
            Section("proven", "How the fix was proven", "", (Text(_proven(about)),)),
            Section("next", "What is done about it", "", (Table(*_items(about), empty="Nothing was written down."),)),
        ),
    )


def _what(about: About) -> list[tuple[str, str | None]]:
    incident, playbook = about.record.incident, about.playbook
    trigger = playbook.triggers.get(incident.trigger or "")
    category = playbook.categories.get(incident.category) if incident.category else None
    tags = [*(trigger.atlas if trigger else ()), *(trigger.owasp if trigger else ()), *(incident.tags or ())]
    known = {**playbook.atlas.techniques, **playbook.owasp.risks}
    exposed = about.record.exposure
    return [
        ("When", f"{incident.declared_at:%B %Y}"),
        ("Severity", incident.severity.label),
        ("Attack category", category.title if category else None),
        ("Found by", trigger.title if trigger and trigger.mission else incident.detection.value.replace("_", " ")),
        ("Techniques", ", ".join(f"{tag} {known[tag]}" for tag in dict.fromkeys(tags) if tag in known) or None),
        ("Kind of subject", incident.subject_kind.value.replace("_", " ")),
        ("Users exposed", None if exposed is None or exposed.users_exposed is None else str(exposed.users_exposed)),
    ]


def _added(about: About, places: Placeholders) -> str | None:
    """Known ids are replaced also in what somebody typed on purpose."""
    text = about.record.answer(QUESTION)
    return places.without(text) if text is not None else None


def _contained(about: About, places: Placeholders) -> tuple[Sequence[str], list[tuple[str | None, ...]]]:
    done = [one for one in about.record.actions if one.state in DONE]
    rows: list[tuple[str | None, ...]] = [
        (
            about.playbook.actions[one.kind].title if one.kind in about.playbook.actions else one.kind.value,
            places.of(one.scope_kind.value, one.scope_id),
            _after(about.record.incident.declared_at, one.verified_at),
            one.state.value,
        )
        for one in done
    ]
    return ("Action", "On", "Verified after", "State"), rows


def _after(start: datetime, at: datetime | None) -> str | None:
    return in_words(at - start) if at is not None and at >= start else None


def _measured(about: About) -> list[tuple[str, str, str]]:
    facts = facts_for(about)
    found = [(metric, measure(metric, facts)) for metric in about.playbook.metrics.values()]
    return [
        (metric.title, one.why if one.known else "unknown", f"{metric.target}: {WORDS[one.outcome]}")
        for metric, one in found
    ]


def _proven(about: About) -> str:
    runs = [run for run in about.record.runs if run.verdict is not None]
    verified = [run for run in runs if run.verdict is Verdict.VERIFIED and not run.contained_meanwhile]
    if not verified:
        return "It was not proven by replaying the attack." if not runs else "Replays of the attack did not prove it."
    payloads = [one for one in verified[-1].report.get("payloads", ()) if isinstance(one, dict)]
    worst = max((float(one.get("upper") or 0) for one in payloads), default=None)
    bound = f" At 95 %, each works in less than {percent(worst)} of attempts." if worst else ""
    replayed = so_many(len(payloads), "payload")
    return f"The attack was replayed with {replayed} and what else means the same; none succeeded.{bound}"


def _items(about: About) -> tuple[Sequence[str], list[tuple[str | None, ...]]]:
    """The playbook's own items in its words; of others only what kind they are."""
    texts = {one.id: one.text for one in about.playbook.review.action_items}
    rows: list[tuple[str | None, ...]] = [
        (texts.get(one.key or "", "An action of our own"), one.kind.value, one.state.value)
        for one in about.record.items
    ]
    return ("What", "Kind", "State"), rows
