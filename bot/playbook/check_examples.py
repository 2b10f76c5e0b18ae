"""Do the examples of the triggers tell the truth? Each is put to its own rule.

Leaves what fires to `examples`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from bot.playbook.examples import fires
from bot.playbook.parts import Parts
from bot.playbook.problem import Problem
from bot.playbook.read import Part, explain
from bot.playbook.trigger import Example, Trigger
from bot.playbook.yaml_lines import Path


def examples_are_true(parts: Parts) -> Iterator[Problem]:
    for part in parts.triggers:
        for kind, examples in (("fires", part.model.examples.fires), ("quiet", part.model.examples.quiet)):
            for index, example in enumerate(examples):
                yield from _truth(part, ("examples", kind, index), example, expected=kind == "fires")


def _truth(part: Part[Trigger], path: Path, example: Example, *, expected: bool) -> Iterator[Problem]:
    try:
        fired = fires(part.model.rule, example.facts)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield from explain(part.document, detail, under=(*path, "facts"))
        return
    except ValueError as error:
        yield part.document.problem((*path, "facts"), f"the example cannot be weighed: {error}", "correct its facts")
        return
    if fired is not expected:
        says, does = ("fires", "stays quiet") if expected else ("is quiet", "fires")
        what = f"the example “{example.says}” says the rule {says}, but it {does}"
        yield part.document.problem(path, what, "correct the example's facts, or the rule")
