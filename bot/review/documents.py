"""Who makes which document: what an `UPLOAD` intent may name, made at the moment it is delivered.

Decides names of files and what is handed to the composing. Long work is done in a thread: an incident of 90 days must not
hold up an acknowledgement.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass

from bot.incident.columns import Json
from bot.incident.deadlines import BusinessCalendar
from bot.incident.document import Document, Maker, Makers
from bot.incident.errors import Refused
from bot.playbook import Playbook
from bot.review import share, vendor
from bot.review.about import About
from bot.review.compose import compose
from bot.review.data import as_json, timeline_csv
from bot.review.html import html
from bot.review.markdown import markdown
from bot.review.page import Page
from bot.review.record import read
from bot.review.told import people
from bot.settings import Organisation
from bot.store import Store


@dataclass(frozen=True)
class Desk:
    """What every document is made from."""

    store: Store
    playbook: Playbook
    org: Organisation
    calendar: BusinessCalendar

    async def about(self, args: Json) -> About:
        """`{"incident": number, "upto"?: entry, "names"?: bool}`. Raises NotFound."""
        record = await read(self.store, int(args["incident"]), upto=int(args.get("upto") or 0) or None)
        named = people(record, names=bool(args.get("names")))
        return About(record, self.playbook, named, self.calendar)


Make = Callable[[About, Json], tuple[Document, ...]]


def makers(desk: Desk) -> Makers:
    """By the name that an intent's `document` says."""
    wanted = desk.org.review

    def review(about: About, _: Json) -> tuple[Document, ...]:
        return review_files(about, wanted.tlp)

    def shared(about: About, args: Json) -> tuple[Document, ...]:
        return share.document(about, {**args, "label": wanted.tlp_shared})

    def reported(about: About, args: Json) -> tuple[Document, ...]:
        return vendor.document(about, {**args, "label": wanted.tlp, "contact": wanted.contact})

    return {name: _maker(desk, make) for name, make in (("review", review), ("share", shared), ("vendor", reported))}


def _maker(desk: Desk, make: Make) -> Maker:
    making: dict[str, asyncio.Task[tuple[Document, ...]]] = {}
    """What was begun. An attempt that is cut short leaves it running, and the next one takes it up instead of beginning anew."""

    async def begun(args: Json) -> tuple[Document, ...]:
        about = await desk.about(args)
        return await asyncio.to_thread(make, about, args)

    async def made(args: Json) -> tuple[Document, ...]:
        key = json.dumps(args, sort_keys=True)
        if key not in making:
            making[key] = asyncio.create_task(begun(args), name=f"document:{args.get('incident')}")
        task = making[key]
        try:
            documents = await asyncio.shield(task)
        finally:
            if task.done():
                making.pop(key, None)
        if (only := args.get("sha256")) is not None and [digest(one) for one in documents] != [only]:
            raise Refused("What it says has changed since it was shown. Ask for a new draft, and look at that.")
        return documents

    return made


def digest(document: Document) -> str:
    return hashlib.sha256(document.content).hexdigest()


def review_files(about: About, label: str) -> tuple[Document, ...]:
    """The same record makes the same bytes."""
    name, page = about.record.incident.name, compose(about, label=label)
    forms = {
        "review.md": markdown(page),
        "review.html": html(page),
        "review.json": as_json(about, page),
        "timeline.csv": timeline_csv(about),
    }
    said = f"{page.title}, {page.label}. The whole timeline is in it, entries 1 to {len(about.record.entries)}."
    return tuple(
        Document(
            f"{name.lower()}-{ending}",
            _titled(page, ending),
            text.encode(),
            comment=said if ending == "review.md" else "",
        )
        for ending, text in forms.items()
    )


def _titled(page: Page, ending: str) -> str:
    what = {"review.md": "Markdown", "review.html": "HTML", "review.json": "JSON", "timeline.csv": "timeline as CSV"}
    return f"{page.title} ({what[ending]})"
