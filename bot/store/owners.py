"""Who owns which identifier: taken from a CSV file, counted, removed again. Keyed hashes only; the file is not kept.

Decides that a million lines need no more memory than a batch, that a bad line is named by its number and keeps no other
from being taken, and that taking a file twice changes nothing. What an identifier is, is `bot.detection.scan`'s.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, TextIO

from sqlalchemy import delete, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.detection.scan import IdentifierKind, identifier_digest, normalise_identifier, owner_digest
from bot.incident.redact import UNSTORABLE
from bot.incident.registered import OWNED, OwnedIdentifier
from bot.store.engine import Store
from bot.store.owner_index import stored
from bot.store.registered import changed, under
from bot.store.sealing import DetectionKey
from bot.store.unit import Unit

BATCH = 5_000
"""Rows in one transaction: a tenth of a second, so that a bot that runs on the same file hardly waits."""
LONGEST_LINE = 4_096
LONGEST_OWNER = 300
"""Characters of an id, as in an event."""
COLUMNS = ("owner", "kind", "value")
ALIASES = {"dob": "birth_date", "date_of_birth": "birth_date", "e-mail": "email", "credit_card": "card"}
KINDS = frozenset(kind.value for kind in IdentifierKind)
Bad = Callable[[int, str], None]
"""Told of a line that was not taken: its number and why, never what stands in it."""


@dataclass(frozen=True)
class Imported:
    taken: int
    """Good lines, those that were there already too."""
    added: int
    bad: int


async def take(store: Store, key: DetectionKey, source: TextIO, *, bad: Bad) -> Imported:
    """Take `owner,kind,value` lines; a first line with these words is passed over. Batch by batch, each committed.

    Raises Misconfigured where other identifiers stand under another key; what was taken before an error stays.
    """
    reading = _Reading(key, bad)
    before = await count(store)
    rows = reading.rows(lines(source))
    try:
        while batch := list(islice(rows, BATCH)):
            async with store.unit() as unit:
                await under(unit, key)
                await _insert(unit, batch, sqlite if store.sqlite else postgresql)
    finally:
        added = await count(store) - before
        if added:
            async with store.unit() as unit:
                await changed(unit, OWNED)
    return Imported(reading.taken, added, reading.bad)


async def _insert(unit: Unit, batch: list[dict[str, object]], dialect: Any) -> None:
    """As rows, not as objects, and in the order of the index: a fifth of the time."""
    batch.sort(key=itemgetter("hash"))
    statement = dialect.insert(OwnedIdentifier.__table__).on_conflict_do_nothing()  # type: ignore[attr-defined]
    await (await unit.session.connection()).execute(statement, batch)


def lines(source: TextIO) -> Iterator[str]:
    """Line by line; of one that is too long, its beginning, so that it is seen as bad and never held whole."""
    while line := source.readline(LONGEST_LINE):
        rest = line
        while not rest.endswith("\n") and (rest := source.readline(LONGEST_LINE)):
            line = line[:LONGEST_LINE] + "\n\n"
        yield line


class _Reading:
    """One file while it is read: what was taken, what was not."""

    def __init__(self, key: DetectionKey, tell: Bad) -> None:
        self._key, self._tell = key.hashing, tell
        self.taken = self.bad = 0

    def rows(self, source: Iterable[str]) -> Iterator[dict[str, object]]:
        for number, line in enumerate(source, start=1):
            if not line.strip() or (number == 1 and _heading(line)):
                continue
            try:
                row = self._row(line)
            except ValueError as error:
                self.bad += 1
                self._tell(number, str(error))
            else:
                self.taken += 1
                yield row

    def _row(self, line: str) -> dict[str, object]:
        """Raises ValueError, in words that repeat nothing of the line."""
        owner, kind, value = _fields(line)
        if not owner or len(owner) > LONGEST_OWNER:
            raise ValueError(f"The owner is empty or longer than {LONGEST_OWNER} characters.")
        kind = kind.casefold().replace(" ", "_")
        kind = ALIASES.get(kind, kind)
        if kind not in KINDS:
            raise ValueError(f"The kind is none of {', '.join(sorted(KINDS))}.")
        normal = normalise_identifier(kind, value)
        hashed = stored(identifier_digest(self._key, kind, normal))
        return {"hash": hashed, "owner": bytes.fromhex(owner_digest(self._key, owner)), "kind": kind}


def _fields(line: str) -> list[str]:
    """Raises ValueError. A line stands alone: a quotation mark that is never closed takes no other line with it."""
    if line.endswith("\n\n"):
        raise ValueError(f"The line is longer than {LONGEST_LINE} characters.")
    if UNSTORABLE.search(line):
        raise ValueError("The line is not UTF-8 text.")
    try:
        fields = next(csv.reader([line.rstrip("\r\n")], strict=True))
    except csv.Error:
        raise ValueError("The line is no CSV: a quotation mark is missing.") from None
    if len(fields) != len(COLUMNS):
        raise ValueError(f"The line has {len(fields)} fields; it must have {len(COLUMNS)}: owner,kind,value.")
    return [field.strip() for field in fields]


def _heading(line: str) -> bool:
    plain = line.lstrip("\ufeff").casefold().replace('"', "")
    return tuple(word.strip() for word in plain.split(",")) == COLUMNS


async def forget(unit: Unit, key: DetectionKey, owner: str) -> int:
    """Remove every identifier of this owner (a request under data protection law); returns how many those were."""
    await under(unit, key)
    return await _remove(unit, col(OwnedIdentifier.owner) == bytes.fromhex(owner_digest(key.hashing, owner)))


async def forget_everybody(unit: Unit) -> int:
    """Needs no key. Returns how many identifiers were removed."""
    return await _remove(unit)


async def _remove(unit: Unit, *where: Any) -> int:
    result = await unit.session.exec(delete(OwnedIdentifier).where(*where))
    if result.rowcount:
        await changed(unit, OWNED)
    return int(result.rowcount)


async def count(store: Store) -> int:
    async with store.read() as session:
        return (await session.exec(select(func.count()).select_from(OwnedIdentifier))).one()


async def by_kind(session: AsyncSession) -> Mapping[str, int]:
    """How many identifiers there are of each kind."""
    wanted = select(OwnedIdentifier.kind, func.count()).group_by(col(OwnedIdentifier.kind))
    return dict((await session.exec(wanted.order_by(col(OwnedIdentifier.kind)))).all())
