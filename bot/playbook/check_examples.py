"""Do the examples of the triggers tell the truth? Each story is told to the real scanner and the real engine.

Every load does it: a trigger that lies is refused at start as it is by `firsthour lint`, because a rule that does not do what
its file says must not watch unseen. It takes a third of a second of one core for the shipped ones; stories are bounded
(`examples.MOST_EVENTS`). Leaves what a rule means to `bot.detection`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from bot.detection.engine import Engine
from bot.detection.rule import TriggerRule, counts_any_input, own_patterns
from bot.detection.scan import (
    Canary,
    Knowledge,
    Owner,
    Prompt,
    Scanner,
    identifier_digest,
    normalise_identifier,
    owner_digest,
    shingles_of,
)
from bot.detection.scan.identifiers import STRONG
from bot.playbook.check_patterns import refused
from bot.playbook.examples import Example, Known, told
from bot.playbook.parts import Parts
from bot.playbook.problem import Problem
from bot.playbook.trigger import Trigger
from bot.playbook.yaml_lines import Path

KEY = b"only for the examples of triggers"
MOST_KEYS = 10_000
LIES = {
    "fires": "the example “{}” says the rule fires, but it stays quiet",
    "quiet": "the example “{}” says the rule is quiet, but it fires",
}
FIX = "correct the example's events, or the rule"


def examples_are_true(parts: Parts) -> Iterator[Problem]:
    for part in parts.triggers:
        for path, what, fix in untrue(json.dumps(part.document.data)):
            yield part.document.problem(path, what, fix)


@lru_cache(maxsize=256)
def untrue(file: str) -> tuple[tuple[Path, str, str], ...]:
    """Where a trigger's file is not true, what is wrong, and the fix. `file`: what stands in it, as JSON, so that a process that
    loads it again unchanged does not tell its stories again."""
    trigger = Trigger.model_validate(json.loads(file))
    rule, examples = TriggerRule(trigger.id, trigger.rule), trigger.examples
    if refused(trigger.rule):
        return ()  # said by check_patterns
    try:
        knows = known(examples.knows, rule)
    except ValueError as error:
        return ((("examples", "knows"), str(error), "correct what the examples know"),)
    said = [("fires", index, example) for index, example in enumerate(examples.fires)]
    said += [("quiet", index, example) for index, example in enumerate(examples.quiet)]
    lies = [(kind, index, example) for kind, index, example in said if fires(rule, example, knows) is (kind == "quiet")]
    return tuple((("examples", kind, index), LIES[kind].format(example.says), FIX) for kind, index, example in lies)


def fires(rule: TriggerRule, example: Example, knows: Knowledge) -> bool:
    """True where the story makes the rule fire its trigger, in shadow too. Scanned by the standard library: making the quicker
    matchers ready takes longer than all stories together, and finds the same (tests/detection/scan). It refuses some patterns of
    the user's own that run with google-re2, so these are scanned as they will be."""
    scanner, engine = Scanner(knows, KEY, fast=bool(knows.own)), Engine([rule], most_keys=MOST_KEYS)
    engine.take([scanner.scan(event, event.at) for event in told(example)])
    return engine.findings[rule.trigger] > 0


def known(knows: Known, rule: TriggerRule) -> Knowledge:
    """What the scanner of one trigger's examples looks for. Raises ValueError where nothing could ever be found."""
    owners: dict[str, tuple[Owner, ...]] = {}
    for one in knows.owners:
        digest = identifier_digest(KEY, one.kind, normalise_identifier(one.kind, one.value))
        owner = Owner(owner_digest(KEY, one.user_id), one.kind in STRONG, one.kind)
        owners[digest] = (*owners.get(digest, ()), owner)
    return Knowledge(
        canaries=tuple(
            Canary(one.name, "" if one.kind == "unknown" else one.kind, one.value) for one in knows.canaries
        ),
        prompts=tuple(
            Prompt(f"prompt-{number}", None, *shingles_of(text, KEY))
            for number, text in enumerate(knows.prompts, start=1)
        ),
        owners=owners,
        kinds=frozenset(one.kind for one in knows.owners),
        own=own_patterns([rule]),
        fleets=counts_any_input([rule]),
    )
