"""Whatever credential a source sends as an id: it is in no byte of the log, in no finding and not in the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.detection.event import Data, Event, Signal, Tool, UserKind
from bot.detection.scan import NAMED
from bot.detection.scan.issuers import ISSUERS
from bot.store import Store
from bot.watch.read import read_findings, read_log
from bot.watch.watch import Taken
from tests.detection.scan.corpus import made
from tests.detection.scan.test_ids import secret_of
from tests.watch.conftest import Running, running
from tests.watch.seen import query

LONGEST = 300
CREDENTIALS = [(one, text) for one in ISSUERS if len(text := made(one)) <= LONGEST]


def leaking(number: int, credential: str, kind: UserKind) -> Event:
    """All ids of one event."""
    return query(
        number, user_id=credential, user_kind=kind, session_id=credential, event_id=f"{number} {credential}",
        source_event_id=f"{number}:{credential}", call_id=credential, trace_id=credential, endpoint=credential,
        app="shop", model=credential, tenant=credential, text_ref=credential, excerpt_redacted=credential,
        tool=Tool(credential, call_id=credential), signals=(Signal("role_play", credential),),
        data=Data(result_sha256=f"{number:064x}", ok=True, classification=credential),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [UserKind.END_USER, UserKind.API_KEY])
async def test_no_credential_that_is_sent_as_an_id_is_kept_anywhere(
    sqlite_store: Store, folder: Path, kind: UserKind
) -> None:
    """Three of them pull the whole knowledge base, the others are seen once: the same key is the same subject."""
    busy = CREDENTIALS[:: len(CREDENTIALS) // 3][:3]
    async with running(sqlite_store, folder) as watch:
        for _, text in busy:
            await watch.take(*[leaking(n, text, kind) for n in range(101)])
        await watch.take(*[leaking(n, text, kind) for n, (_, text) in enumerate(CREDENTIALS, start=1000)])
        incidents = await watch.incidents()
        assert len({one.subject_id for one in incidents}) == len(incidents) == 3
        assert await watch.running.keeper.snapshot()
    assert len(list(read_findings(folder))) >= 3
    database = Path(str(make_url(str(sqlite_store.url)).database))
    kept = b"".join(
        path.read_bytes() for path in (*folder.iterdir(), *database.parent.glob(f"{database.name}*")) if path.is_file()
    )
    secrets = {issuer.name: secret_of(issuer, text) for issuer, text in CREDENTIALS}
    assert [name for name, secret in secrets.items() if secret.encode() in kept] == []
    named = [one.event.session_id or "" for one in read_log(folder)]
    assert len(named) == 303 + len(CREDENTIALS) and all(map(NAMED.fullmatch, named))


async def test_a_redelivery_is_known_by_its_id_as_it_came(watch: Running) -> None:
    _, text = CREDENTIALS[0]
    event = leaking(1, text, UserKind.END_USER)
    assert await watch.take(event, event) == Taken(1, 1)
