"""The review of one incident as a page: the sections of `playbooks/review.yaml` in their order, and what belongs beside them.

Decides which part fills which section. The forms are `markdown`'s, `html`'s and `data`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.playbook.review import ReviewSection
from bot.review.about import About
from bot.review.page import Page, Part, Section
from bot.review.sections.contained import containment
from bot.review.sections.facts import facts
from bot.review.sections.learned import LUCKY, action_items, checklist, clocks, questions, written
from bot.review.sections.measured import exposure, metrics
from bot.review.sections.proven import evidence, validation
from bot.review.sections.times import sent, timeline
from bot.review.told import moment

Fill = Callable[[About], Sequence[Part]]
FILLS: Mapping[str, Fill] = {
    "facts": facts,
    "timeline": timeline,
    "questions": questions,
    "action_items": action_items,
    "metrics": metrics,
    "containment": containment,
    "evidence": evidence,
    "validation": validation,
    "clocks": clocks,
}
"""By what the template says fills a section. `people` is what somebody wrote."""
AFTER: Mapping[str, tuple[str, str, Fill]] = {
    "metrics": ("exposure", "How far it went", exposure),
    "clocks": ("sent", "What stakeholders were told", sent),
    "improve": (LUCKY, "Where we were lucky", lambda about: written(about, LUCKY)),
}
"""What good reviews have beside the template's sections, and after which of them it stands."""


def compose(about: About, *, label: str) -> Page:
    record = about.record
    drill = "Drill. " if record.incident.drill else ""
    remark = (
        f"{drill}Written by Firsthour from {record.head} entries of the timeline, up to {moment(record.as_of)} UTC. "
        "Roles stand for people: a review looks for causes, not for somebody to blame."
    )
    return Page(
        title=f"{about.playbook.review.title}: {record.incident.name}",
        label=f"TLP:{label}",
        remark=remark,
        sections=tuple(_sections(about)),
        blank=about.playbook.review.blank,
    )


def _sections(about: About) -> Iterator[Section]:
    for template in about.playbook.review.sections:
        yield Section(template.id, template.title, template.hint, _parts(about, template))
        if (more := AFTER.get(template.id)) is not None:
            yield Section(more[0], more[1], "", more[2](about))
    yield Section("checklist", "Appendix: the checklist", "", checklist(about))


def _parts(about: About, template: ReviewSection) -> Sequence[Part]:
    return written(about, template.id) if template.fill == "people" else FILLS[template.fill](about)
