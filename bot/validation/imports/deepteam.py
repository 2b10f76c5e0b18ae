"""deepteam's test cases: a saved risk assessment, or a list of `RTTestCase`.

Shape: deepteam/test_case/test_case.py and `RiskAssessment.save` (deepteam/red_teamer/risk_assessment.py):
`{"overview", "test_cases": [{"vulnerability", "vulnerability_type", "attack_method", "input", "turns", …}]}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.validation.imports.found import Item, Look, Problem


def recognises(look: Look) -> bool:
    cases = _cases(look)
    return bool(cases) and isinstance(cases[0], dict) and "vulnerability" in cases[0]


def _cases(look: Look) -> list[Any]:
    match look.whole:
        case {"test_cases": [*cases]} | [*cases]:
            return cases
        case dict() as case:
            return [case]
        case _:
            return []


def read(look: Look) -> Iterator[Item]:
    for at, case in enumerate(_cases(look), 1):
        if not isinstance(case, dict):
            yield look.problem(None, f"test case {at} is no test case.")
            continue
        name = " ".join(
            str(case[key]) for key in ("vulnerability", "vulnerability_type", "attack_method") if case.get(key)
        )
        found = look.payload(None, case.get("turns") or case.get("input"), name=f"deepteam {name}"[:200])
        yield look.problem(None, f"test case {at}: {found.why}") if isinstance(found, Problem) else found
