"""A modal's state becomes the verb's model, or errors under its inputs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.cases.declare import Declaration
from bot.incident.words import ScopeKind, Severity, SubjectKind
from bot.slack.feature import Form
from bot.slack.forms import FormErrors, read
from commands import contain_decline, contain_propose, declare


def text(value: str | None) -> dict[str, Any]:
    return {"value": {"type": "plain_text_input", "value": value}}


def picked(value: str | None, kind: str = "static_select") -> dict[str, Any]:
    return {"value": {"type": kind, "selected_option": {"text": {}, "value": value} if value else None}}


DECLARE: Form[Any] = declare.FEATURE.forms[0]
DECLINE: Form[Any] = contain_decline.FEATURE.forms[0]
PROPOSE: Form[Any] = contain_propose.FEATURE.forms[0]


def test_every_kind_of_input_fills_its_field() -> None:
    form = read(
        DECLARE,
        {
            "severity": picked("2", "radio_buttons"),
            "title": text("It leaks"),
            "subject_kind": picked("user"),
            "subject_id": text("u-42"),
            "app": text(None),
            "started_at": {"value": {"type": "datetimepicker", "selected_date_time": 1_790_000_000}},
            "drill": {"value": {"type": "checkboxes", "selected_options": [{"text": {}, "value": "drill"}]}},
        },
    )
    assert form == Declaration(
        severity=Severity.SEV2,
        title="It leaks",
        subject_kind=SubjectKind.USER,
        subject_id="u-42",
        started_at=datetime.fromtimestamp(1_790_000_000, UTC),
        drill=True,
    )


def test_inputs_that_were_left_empty_keep_their_defaults() -> None:
    values = {
        "severity": picked("1"),
        "title": text("It leaks"),
        "subject_kind": picked(None),
        "drill": {"value": {"type": "checkboxes", "selected_options": []}},
    }
    assert read(DECLARE, values) == Declaration(severity=Severity.SEV1, title="It leaks")


def test_a_form_carries_what_its_button_named() -> None:
    form: Any = read(DECLINE, {"reason": text("a load test")}, incident=12, carried="3")
    assert (form.incident, form.index, form.reason) == (12, 3, "a load test")


def test_errors_stand_under_their_inputs_in_words() -> None:
    with pytest.raises(FormErrors) as wrong:
        read(DECLARE, {"severity": picked("9"), "title": text("x" * 4000)})
    assert set(wrong.value.errors) == {"severity", "title"}
    assert "is not a severity" in wrong.value.errors["severity"]
    assert wrong.value.errors["title"] == "The title is too long: at most 3000 characters."


def test_an_error_of_a_field_without_an_input_is_said_under_the_first() -> None:
    with pytest.raises(FormErrors) as wrong:
        read(DECLINE, {"reason": text("a load test")}, incident=12, carried="three")
    assert list(wrong.value.errors) == ["reason"]
    assert "number of the action" in wrong.value.errors["reason"]


def test_a_choice_that_the_menu_never_offered_is_refused() -> None:
    with pytest.raises(FormErrors) as wrong:
        read(PROPOSE, {"action": picked("drop_tables"), "scope": picked(ScopeKind.USER.value), "target": text("u")})
    assert set(wrong.value.errors) == {"action", "scope"} or set(wrong.value.errors) == {"action"}
