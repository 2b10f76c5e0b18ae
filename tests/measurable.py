"""An incident as the store hands it out for metrics: nothing is known of it but when it was declared."""

from __future__ import annotations

from typing import Any

from bot.incident.words import DetectionMethod, Severity, Status
from bot.store.measured import Measurable
from tests.conftest import START


def row(number: int, /, **changed: Any) -> Measurable:
    nothing = dict.fromkeys(
        ("started_at", "detected_at", "acknowledged_at", "contained_at", "remediated_at", "resolved_at", "ended_at")
    )
    told: dict[str, Any] = {
        "severity": Severity.SEV1, "status": Status.OPEN, "trigger": "t", "category": None,
        "detection": DetectionMethod.AUTOMATED, "drill": False, "declared_at": START,
    }  # fmt: skip
    return Measurable(number=number, **{**told, **nothing, **changed})
