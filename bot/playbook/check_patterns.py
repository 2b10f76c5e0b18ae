"""Can every regular expression of a rule be run? A pattern that could take for ever is refused, with its line.

Leaves what is accepted to the scanner, which is what runs them (`bot.detection.scan.compile_pattern`).
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.detection.condition import Pattern
from bot.detection.rule import MatchRule, PatternsRule, Rule, ScannerRule
from bot.detection.scan import compile_pattern
from bot.playbook.parts import Parts
from bot.playbook.problem import Problem
from bot.playbook.yaml_lines import Path


def patterns_run(parts: Parts) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for part in parts.triggers:
        for path, error in refused(part.model.rule):
            yield part.document.problem(path, f"this pattern cannot be run: {error}", "write it otherwise")
        for path, name, pattern in _patterns(part.model.rule):
            if name and first.setdefault(name, pattern) != pattern:
                what = f"another trigger has a pattern “{name}” that looks for something else"
                yield part.document.problem(("rule", *path), what, "give one of them another id")


def refused(rule: Rule) -> list[tuple[Path, str]]:
    """Where a pattern that cannot be run stands in the trigger's file, and why."""
    found: list[tuple[Path, str]] = []
    for path, _, pattern in _patterns(rule):
        try:
            compile_pattern(pattern)
        except ValueError as error:
            found.append((("rule", *path), str(error)))
    return found


def _patterns(rule: Rule) -> Iterator[tuple[Path, str, str]]:
    """Where each stands, its id where it has one, and the pattern."""
    if isinstance(rule, PatternsRule | ScannerRule):
        for index, own in enumerate(rule.own):
            yield ("own", index, "pattern"), own.id, own.pattern
    if isinstance(rule, MatchRule):
        wheres = [(("where",), rule.where), *((("or_where", i), where) for i, where in enumerate(rule.or_where))]
        for app, override in rule.overrides.items():
            wheres.append((("overrides", app, "where"), override.where or {}))
        for path, where in wheres:
            for name, condition in where.items():
                if isinstance(condition, Pattern):
                    yield (*path, name, "pattern"), "", condition.pattern
