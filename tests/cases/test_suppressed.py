"""What a suppression covers: everything that it names, only while it runs, and a fleet only as a whole."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.cases.suppressed import MOST_SUBJECTS, suppressed_by
from bot.detection.finding import Finding
from bot.incident.registered import Suppression
from tests.conftest import START

HOUR = timedelta(hours=1)


def suppression(number: int = 1, **named: Any) -> Suppression:
    """From 9 to 11."""
    times = {"starts_at": START, "ends_at": START + 2 * HOUR, "made_at": START}
    return Suppression(id=number, reason="a test", made_by="U0ALICE", **{**times, **named})


def finding(*, began: timedelta = HOUR, ended: timedelta = HOUR, **named: Any) -> Finding:
    """User eve, at 10."""
    values: dict[str, Any] = {
        "trigger": "bulk_data_extraction",
        "subject_kind": "user",
        "subject_id": "eve",
        "app": "shop",
        "session_id": "s1",
        "id": "f1",
        "first": True,
        "started_at": (START + began).timestamp(),
        "completed_at": (START + ended).timestamp(),
        "counts": {},
        "window_seconds": 3600.0,
        "event_ids": (),
    }
    return Finding(**{**values, **named})


def covered(one: Finding, *by: Suppression, tenant: str | None = "t1", now: datetime = START + HOUR) -> int | None:
    found = suppressed_by(one, tenant, by, now)
    return found.id if found else None


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"trigger": "bulk_data_extraction"},
        {"subject_kind": "user", "subject_id": "eve"},
        {"subject_kind": "session", "subject_id": "s1"},
        {"tenant": "t1"},
        {"app": "shop"},
        {"subject_kind": "user", "subject_id": "eve", "app": "shop", "tenant": "t1", "trigger": "bulk_data_extraction"},
    ],
)
def test_it_covers_what_it_names(named: dict[str, str]) -> None:
    assert covered(finding(), suppression(**named)) == 1


@pytest.mark.parametrize(
    "named",
    [
        {"trigger": "anomalous_probing"},
        {"subject_kind": "user", "subject_id": "Eve"},
        {"subject_kind": "api_key", "subject_id": "eve"},
        {"subject_kind": "session", "subject_id": "eve"},
        {"tenant": "t2"},
        {"app": "desk"},
        {"subject_kind": "user", "subject_id": "eve", "app": "desk"},
    ],
)
def test_it_covers_nothing_else(named: dict[str, str]) -> None:
    assert covered(finding(), suppression(**named)) is None


def test_what_is_not_known_of_a_finding_is_not_covered_by_name() -> None:
    unknown = finding(subject_kind="unknown", subject_id=None, app=None, session_id=None)
    for named in ({"subject_kind": "user", "subject_id": "eve"}, {"app": "shop"}, {"tenant": "t1"}):
        assert covered(unknown, suppression(**named), tenant=None) is None
    assert covered(unknown, suppression(), tenant=None) == 1


@pytest.mark.parametrize(
    ("began", "ended", "expected"),
    [(-30, -1, None), (-30, 0, 1), (-30, 30, 1), (30, 60, 1), (119, 130, 1), (120, 130, None)],
)
def test_touching_its_time_is_enough(began: int, ended: int, expected: int | None) -> None:
    one = finding(began=timedelta(minutes=began), ended=timedelta(minutes=ended))
    assert covered(one, suppression(), now=START + HOUR) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(-1, None), (0, 1), (119, 1), (120, None), (10_000, None)])
def test_one_whose_end_has_come_or_that_has_not_begun_never_covers(minutes: int, expected: int | None) -> None:
    one = finding(began=timedelta(minutes=-5), ended=timedelta(minutes=5))
    assert covered(one, suppression(), now=START + timedelta(minutes=minutes)) == expected


def test_a_lifted_one_covers_nothing() -> None:
    assert covered(finding(), suppression(over_at=START + HOUR)) is None


def test_the_first_that_covers_is_named() -> None:
    assert covered(finding(), suppression(1, app="desk"), suppression(2, app="shop"), suppression(3)) == 2


def test_a_fleet_is_covered_only_where_all_of_it_is() -> None:
    fleet = finding(
        subject_kind="unknown", subject_id=None, session_id=None, subjects=(("user", "eve"), ("user", "mal"))
    )
    eve, mal = (suppression(n, subject_kind="user", subject_id=name) for n, name in ((1, "eve"), (2, "mal")))
    assert covered(fleet, eve) is None
    assert covered(fleet, mal, eve) == 1
    everybody = tuple(("user", "eve") for _ in range(MOST_SUBJECTS))
    assert covered(finding(subject_id=None, session_id=None, subjects=everybody), eve) is None, "others are not named"
