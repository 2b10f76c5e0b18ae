"""The one figure that every benchmark needs: how long all but a few took."""

from __future__ import annotations

import math
from collections.abc import Sequence


def high(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that `percent` of them do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
