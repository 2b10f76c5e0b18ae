"""How far it went, as data: models, environments, users, records, classes of data, and on what the figures rest.

Decides what is stored. What nobody knows is None and shown as not known, never as zero (design law 12); 0 is stored where
somebody says 0. The last estimate counts, earlier ones are in the timeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields

from bot.cases.context import Context
from bot.cases.people import member
from bot.incident.caller import Caller
from bot.incident.errors import Invalid
from bot.incident.learning import Exposure
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened

MOST_NAMES, LONGEST_NAME, LONGEST_BASIS = 20, 120, 1000
MOST = 2_000_000_000
"""What an integer of PostgreSQL holds, rounded down."""
UNKNOWN = frozenset({"", "?", "-", "unknown", "not known", "none known"})
WHOLE = re.compile(r"\d+|\d{1,3}(?:[\s,._'’]\d{3})+", re.ASCII)
EXAMPLE = '/incident scope --models gpt-4o --users 120 --records unknown --basis "counted in the gateway logs"'


@dataclass(frozen=True)
class Estimate:
    """As a person states it, each in words. None says nothing about it, blank or `unknown` that it is not known."""

    models: str | None = None
    environments: str | None = None
    data_classes: str | None = None
    users: str | None = None
    records: str | None = None
    basis: str | None = None


async def estimate(ctx: Context, caller: Caller, number: int, given: Estimate) -> str:
    """Raises Invalid on a figure that is none, on too many names, or where nothing is said at all."""
    member(caller)
    if not any((getattr(given, field.name) or "").strip() for field in fields(given)):
        raise Invalid("Say what is known, or on what it rests that nothing is.", example=EXAMPLE, field="models")
    async with ctx.store.unit(inbound=caller.inbound) as unit:
        incident = await unit.incident(number)
        row = await unit.session.get(Exposure, number)
        before = row.model_dump(exclude={"by", "at"}) if row is not None else None
        row = row or Exposure(incident=number, by=caller.actor.id, at=unit.now)
        _fill(row, given)
        if row.model_dump(exclude={"by", "at"}) == before:
            return unit.answer(f"That is how far {incident.name} is known to go already.")
        row.by, row.at = caller.actor.id, unit.now
        unit.add(row)
        unit.record(
            incident,
            Happened.EXPOSURE_ESTIMATED,
            caller.actor,
            users=row.users_exposed,
            records=row.records_exposed,
            models=row.models,
            environments=row.environments,
            data=row.data_classes,
            basis=row.basis,
        )
        return unit.answer(f"The scope of {incident.name} is on its card. Estimate it anew whenever more is known.")


def _fill(row: Exposure, given: Estimate) -> None:
    if given.models is not None:
        row.models = _names(given.models, "models")
    if given.environments is not None:
        row.environments = _names(given.environments, "environments")
    if given.data_classes is not None:
        row.data_classes = _names(given.data_classes, "data_classes")
    if given.users is not None:
        row.users_exposed = _count(given.users, "users")
    if given.records is not None:
        row.records_exposed = _count(given.records, "records")
    if given.basis is not None:
        row.basis = _basis(given.basis)


def _names(text: str, field: str) -> list[str]:
    names = _once(" ".join(one.split()) for one in re.split(r"[,;\n]", text))
    if len(names) > MOST_NAMES or any(len(one) > LONGEST_NAME for one in names):
        raise Invalid(f"At most {MOST_NAMES} names of {LONGEST_NAME} characters fit, apart by commas.", field=field)
    return [clip(redact(one), LONGEST_NAME) for one in names if one.casefold() not in UNKNOWN]


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _count(text: str, field: str) -> int | None:
    try:
        return count(text)
    except ValueError as error:
        raise Invalid(str(error), example=EXAMPLE, field=field) from None


def count(text: str) -> int | None:
    """`1,200` and `1 200` are 1200; not known is None. Raises ValueError, in words for whoever typed it."""
    if text.strip().casefold() in UNKNOWN:
        return None
    written = WHOLE.fullmatch(text.strip())
    digits = re.sub(r"\D", "", written[0]) if written else ""
    if not digits or len(digits) > len(str(MOST)) or int(digits) > MOST:
        raise ValueError(f"Write a whole number up to {MOST:,}, or unknown. How sure it is belongs into the basis.")
    return int(digits)


def _basis(text: str) -> str | None:
    if len(text.strip()) > LONGEST_BASIS:
        raise Invalid(f"The basis takes {LONGEST_BASIS} characters.", field="basis")
    return clip(redact(text.strip()), LONGEST_BASIS) or None
