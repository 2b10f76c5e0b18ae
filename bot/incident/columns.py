"""Column types that keep the nouns honest: aware UTC times, and words that come back as words, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Integer, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

Json = dict[str, Any]
"""What is stored as JSON: ids, names and redacted text. Parsed again by whoever reads it."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out (design law 12). Raises ValueError on a naive time instead of guessing its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time was about to be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Word(TypeDecorator[StrEnum]):
    """A StrEnum stored as its text, so that a reader of the database sees words."""

    impl = String(40)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Number(TypeDecorator[IntEnum]):
    """An IntEnum stored as its number."""

    impl = Integer()
    cache_ok = True

    def __init__(self, numbers: type[IntEnum]) -> None:
        super().__init__()
        self.numbers = numbers

    def process_bind_param(self, value: IntEnum | int | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntEnum | None:
        return None if value is None else self.numbers(value)


JSON_COLUMN = JSON().with_variant(JSONB(), "postgresql")
