"""Canaries and prompts in the store, and under which key: put, removed, read. Each change takes the next version.

Decides that nothing is registered under two keys, and that a canary's value comes out of the database for nobody else.
What a good canary is, is `bot.incident.canary_value`'s; owners are `bot.store.owners`'s; `bot.store.knowledge` loads it all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import func, update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.incident.canary_value import weakness
from bot.incident.errors import Invalid, Misconfigured, NotFound, Refused
from bot.incident.incident import Counter
from bot.incident.registered import REGISTERED, Canary, KeyCheck, OwnedIdentifier, Prompt
from bot.incident.words import CanaryKind
from bot.store.sealing import DetectionKey
from bot.store.unit import Unit

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")
COUNTED: dict[type[SQLModel], tuple[str, str]] = {
    Canary: ("canary", "canaries"),
    Prompt: ("prompt", "prompts"),
    OwnedIdentifier: ("identifier", "identifiers"),
}
"""What is registered under the key, and how a person calls one and many of it."""


async def changed(unit: Unit, what: str = REGISTERED) -> None:
    """Every process that holds what is registered loads it again (`REGISTERED`, or `OWNED` for the owners)."""
    await unit.session.exec(update(Counter).where(col(Counter.name) == what).values(value=Counter.value + 1))


async def proven(session: AsyncSession, key: DetectionKey) -> None:
    """Raises Misconfigured where anything is registered and another key was used for it. Nothing is changed."""
    held = await session.get(KeyCheck, 1)
    if held is None or held.proof == key.proof:
        return
    if there := await _told(session):
        raise Misconfigured(
            f"The detection key ({key.origin}) is not the one that was used for what the database holds ({there}). "
            "Nothing was changed or lost: put the old key back. If it is lost for good, remove what was registered "
            "(`firsthour canary`, `prompt`, `owner`) and register it again."
        )


async def anything(session: AsyncSession) -> bool:
    """True where something is registered under some key."""
    return bool(await _told(session))


async def under(unit: Unit, key: DetectionKey) -> None:
    """Before something is registered: from now on this is the key. Raises Misconfigured as `proven` does."""
    await unit.session.exec(select(Counter).where(Counter.name == REGISTERED).with_for_update())
    await proven(unit.session, key)
    held = await unit.session.get(KeyCheck, 1)
    if held is None:
        unit.add(KeyCheck(proof=key.proof, made_at=unit.now))
    elif held.proof != key.proof:
        held.proof, held.made_at = key.proof, unit.now


async def _told(session: AsyncSession) -> str:
    """`2 canaries and 1 prompt`; empty where nothing is registered."""
    parts = []
    for noun, (one, many) in COUNTED.items():
        if count := (await session.exec(select(func.count()).select_from(noun))).one():
            parts.append(f"{count:,} {one if count == 1 else many}")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


async def canaries(session: AsyncSession) -> Sequence[Canary]:
    return (await session.exec(select(Canary).order_by(col(Canary.name)))).all()


async def add_canary(
    unit: Unit, key: DetectionKey, *, name: str, kind: CanaryKind, app: str | None, value: str
) -> Canary:
    """Raises Invalid for a name or value that will not do, Refused for one that is there already."""
    named(name)
    if why := weakness(value):
        raise Invalid(f"This value will not do as a canary. {why}", example=f"firsthour canary add {name}")
    await under(unit, key)
    for other in await canaries(unit.session):
        if other.name == name:
            raise Refused(f"There is a canary {name} already. Remove it first: `firsthour canary remove {name}`.")
        if opened(key, other) == value:
            raise Refused(f"This value is registered already, as {other.name}.")
    sealed = key.seal(value, *_bound(name, kind, app))
    canary = Canary(name=name, kind=kind, app=app, sealed=sealed, added_at=unit.now)
    unit.add(canary)
    await changed(unit)
    return canary


def opened(key: DetectionKey, canary: Canary) -> str:
    """The canary's value. Raises Misconfigured where its row was changed by hand."""
    return key.unseal(canary.sealed, *_bound(canary.name, canary.kind, canary.app))


def _bound(name: str, kind: CanaryKind, app: str | None) -> tuple[str, str, str | None]:
    return name, kind.value, app


async def prompts(session: AsyncSession) -> Sequence[Prompt]:
    return (await session.exec(select(Prompt).order_by(col(Prompt.name)))).all()


async def put_prompt(unit: Unit, key: DetectionKey, prompt: Prompt) -> Prompt:
    """A prompt that was there under this name is replaced: it has changed. Its hashes are made with this key."""
    named(prompt.name)
    await under(unit, key)
    kept = await unit.session.merge(prompt)
    await changed(unit)
    return kept


async def remove(unit: Unit, noun: type[Canary] | type[Prompt], name: str) -> None:
    """Needs no key. Raises NotFound."""
    found = await unit.session.get(noun, name)
    if found is None:
        one = COUNTED[noun][0]
        raise NotFound(f"There is no {one} of this name. `firsthour {one} list` shows them.")
    await unit.session.delete(found)
    await changed(unit)


def named(name: str) -> None:
    """Raises Invalid: names are shown in rooms and typed in shells."""
    if not NAME.fullmatch(name):
        raise Invalid(
            "A name has up to 80 lower-case letters, digits, dots, dashes and underscores.",
            example="firsthour canary add shop-prompt",
        )
