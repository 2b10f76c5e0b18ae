"""What the maker of a third-party model is told: model, versions, technique, times, reproduction by hashes, impact, contact.

Decides that no payload and no customer's data is in it: whoever makes the model asks for the payloads by their hashes. A person
releases it (`bot.cases.release`).
"""

from __future__ import annotations

from bot.incident.columns import Json
from bot.incident.document import Document
from bot.incident.words import EvidenceKind
from bot.review.about import About
from bot.review.anonymous import Placeholders
from bot.review.markdown import markdown
from bot.review.page import Facts, Page, Section, Table, Text
from bot.review.sections.proven import percent
from bot.review.told import moment

QUESTION = "vendor"
CONTACT = "contact"


def document(about: About, args: Json) -> tuple[Document, ...]:
    """`{"label", "contact"}`: how far it may travel, and whom to answer."""
    draft = "-draft" if args.get("draft") else ""
    page = compose(about, str(args.get("label") or "AMBER"), str(args.get(CONTACT) or "") or None)
    return (Document(f"vendor-report{draft}.md", page.title, markdown(page).encode()),)


def compose(about: About, label: str, contact: str | None) -> Page:
    places = Placeholders()
    places.known(about.record)
    text = about.record.answer(QUESTION)
    return Page(
        title="Report of a weakness in a model",
        label=f"TLP:{label}",
        remark="Payloads are named by their SHA-256 and are sent on request, through a channel that both sides trust.",
        blank=about.playbook.review.blank,
        sections=(
            Section("model", "Model", "", (Facts(_model(about)),)),
            Section("what", "What was seen", "", (Text(_unnamed(text, about, places)),)),
            Section("technique", "Technique", "", (Facts(_technique(about)),)),
            Section("repeat", "How to repeat it", "", (Table(*_payloads(about), empty="No payload was kept."),)),
            Section(
                "results", "What a replay came to", "", (Table(*_replayed(about, places), empty="None was made."),)
            ),
            Section("impact", "Impact", "", (Facts(_impact(about)),)),
            Section("contact", "Contact", "", (Text(contact),)),
        ),
    )


def _unnamed(text: str | None, about: About, places: Placeholders) -> str | None:
    """The model's own name stays: it is what the report is about."""
    if text is None:
        return None
    models = about.record.exposure.models if about.record.exposure else []
    kept = Placeholders({key: made for key, made in places.made.items() if key[1] not in models})
    return kept.without(text)


def _model(about: About) -> list[tuple[str, str | None]]:
    exposed, runs = about.record.exposure, about.record.runs
    vulnerable = dict.fromkeys(run.vulnerable_version for run in runs if run.vulnerable_version)
    tested = dict.fromkeys(run.target_version for run in runs if run.target_version)
    return [
        ("Model", ", ".join(exposed.models) or None if exposed else None),
        ("Vulnerable version", ", ".join(vulnerable) or None),
        ("Version of the replay", ", ".join(tested) or None),
    ]


def _technique(about: About) -> list[tuple[str, str | None]]:
    incident, playbook = about.record.incident, about.playbook
    trigger = playbook.triggers.get(incident.trigger or "")
    tags = dict.fromkeys(
        [*(trigger.atlas if trigger else ()), *(trigger.owasp if trigger else ()), *(incident.tags or ())]
    )
    atlas = [f"{tag} {playbook.atlas.techniques[tag]}" for tag in tags if tag in playbook.atlas.techniques]
    owasp = [f"{tag} {playbook.owasp.risks[tag]}" for tag in tags if tag in playbook.owasp.risks]
    return [
        ("MITRE ATLAS", ", ".join(atlas) or None),
        ("OWASP LLM", ", ".join(owasp) or None),
        ("First seen (UTC)", moment(incident.started_at)),
        ("Detected (UTC)", moment(incident.detected_at)),
        ("Contained on our side (UTC)", moment(incident.contained_at)),
    ]


def _payloads(about: About) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    sent = [one for one in about.record.evidence if one.kind is EvidenceKind.ADVERSARIAL_INPUT]
    rows: list[tuple[str | None, ...]] = [
        (f"payload-{n}", one.sha256 or None, str(one.size), moment(one.captured_at)) for n, one in enumerate(sent, 1)
    ]
    return ("Payload", "SHA-256", "Bytes", "Sent (UTC)"), rows


def _replayed(about: About, places: Placeholders) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    rows: list[tuple[str | None, ...]] = []
    for run in about.record.runs:
        for one in run.report.get("payloads") or ():
            if isinstance(one, dict):
                worked = f"{one.get('successes')} of {one.get('trials')}"
                bound = percent(float(one["upper"])) if isinstance(one.get("upper"), int | float) else None
                rows.append((places.of("target", run.target), str(one.get("payload", ""))[:16], worked, bound))
    return ("Target", "Payload (SHA-256)", "Worked", "At most, at 95 %"), rows


def _impact(about: About) -> list[tuple[str, str | None]]:
    found = about.record.exposure
    return [
        ("Severity", about.record.incident.severity.label),
        ("Users exposed", None if found is None or found.users_exposed is None else str(found.users_exposed)),
        ("Classes of data", (", ".join(found.data_classes) or None) if found else None),
    ]
