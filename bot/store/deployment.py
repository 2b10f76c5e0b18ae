"""Which deployment a store belongs to: a random name, made once, carried by every message.

Decides only that there is one. Two processes on one store are one deployment; a copied database is the same one.
"""

from __future__ import annotations

import secrets

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import select

from bot.incident.outward import Deployment
from bot.store.engine import Store


async def deployment(store: Store) -> str:
    """The name; made by whoever asks first."""
    insert = (sqlite if store.sqlite else postgresql).insert(Deployment)
    async with store.unit() as unit:
        row = insert.values(id=1, name=secrets.token_hex(8), made_at=unit.now)
        await unit.session.exec(row.on_conflict_do_nothing())
        return (await unit.session.exec(select(Deployment.name))).one()


async def known(store: Store) -> str | None:
    """The name, for whoever only looks; None where no Firsthour has run on this store yet."""
    async with store.read() as session:
        return (await session.exec(select(Deployment.name))).first()
