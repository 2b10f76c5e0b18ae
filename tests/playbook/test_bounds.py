"""A bound that a field names is the one that holds: pydantic takes the inner of two, without a word."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

import bot.detection
import bot.playbook
from bot.detection.rule import OwnerMismatchRule
from bot.detection.strict import Model


def models(base: type[BaseModel] = Model) -> Iterator[type[BaseModel]]:
    for room in (bot.detection, bot.playbook):
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            importlib.import_module(found.name)
    pending = [base]
    while pending:
        one = pending.pop()
        yield one
        pending += one.__subclasses__()


def twice(field: FieldInfo) -> list[str]:
    return [kind for kind, count in Counter(type(bound).__name__ for bound in field.metadata).items() if count > 1]


def test_no_field_of_a_rule_or_the_playbook_has_two_bounds_of_one_kind() -> None:
    found = {
        f"{model.__name__}.{name}: {kinds}"
        for model in models()
        for name, field in model.model_fields.items()
        if (kinds := twice(field))
    }
    assert not found


@pytest.mark.parametrize("field", ["strong_at_least", "weak_at_least", "require_signals"])
def test_a_rule_that_fires_on_nothing_is_refused(field: str) -> None:
    rule = {"key": ["user"], "events": ["llm_call"], "strong_at_least": 1, "weak_at_least": 2}
    with pytest.raises(ValidationError) as caught:
        OwnerMismatchRule.model_validate(rule | {field: 0})
    assert (field,) in {problem["loc"] for problem in caught.value.errors()}
