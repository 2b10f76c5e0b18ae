"""Validation of a fix: what every replay is controlled with, its budget, and when a closed incident's attack is replayed again.

Decides their shape. How many trials a severity needs stands with the severity; what a replay proves is `bot.validation`'s.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bot.playbook.model import Model, Text

Days = Annotated[int, Field(strict=True, ge=1, le=365)]


class ValidationFile(Model):
    benign: tuple[Text, ...] = Field(min_length=1, max_length=100)
    """Innocent requests that must still be answered: a dead system refuses every attack."""
    most_calls: int = Field(strict=True, ge=1, le=10_000_000)
    """Calls of one run altogether; what does not fit leaves it inconclusive."""
    regression_days: tuple[Days, ...] = Field(max_length=20)
    """So many days after closure the attack is replayed again."""
