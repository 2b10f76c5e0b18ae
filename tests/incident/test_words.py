"""The fixed vocabulary: how a severity is written, and that a word comes back from the store as itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from sqlalchemy.dialects import sqlite

from bot.incident import words
from bot.incident.columns import Number, UtcDateTime, Word
from bot.incident.errors import Busy, Invalid
from bot.incident.words import ScopeKind, Severity, Status


@pytest.mark.parametrize("text", ["2", "sev2", "SEV-2", "sev 2", "P2", "p2", " Sev-2 ", "severity 2"])
def test_a_severity_is_understood_however_it_is_written(text: str) -> None:
    assert Severity.parse(text) is Severity.SEV2


@pytest.mark.parametrize("text", ["", "0", "5", "sev", "sev22", "high", "２", "sev2; drop"])
def test_what_is_no_severity_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example `sev2`"):
        Severity.parse(text)


@pytest.mark.parametrize("severity", Severity)
def test_a_severity_is_written_as_people_write_it(severity: Severity) -> None:
    assert Severity.parse(severity.label) is severity


def test_the_worst_severity_sorts_first() -> None:
    assert sorted(Severity)[0] is Severity.SEV1


def test_only_what_touches_others_is_system_wide() -> None:
    assert {scope for scope in ScopeKind if scope.system_wide} == {"endpoint", "application", "everyone"}


def test_every_stored_word_fits_its_column() -> None:
    kinds = [kind for kind in vars(words).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]
    assert len(kinds) > 10
    assert all(len(word) <= 40 for kind in kinds for word in kind)


def test_a_naive_time_is_refused_instead_of_guessed() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 3, 2), sqlite.dialect())  # noqa: DTZ001


def test_a_time_comes_back_in_utc_whatever_zone_it_went_in_with() -> None:
    at = datetime(2026, 3, 2, 11, 0, tzinfo=timezone(timedelta(hours=2)))
    stored = UtcDateTime().process_bind_param(at, sqlite.dialect())
    assert stored == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    back = UtcDateTime().process_result_value(datetime(2026, 3, 2, 9, 0), sqlite.dialect())  # noqa: DTZ001
    assert back == at and back.tzinfo is UTC


def test_a_word_that_is_none_of_ours_is_not_stored() -> None:
    assert Word(Status).process_bind_param("open", sqlite.dialect()) == "open"
    with pytest.raises(ValueError, match="opened"):
        Word(Status).process_bind_param("opened", sqlite.dialect())
    assert Number(Severity).process_result_value(1, sqlite.dialect()) is Severity.SEV1


def test_an_error_says_what_to_do_next() -> None:
    assert str(Busy()) == "The store is busy. Nothing was changed; try again in a moment."
    assert "look before you try again" in str(Busy(unknown=True))
    assert (
        str(Invalid("No such severity.", example="/incident sev 2"))
        == "No such severity. For example: `/incident sev 2`"
    )
