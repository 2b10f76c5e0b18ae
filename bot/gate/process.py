"""A gate that runs: its book, what keeps the book up to date, and the address it answers at. Alone, or beside the bot.

Decides what a gate consists of and in which order it starts and stops. It needs the store and nothing of Slack; a store
that is away keeps it from nothing but knowing its rules.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry

from bot.gate.book import Book
from bot.gate.caller import EVERYONE, Target
from bot.gate.decisions import Counted
from bot.gate.feed import Feed
from bot.gate.gate import Gate, Listener, Outage
from bot.gate.http import GateHttp, Served
from bot.gate.usage import Usage
from bot.gate.wire import Names
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind, ScopeKind
from bot.serving import Serving
from bot.settings import GateSettings, Settings
from bot.store import Store

if TYPE_CHECKING:
    from bot.gate.valkey import ValkeyLimiter

log = structlog.get_logger()


class RunningGate:
    """`start` returns once it answers; `stop` once it answers no more. The store stays its owner's to close."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        wanted: GateSettings,
        *,
        listeners: Iterable[Listener] = (),
    ) -> None:
        """`listeners`: told of every decision besides the metrics and the figures for plans.

        Raises Misconfigured where FIRSTHOUR_GATE_TOKEN is not set, or REDIS_URL cannot be used.
        """
        if settings.gate_token is None:
            raise Misconfigured(
                "FIRSTHOUR_GATE_TOKEN is not set. Set it to a long random text, and give the same to whatever asks the gate."
            )
        self._host, port = settings.gate_address
        self.book = Book()
        registry, usage = CollectorRegistry(), Usage()
        self._valkey = _valkey(settings, registry)
        self.gate = Gate(
            self.book,
            limiter=self._valkey,
            outage=outage(wanted),
            listeners=(Counted(registry, self.book), usage, *listeners),
        )
        served = Served(
            self.gate, settings.gate_token.get_secret_value(), usage, registry,
            Names.of(wanted.headers), tuple(ActionKind(word) for word in wanted.obeyed),
        )  # fmt: skip
        self._serving = Serving(GateHttp(served), self._host, port, setting="FIRSTHOUR_GATE")
        self._feed = Feed(store, self.book, address=f"{self._host}:{port}")

    @property
    def port(self) -> int:
        return self._serving.port

    @property
    def url(self) -> str:
        """Where this process reaches it: by loopback, where it listens on every address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 — compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Raises Misconfigured where the address cannot be bound."""
        await self._feed.start()
        await self._serving.start()
        log.info("gate.started", port=self.port, rules=len(self.book), version=self.book.version)

    async def stop(self) -> None:
        """What is being answered is answered; then the book is left as it is."""
        await self._serving.stop()
        await self._feed.stop()
        if self._valkey is not None:
            await self._valkey.close()


def _valkey(settings: Settings, registry: CollectorRegistry) -> ValkeyLimiter | None:
    """Rate limits that several gates share; None where they are counted in this process."""
    if settings.redis_url is None:
        return None
    try:
        from bot.gate.valkey import ValkeyLimiter
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "REDIS_URL is set, but the library for it is missing: pip install 'firsthour[valkey]'."
        ) from error
    return ValkeyLimiter(settings.redis_url, registry)


async def run(settings: Settings, wanted: GateSettings) -> None:
    """A gate alone in this process, until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    store = Store(settings.database_url)
    gate = RunningGate(store, settings, wanted)
    try:
        await gate.start()
        await stopping.wait()
    finally:
        await gate.stop()
        await store.close()
        log.info("gate.stopped")


def outage(wanted: GateSettings) -> Outage:
    """What the organisation's file says about calls that cannot be judged."""
    named: Mapping[str, list[Target]] = {
        word: [_target(text) for text, said in wanted.outage.items() if said == word] for word in ("open", "closed")
    }
    return Outage(
        open_for=frozenset(named["open"]) - {EVERYONE},
        closed_for=frozenset(named["closed"]),
        open_otherwise=EVERYONE in named["open"],
        too_old_after=wanted.copy_too_old_after,
    )


def _target(text: str) -> Target:
    kind, _, name = text.partition(":")
    return EVERYONE if kind == ScopeKind.EVERYONE.value else (ScopeKind(kind), name)
