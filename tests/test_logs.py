from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from bot import logs

SECRET_TEXT = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_in_the_log_shows_where_and_never_the_values(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form)  # type: ignore[arg-type]

    def fails(body: str) -> None:
        raise RuntimeError("it broke with AKIA" + "ABCDEFGHIJKLMNOP")

    try:
        fails(SECRET_TEXT)
    except RuntimeError:
        structlog.get_logger().exception("something.failed")
    written = capsys.readouterr().err
    assert "something.failed" in written
    assert "in fails" in written
    assert SECRET_TEXT not in written
    assert "AKIAABCDEFGHIJKLMNOP" not in written, "the message of an error is redacted too"
