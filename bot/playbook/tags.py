"""Tags of an incident: techniques of MITRE ATLAS and risks of OWASP's LLM list, as people type them.

Decides what is a tag: an id of `playbooks/atlas.json` or `playbooks/owasp.json`, and nothing else. Which tags an incident
gets is a person's to say; `implied` only offers what its trigger and category bring.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.incident.errors import Invalid
from bot.incident.words import Category

if TYPE_CHECKING:
    from bot.playbook.playbook import Playbook

MOST_TAGS = 20
UNSAFE = re.compile(r"[^A-Z0-9._-]")
"""Nothing that was typed may mention or format anything in the answer."""
APART = re.compile(r"[\s,;]+")
EXAMPLE = "/incident classify prompt_injection AML.T0051.001 LLM01"


def named(playbook: Playbook, tag: str) -> str:
    """`LLM Prompt Injection: Indirect`: what the id stands for; the id itself where the playbook does not know it (any more)."""
    technique = playbook.atlas.techniques.get(tag)
    if technique is None:
        return playbook.owasp.risks.get(tag, tag)
    above = playbook.atlas.techniques.get(tag.rpartition(".")[0])
    return f"{above}: {technique}" if above is not None else technique


def parse(playbook: Playbook, text: str) -> list[str]:
    """`aml.t0051, LLM01` as ids, each once, in the order given. Raises Invalid on an id that no list has, naming the nearest."""
    given = [one.upper() for one in APART.split(text.strip()) if one]
    if len(given) > MOST_TAGS:
        raise Invalid(f"{len(given)} tags are too many, {MOST_TAGS} fit.", example=EXAMPLE, field="tags")
    return list(dict.fromkeys(_known(playbook, one) for one in given))


def _known(playbook: Playbook, given: str) -> str:
    known = {**playbook.atlas.techniques, **playbook.owasp.risks}
    for spelled in (given, f"AML.{given}"):
        if spelled in known:
            return spelled
    nearest = next(_nearest(playbook, given), None)
    hint = f"The nearest is {nearest} ({named(playbook, nearest)})." if nearest else "Use ids like AML.T0051 and LLM01."
    shown = UNSAFE.sub("?", given[:40])
    raise Invalid(f"There is no ATLAS technique or OWASP risk “{shown}”. {hint}", example=EXAMPLE, field="tags")


def _nearest(playbook: Playbook, given: str) -> Iterator[str]:
    """By the id, else by the name: `JAILBREAK` is nearest to AML.T0054."""
    known = {**playbook.atlas.techniques, **playbook.owasp.risks}
    yield from difflib.get_close_matches(given[:40], known, n=1, cutoff=0.7)
    if len(given) > 3:
        yield from (tag for tag, name in known.items() if given.replace("_", " ") in name.upper())


def implied(playbook: Playbook, category: Category | None, trigger: str | None) -> tuple[str, ...]:
    """What the category and the trigger bring by themselves."""
    kind = playbook.categories[category] if category is not None else None
    fired = playbook.triggers.get(trigger or "")
    brought = (*((*kind.atlas, *kind.owasp) if kind else ()), *((*fired.atlas, *fired.owasp) if fired else ()))
    return tuple(dict.fromkeys(brought))
