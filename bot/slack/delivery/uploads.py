"""Documents shared in Slack: made at the moment they are sent, recorded before they leave, shared once.

Decides how a document gets into a channel (slack.md: a place for the bytes, the bytes, then one message with all of them)
and that a repetition looks first: a file's name carries its intent's key in short. The SDK's own upload is not used: it
repeats blindly what was reset, and so shares twice. What a document says is its maker's.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import aiohttp
from sqlmodel import select

from bot.incident.document import Document, Makers
from bot.incident.errors import Busy, FirsthourError, NotFound
from bot.incident.incident import SYSTEM, person
from bot.incident.timeline import Happened, TimelineEntry
from bot.slack.delivery.desk import Desk, outcome
from bot.slack.delivery.lookup import CLOCKS_DIFFER, pages
from bot.slack.failures import Failure
from bot.slack.text import Md, safe
from bot.store.intents import Claim
from bot.store.runner import Done, Later, Never, Outcome

NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.[a-z0-9]{1,8}")
SHOWN_LATER = timedelta(seconds=5)
"""Slack shows a file in its channel some seconds after it said so: who looks sooner would share it twice."""
CANVAS_BYTES = 1 << 19
"""Half of what Slack takes: whatever is longer is read in the file."""
ALT_CHARS, TITLE_CHARS, COMMENT_CHARS = 1000, 200, 2800


async def upload(desk: Desk, makers: Makers, claim: Claim) -> Outcome:
    """`{"document": name, "channel"?: id, "comment"?, "by"?: person, …}`: without a channel the incident's room.

    `"person"` in place of a channel: into the direct messages with that person.
    """
    channel = await _channel(desk, claim)
    if not isinstance(channel, str):
        return channel
    if claim.uncertain:
        found = await _shared(desk, channel, mark(desk, claim), claim.wanted_at)
        if isinstance(found, Failure):
            return outcome(claim, found)
        if found:
            return Done()
    documents = await _made(makers, claim)
    if not isinstance(documents, tuple):
        return documents
    await _record(desk, claim, documents)
    return await _share(desk, claim, channel, documents)


async def _channel(desk: Desk, claim: Claim) -> str | Later | Never:
    if named := claim.args.get("channel"):
        return str(named)
    if person_id := claim.args.get("person"):
        opened = await desk.slack.call("conversations.open", users=str(person_id))
        return outcome(claim, opened) if isinstance(opened, Failure) else str(opened.data["channel"]["id"])
    if claim.incident is None:
        return Never("it does not say where to")
    return (await desk.incident(claim)).channel_id or await desk.no_room(claim)


async def _made(makers: Makers, claim: Claim) -> tuple[Document, ...] | Later | Never:
    """What cannot be made is said in the words of its maker: they are for people (`FirsthourError`)."""
    maker = makers.get(name := str(claim.args.get("document", "")))
    if maker is None:
        return Never(f"this version of Firsthour has no document “{name[:60]}”")
    about = {"incident": claim.incident} if claim.incident is not None else {}
    try:
        documents = await maker({**claim.args, **about})
    except (NotFound, Busy) as error:
        return Never(str(error)) if isinstance(error, NotFound) else Later(str(error), uncertain=claim.uncertain)
    except FirsthourError as error:
        return Never(str(error))
    wrong = [one for one in documents if not one.content or not NAME.fullmatch(one.name)]
    return Never("the document is empty or has no proper name") if wrong or not documents else documents


async def _record(desk: Desk, claim: Claim, documents: Sequence[Document]) -> None:
    """Before the bytes leave: whoever has a file can show by its SHA-256 that Firsthour wrote it, and when."""
    if claim.incident is None:
        return
    by = person(str(claim.args["by"])) if claim.args.get("by") else SYSTEM
    async with desk.store.unit() as unit:
        incident = await unit.incident(claim.incident)
        wanted = select(TimelineEntry.data).where(
            TimelineEntry.incident == claim.incident, TimelineEntry.kind == Happened.DOCUMENT_WRITTEN
        )
        known = {str(data.get("sha256")) for data in await unit.session.exec(wanted)}
        for one in documents:
            written = hashlib.sha256(one.content).hexdigest()
            if written not in known:  # an attempt before this one said so already
                named = str(claim.args["document"])
                unit.record(incident, Happened.DOCUMENT_WRITTEN, by, document=named, name=one.name, sha256=written)
                known.add(written)


async def _share(desk: Desk, claim: Claim, channel: str, documents: Sequence[Document]) -> Outcome:
    named = mark(desk, claim)
    sent = await asyncio.gather(*(_sent(desk, marked(one.name, named), one) for one in documents))
    if failed := [one for one in sent if isinstance(one, Failure)]:
        return outcome(claim, failed[0])
    files = [{"id": id, "title": one.title[:TITLE_CHARS]} for id, one in zip(sent, documents, strict=True)]
    answer = await desk.slack.call(
        "files.completeUploadExternal", files=files, channel_id=channel, initial_comment=_said(claim, documents)
    )
    if not isinstance(answer, Failure):
        await _canvas(desk, claim, channel, documents)
        return Done()
    if answer.error == "file_not_found":  # Slack lost the bytes before anybody saw them: they are sent anew
        return Later("Slack lost the file", uncertain=claim.uncertain)
    after = SHOWN_LATER if answer.uncertain else None
    return outcome(claim, answer) if after is None else Later(answer.why, after=after, uncertain=True)


async def _canvas(desk: Desk, claim: Claim, channel: str, documents: Sequence[Document]) -> None:
    """Where it is asked for and the workspace has them. The files are there: why there is none is nobody's concern.

    A channel has one canvas, and what stands in it may be people's by now: it is never written over.
    """
    written = next((one.content for one in documents if one.name.endswith(".md")), b"")
    if claim.args.get("canvas") and 0 < len(written) <= CANVAS_BYTES:
        content = {"type": "markdown", "markdown": written.decode()}
        await desk.slack.call("conversations.canvases.create", channel_id=channel, document_content=content)


def _said(claim: Claim, documents: Sequence[Document]) -> Md:
    """Inert, whoever wrote it: a comment is mrkdwn to Slack."""
    given = str(claim.args.get("comment") or "\n".join(one.comment for one in documents if one.comment))
    return safe(given, COMMENT_CHARS, lines=True)


async def _sent(desk: Desk, name: str, document: Document) -> str | Failure:
    """The id of a file that Slack has the bytes of. Nobody sees it before it is shared."""
    alt = {"alt_txt": document.description[:ALT_CHARS]} if document.description else {}
    place = await desk.slack.call("files.getUploadURLExternal", filename=name, length=len(document.content), **alt)
    if isinstance(place, Failure):
        return place
    failed = await _post(desk, str(place.data["upload_url"]), document.content)
    return failed or str(place.data["file_id"])


async def _post(desk: Desk, url: str, content: bytes) -> Failure | None:
    """The address is Slack's own answer; the token is not sent there. Not to be shared in doubt: nothing is shown yet."""
    session = desk.slack.client.session
    assert session is not None, "the client was made with a session"
    try:
        async with session.post(url, data=io.BytesIO(content), allow_redirects=False) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return Failure("upload", "not_reached", "Slack did not take the file's bytes")
    return None if status == 200 else Failure("upload", f"http_{status}", "Slack did not take the file's bytes")


def mark(desk: Desk, claim: Claim) -> str:
    """The intent's key in short; two deployments in one workspace do not take each other's files for theirs."""
    return hashlib.sha256(f"{desk.deployment}:{claim.key}".encode()).hexdigest()[:10]


def marked(name: str, mark: str) -> str:
    """`inc-12-review.md` as `inc-12-review-3f2a9c1d07.md`."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}-{mark}.{ending}"


async def _shared(desk: Desk, channel: str, mark: str, since: datetime) -> bool | Failure:
    """Whether a file with this mark was shared there already (design law 3)."""
    oldest = f"{(since - CLOCKS_DIFFER).timestamp():.6f}"
    async for page in pages(desk.slack, "conversations.history", {"channel": channel, "oldest": oldest}):
        if isinstance(page, Failure):
            return page
        for message in page.get("messages", []):
            if any(f"-{mark}." in str(file.get("name", "")) for file in message.get("files") or ()):
                return True
    return False
