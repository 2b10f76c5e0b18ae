"""Export and proof from the command line: what is opened for it, and what is said.

Decides the words. The arguments are `bot.proof_cli`'s.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.environment import read_settings
from bot.evidence.build import build as build_vault
from bot.incident.deadlines import calendar
from bot.incident.incident import person
from bot.incident.visible import visible
from bot.playbook import DEFAULT_PATH, load
from bot.playbook.organisation import load_organisation
from bot.review.bundle import Written, bundle
from bot.review.documents import Desk
from bot.review.verify import Proven
from bot.store import Store
from bot.store.knowledge import find_key


async def export(number: int, out: Path) -> Written:
    """Write the signed file. Raises what `bundle` raises, and Misconfigured where settings, vault or key cannot be used."""
    settings, playbook = read_settings(), load(DEFAULT_PATH)
    organisation = load_organisation(settings.config, playbook)
    hours = organisation.business_hours
    days = calendar(hours.timezone, hours.starts, hours.days, hours.holidays)
    store = Store(settings.database_url)
    try:
        key = await find_key(store, settings.detection_key)
        vault = build_vault(organisation.evidence, settings.database_url, settings.evidence)
        try:
            desk = Desk(store, playbook, organisation, days)
            return await bundle(desk, vault, key.signing, number, by=person(f"cli:{_user()}"), out=out)
        finally:
            await vault.close()
    finally:
        await store.close()


def _user() -> str:
    """Who runs this, as the machine knows them: custody names somebody."""
    try:
        return getpass.getuser()[:40]
    except (KeyError, OSError):
        return "unknown"


def told(written: Written) -> Iterator[str]:
    path = written.path
    yield f"{path} is written: {written.entries} entries, {written.members} files. `firsthour verify {path}` proves it."
    yield f"Signed with the key {written.fingerprint}. Tell it to whoever gets the file, by another way than the file."
    yield from _missing(written.missing)


def said(proven: Proven, *, pinned: bool) -> Iterator[str]:
    yield (
        f"{proven.incident}: {proven.entries} entries, the chain is unbroken. {proven.members} files, among them the bytes of "
        f"{proven.pieces} pieces of evidence, are as they were exported."
    )
    yield f"Signed with the key {proven.fingerprint}."
    if not pinned:
        yield (
            "Who that is, the file cannot say: whoever made it signed it. Compare the fingerprint with one that came another "
            "way, or give it with --key."
        )
    yield from _missing(proven.missing)


def _missing(missing: Sequence[str]) -> Iterator[str]:
    if missing:
        yield f"WARNING: the bytes of {len(missing)} of its pieces of evidence are not in it:"
        yield from (f"  evidence {visible(one)}" for one in missing)
