"""What is registered, opened and brought into the scanner's own shapes; loaded again only where it changed.

Decides when something changed: two numbers in the store, asked for with one cheap question. How often it is asked is the
caller's. Values of canaries and anchors of prompts are in the clear in what is returned here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from pydantic import SecretStr
from sqlalchemy import select as select_rows
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.detection.scan import Canary, Knowledge, Prompt, Shingled
from bot.incident import registered as nouns
from bot.incident.incident import Counter
from bot.incident.registered import OWNED, REGISTERED, SHORT_DIGEST, OwnedIdentifier, Suppression
from bot.incident.words import CanaryKind
from bot.store import registered, suppressions
from bot.store.engine import Store
from bot.store.owner_index import OwnerIndex
from bot.store.sealing import DetectionKey, detection_key

ANCHORS = "anchors"
"""Sealed with them, so that nothing else that is sealed can be put in their place."""
PAGE = 2_000
"""Rows taken over at once: a few milliseconds of the loop."""


@dataclass(frozen=True)
class Loaded:
    """All that is registered, as of one moment. `version` and `owned` tell it from what was registered since."""

    version: int
    owned: int
    knowledge: Knowledge = field(repr=False)
    suppressions: Sequence[Suppression] = ()
    """Those that run or are to come. Whether one applies now is asked of it with the time."""


async def load(store: Store, key: DetectionKey, held: Loaded | None = None) -> Loaded:
    """What is registered now; `held` itself where nothing changed since.

    A million identifiers take about two seconds and 25 bytes each, and are read again only where owners changed. Raises
    Misconfigured where the key is not the one of what is registered, Busy where the store does not answer.
    """
    async with store.read() as session:
        version, owned = await versions(session)
        if held is not None and (held.version, held.owned) == (version, owned):
            return held
        await registered.proven(session, key)
        owners = await _owners(session) if held is None or held.owned != owned else held.knowledge.owners
        assert isinstance(owners, OwnerIndex)
        knowledge = Knowledge(
            canaries=tuple(_canary(key, one) for one in await registered.canaries(session)),
            prompts=tuple(_prompt(key, one) for one in await registered.prompts(session)),
            owners=owners,
            kinds=owners.kinds,
        )
        return Loaded(version, owned, knowledge, await suppressions.standing(session, store.now()))


async def find_key(store: Store, given: SecretStr | None) -> DetectionKey:
    """The detection key of this deployment (`given`: FIRSTHOUR_DETECTION_KEY), proven to be the one that all was registered
    under. Raises Misconfigured, in words that say what to do, where there is none or it is another one."""
    async with store.read() as session:
        fresh = not await registered.anything(session)
        key = await detection_key(store, given, make=fresh)
        await registered.proven(session, key)
    return key


async def versions(session: AsyncSession) -> tuple[int, int]:
    """Of canaries, prompts and suppressions; of owners."""
    wanted = select(Counter.name, Counter.value).where(col(Counter.name).in_((REGISTERED, OWNED)))
    found = dict((await session.exec(wanted)).all())
    return found[REGISTERED], found[OWNED]


async def _owners(session: AsyncSession) -> OwnerIndex:
    index = OwnerIndex()
    hashed, owner = col(OwnedIdentifier.hash), col(OwnedIdentifier.owner)
    wanted = select_rows(hashed, owner, col(OwnedIdentifier.kind)).order_by(hashed, owner)
    stream = await (await session.connection()).stream(wanted)
    async for page in stream.partitions(PAGE):
        index.extend(page)
    return index


def _canary(key: DetectionKey, canary: nouns.Canary) -> Canary:
    kind = "" if canary.kind is CanaryKind.UNKNOWN else canary.kind.value
    return Canary(canary.name, kind, registered.opened(key, canary))


def _prompt(key: DetectionKey, prompt: nouns.Prompt) -> Prompt:
    shingles, words = unpacked(prompt.shingles), unpacked(prompt.words)
    return Prompt(prompt.name, prompt.app, shingles, frozenset(words), _anchors(key, prompt))


def _anchors(key: DetectionKey, prompt: nouns.Prompt) -> tuple[str, ...]:
    """None where they are not those of the shingles: a replica of a version without anchors has registered a new text since, and
    of a prompt without anchors no quote is passed over. Raises Misconfigured as `unseal` does."""
    if prompt.anchors is None:
        return ()
    of, *anchors = key.unseal(prompt.anchors, prompt.name, ANCHORS, prompt.app).split()
    return tuple(anchors) if of == _identity(prompt.shingles) else ()


def _identity(shingles: bytes) -> str:
    return sha256(shingles).hexdigest()


def prompt_row(key: DetectionKey, *, name: str, app: str | None, found: Shingled, at: datetime) -> nouns.Prompt:
    """What is stored of a prompt, for `registered.put_prompt`. `found` was made with `key.hashing`."""
    shingles = packed(found.shingles)
    return nouns.Prompt(
        name=name,
        app=app,
        shingles=shingles,
        words=packed(sorted(found.words)),
        anchors=key.seal(" ".join((_identity(shingles), *found.anchors)), name, ANCHORS, app),
        left_out=found.shingles.count(""),
        added_at=at,
    )


def packed(hashes: Sequence[str]) -> bytes:
    """Hashes of sixteen hexadecimal digits as eight bytes each; an empty one as zeros."""
    return b"".join(bytes.fromhex(one) if one else bytes(SHORT_DIGEST) for one in hashes)


def unpacked(stored: bytes) -> tuple[str, ...]:
    """The other way round."""
    pieces = (stored[start : start + SHORT_DIGEST] for start in range(0, len(stored), SHORT_DIGEST))
    return tuple(piece.hex() if any(piece) else "" for piece in pieces)
