"""Which validation proves that a fix holds now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.incident.incident import Incident
from bot.incident.proof import standing
from bot.incident.validation import ValidationRun
from bot.incident.words import RunState, Severity, Verdict
from tests.conftest import START

V, X, U = Verdict.VERIFIED, Verdict.INCOMPLETE, Verdict.INCONCLUSIVE


def incident() -> Incident:
    return Incident(
        number=1, title="x", severity=Severity.SEV2, declared_by="U", playbook_digest="0", declared_at=START
    )


def run(number: int, verdict: Verdict | None, target: str = "prod", *, contained: bool = False) -> ValidationRun:
    """The run that began and ended `number` minutes after the start."""
    at = START + timedelta(minutes=number)
    state = RunState.FINISHED if verdict else RunState.STOPPED
    return ValidationRun(
        id=number, incident=1, target=target, verdict=verdict, contained_meanwhile=contained, state=state,
        started_by="U", started_at=at, finished_at=at if verdict else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "proof", "against"),
    [
        ([], None, None),
        ([run(1, V)], 1, None),
        ([run(1, U)], None, None),
        ([run(1, V), run(2, U)], 1, None),
        ([run(1, V), run(2, None)], 1, None),
        ([run(1, X), run(2, V)], 2, None),
        ([run(1, V), run(2, X)], None, 2),
        ([run(1, X), run(2, U)], None, 1),
        ([run(1, V, contained=True)], None, None),
        ([run(1, X), run(2, V, contained=True)], None, 1),
        ([run(1, X, "staging"), run(2, V, "prod")], None, 1),
        ([run(1, X, "staging"), run(2, V, "prod"), run(3, V, "staging")], 3, None),
    ],
)
def test_of_each_target_the_last_run_that_learnt_something_counts(
    runs: list[ValidationRun], proof: int | None, against: int | None
) -> None:
    found = standing(incident(), reversed(runs), None)
    assert (found.proof.id if found.proof else None, found.against.id if found.against else None) == (proof, against)
    assert bool(found.lacking) is (proof is None)


def test_what_was_proven_before_it_was_opened_again_is_proven_no_more() -> None:
    found = standing(incident(), [run(1, V)], START + timedelta(minutes=2))
    assert found.proof is None and found.lacking == "the fix was not validated since the incident was opened again"
    assert standing(incident(), [run(1, V), run(3, V)], START + timedelta(minutes=2)).proof is not None


def test_a_run_of_another_incident_proves_nothing() -> None:
    other = run(1, V)
    other.incident = 2
    assert standing(incident(), [other], None).lacking == "the fix was never validated"
