"""What is registered, kept up to date: canaries, prompts and owners for the scanner, suppressions for the findings.

Decides how often the store is asked. What is registered and how it is read is `bot.store.knowledge`'s.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from collections.abc import Sequence

import structlog
from pydantic import SecretStr

from bot.cases.suppressed import suppressed_by
from bot.detection.finding import Finding
from bot.detection.rule import TriggerRule, counts_any_input, own_patterns
from bot.detection.scan import Knowledge, Scanner
from bot.incident.errors import Busy, Misconfigured
from bot.store import Store, registered
from bot.store.knowledge import Loaded, find_key, load
from bot.store.sealing import KEY_BYTES, DetectionKey

log = structlog.get_logger()

EVERY = 2.0
"""Seconds between two looks; what is registered is looked for within five."""


async def key_for(store: Store, given: SecretStr | None) -> DetectionKey:
    """The key of this deployment. Without one on PostgreSQL detection works for what needs no registration.

    Raises Misconfigured where something is registered and its key is not there: it would be looked for in vain.
    """
    if given is None and not store.sqlite:
        async with store.read() as session:
            needed = await registered.anything(session)
        if not needed:
            log.warning("watch.no_key", note="nothing can be registered: set FIRSTHOUR_DETECTION_KEY")
            return DetectionKey(secrets.token_bytes(KEY_BYTES), origin="memory")
    return await find_key(store, given)


class Registered:
    """`follow` until cancelled. Thousands of canaries take seconds to be made ready: in a thread."""

    def __init__(self, store: Store, key: DetectionKey, rules: Sequence[TriggerRule]) -> None:
        self._store, self._key = store, key
        self._own, self._fleets = own_patterns(rules), counts_any_input(rules)
        self._loaded: Loaded | None = None

    async def knowledge(self) -> Knowledge | None:
        """What is registered now, where it is not what was returned before."""
        loaded = await load(self._store, self._key, self._loaded)
        if loaded is self._loaded:
            return None
        self._loaded = loaded
        return dataclasses.replace(loaded.knowledge, own=self._own, fleets=self._fleets)

    async def follow(self, scanner: Scanner, turn: asyncio.Lock) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                knowledge = await self.knowledge()
            except (Busy, Misconfigured) as error:
                log.warning("watch.registered_unknown", why=str(error))
                continue
            if knowledge is not None:
                sought = await asyncio.to_thread(scanner.prepare, knowledge)
                async with turn:
                    scanner.use(sought)
                log.info("watch.registered", canaries=len(knowledge.canaries), prompts=len(knowledge.prompts))

    def suppressed_by(self, finding: Finding, tenant: str | None) -> str | None:
        """`suppression 3`; None where nothing suppresses it."""
        if self._loaded is None:
            return None
        one = suppressed_by(finding, tenant, self._loaded.suppressions, self._store.now())
        return None if one is None else f"suppression {one.id}"
