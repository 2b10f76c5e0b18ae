"""Files that people share: offered the moment they are seen, fetched into the vault, or lost with the reason in words.

Decides that a file counts once in an incident, that it is read as it comes and never unpacked, and what is known of it
afterwards. From where its bytes come, and that the token goes nowhere else, is `bot.slack.files`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

from sqlmodel import select

from bot.cases import fingerprint, keep
from bot.cases.context import Context
from bot.cases.evidence import EXCERPT, HEAD, LONGEST_NAME, PAYLOADS, named, text_of
from bot.evidence import Stored
from bot.evidence.files import Described, Files, Unfetched
from bot.incident.errors import TooLarge, VaultFailed
from bot.incident.evidence import Evidence
from bot.incident.incident import SYSTEM, Actor, Incident
from bot.incident.outward import IntentKind
from bot.incident.redact import clip, redact
from bot.incident.timeline import Happened
from bot.incident.words import EvidenceKind, EvidenceState
from bot.store import Unit
from bot.store.intents import Claim
from bot.store.runner import Done, Later, Outcome, Record

SLACK = "slack"
PATIENCE = 8.0
"""Seconds that one attempt looks on. A large file takes many attempts; its transfer goes on between them."""
LONGEST = 20 * 60.0
"""Seconds after which a transfer is begun anew."""
SOON = timedelta(seconds=1)


async def offer(
    unit: Unit,
    incident: Incident,
    actor: Actor,
    file_ids: Sequence[str],
    *,
    kind: EvidenceKind | None = None,
    name: str | None = None,
    note: str | None = None,
) -> list[Evidence]:
    """Have files of Slack's fetched. One that the incident has, or had, is left alone. `kind`: None to tell it by its type."""
    await unit.flush()
    mine = select(Evidence).where(Evidence.incident == incident.number, Evidence.source == SLACK)
    known = {str(one.origin.get("file")) for one in (await unit.session.exec(mine)).all()}
    offered: list[Evidence] = []
    for file_id in dict.fromkeys(file_ids):
        if file_id in known:
            continue
        piece = _piece(incident, actor, file_id, kind, name, note, unit.now)
        unit.add(piece)
        unit.record(incident, Happened.EVIDENCE_ADDED, actor, name=piece.name)
        await unit.flush()
        args = {"evidence": piece.id, "file": file_id, "guess": kind is None}
        await unit.intend(IntentKind.FETCH, f"fetch:{piece.id}", incident=incident, args=args)
        offered.append(piece)
    return offered


def _piece(
    incident: Incident,
    actor: Actor,
    file_id: str,
    kind: EvidenceKind | None,
    name: str | None,
    note: str | None,
    now: datetime,
) -> Evidence:
    return Evidence(
        incident=incident.number,
        kind=kind or EvidenceKind.OTHER,
        name=_with_id(name or "Slack file", file_id),
        sha256="",
        size=0,
        media_type="application/octet-stream",
        excerpt="",
        source=SLACK,
        origin={"file": file_id},
        note=clip(redact(note), 1000) if note else None,
        state=EvidenceState.WAITING,
        added_by=actor.id,
        added_at=now,
    )


def _with_id(name: str, file_id: str) -> str:
    """`image.png (F0123)`: people share many an `image.png`, and the timeline must tell them apart."""
    return f"{clip(named(name), LONGEST_NAME - len(file_id) - 3)} ({file_id})"


class Fetching:
    """The transfers of this process. `close` before the vault: what was under way is begun anew elsewhere."""

    def __init__(self, ctx: Context, files: Files) -> None:
        self._ctx, self._files = ctx, files
        self._under_way: dict[int, asyncio.Task[Outcome]] = {}

    async def fetch(self, claim: Claim) -> Outcome:
        """`{"evidence": id, "file": Slack's id, "guess": tell the kind by its type}`. Harmless to repeat."""
        piece_id = int(claim.args["evidence"])
        task = self._under_way.get(piece_id)
        if task is None:
            task = asyncio.create_task(self._bring(claim), name=claim.key)
            self._under_way[piece_id] = task
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if not done:
            return Later("it is being fetched", after=SOON, counts=False)
        self._under_way.pop(piece_id, None)
        return task.result()

    async def close(self) -> None:
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _bring(self, claim: Claim) -> Outcome:
        ctx, vault = self._ctx, keep.vault_of(self._ctx)
        async with ctx.store.read() as session:
            piece = await session.get(Evidence, int(claim.args["evidence"]))
        if piece is None or piece.id is None or piece.state is not EvidenceState.WAITING:
            return Done()
        try:
            async with asyncio.timeout(LONGEST):
                file = await self._files.describe(str(claim.args["file"]))
                _refuse_larger(file, ctx.org.evidence.most)
                head = Head(self._files.content(file))
                stored = await vault.put(head.parts(), most=ctx.org.evidence.most)
        except TooLarge as error:
            return Done(keep.lost(piece.incident, piece.id, str(error)))
        except VaultFailed as error:
            return await keep.later(ctx, piece, error)
        except TimeoutError:
            return Later("the file did not come in time")
        except Unfetched as error:
            if error.permanent:
                return Done(keep.lost(piece.incident, piece.id, str(error)))
            return Later(str(error), after=error.after, counts=error.after is None)
        return Done(_fetched(piece.incident, piece.id, file, stored, head.seen, guess=bool(claim.args.get("guess"))))


def _refuse_larger(file: Described, most: int) -> None:
    """Before a byte comes. What is larger than it said is stopped while it comes."""
    if file.size > most:
        raise TooLarge(most)


class Head:
    """Hands bytes on and remembers the first of them."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self.seen = b""

    async def parts(self) -> AsyncIterator[bytes]:
        async for part in self._content:
            if len(self.seen) < HEAD:
                self.seen += part[: HEAD - len(self.seen)]
            yield part


def _fetched(number: int, evidence_id: int, file: Described, stored: Stored, head: bytes, *, guess: bool) -> Record:
    async def write(unit: Unit) -> None:
        incident = await unit.incident(number)
        piece = await unit.session.get(Evidence, evidence_id)
        if piece is None or piece.state is not EvidenceState.WAITING:
            return
        text = text_of(head, file.media_type)
        if guess:
            piece.kind = _kind_of(file)
        if piece.name == _with_id("Slack file", file.id):
            piece.name = _with_id(file.name, file.id)
        piece.sha256, piece.size, piece.media_type = stored.sha256, stored.size, clip(redact(file.media_type), 120)
        piece.excerpt, piece.captured_at = clip(redact(text), EXCERPT), file.shared_at
        piece.state, piece.kept_at = EvidenceState.KEPT, unit.now
        unit.record(incident, Happened.EVIDENCE_KEPT, SYSTEM, name=piece.name, sha256=piece.sha256)
        if piece.kind in PAYLOADS:
            await fingerprint.remember(unit, incident, text, piece.id)

    return write


def _kind_of(file: Described) -> EvidenceKind:
    """By its type, as the app of whoever shared it named it. Somebody may say better: `/incident evidence label`."""
    if file.media_type.startswith("image/"):
        return EvidenceKind.SCREENSHOT
    readable = bool(text_of(b"x", file.media_type)) or file.name.endswith((".log", ".jsonl", ".ndjson"))
    return EvidenceKind.LOGS if readable else EvidenceKind.OTHER
