"""A system behind the proxy with faults, as the conformance checks ask for it. What is in force is each system's to say."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from bot.connectors.conformance import Fault, Promise, name_of
from bot.connectors.conformance.proxy import Proxy
from bot.connectors.contract import Order


class Behind:
    faults = frozenset(Fault)

    def __init__(self, proxy: Proxy, secrets: tuple[str, ...]) -> None:
        self.proxy, self.secrets = proxy, secrets

    def having(self, fault: Fault) -> AbstractAsyncContextManager[object]:
        return self.proxy.having(fault)

    def strayed(self) -> int:
        return self.proxy.strayed

    async def carried_out(self, order: Order) -> int | None:
        return None


@contextlib.asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The root of an application on a loopback port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def patience(promise: Promise) -> float:
    """Seconds for one exchange: few only where a check waits for them to pass."""
    return 0.5 if "no_answer_in_time" in name_of(promise) else 4.0
