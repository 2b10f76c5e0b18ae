"""How far it went, in one line: for the card, the summary of a handover and whoever comes late. In the room only.

Decides that what nobody knows is said to be not known, and is never a zero.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.incident.learning import Exposure
from bot.slack.text import Md, join, md, safe

NAMED, NAMES_CHARS, BASIS_CHARS = 5, 200, 200


def exposed(exposure: Exposure) -> Md:
    """`users: 120 · records: not known · models: gpt-4o · data: e-mail addresses (counted in the gateway logs)`"""
    parts = [md("users: {}", _count(exposure.users_exposed)), md("records: {}", _count(exposure.records_exposed))]
    listed = (("models", exposure.models), ("environments", exposure.environments), ("data", exposure.data_classes))
    parts += [md("{}: {}", label, _names(names)) for label, names in listed if names]
    basis = md(" ({})", safe(exposure.basis, BASIS_CHARS)) if exposure.basis else Md("")
    return md("{}{}", join(" · ", parts), basis)


def _count(count: int | None) -> str:
    return "not known" if count is None else f"{count:,}"


def _names(names: Sequence[str]) -> Md:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return safe(", ".join(names[:NAMED]) + more, NAMES_CHARS)
