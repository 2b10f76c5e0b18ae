"""In which form metrics are exported. By itself, so that the command line need not load the rest to know the two words."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    CSV = "csv"
    JSON = "json"
