"""The composition root: the one file that knows every room. Builds them, starts them, stops them.

Decides what is handed to whom. What keeps the process from starting is `refusals`'; everything else is the rooms'.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import structlog
from prometheus_client import CollectorRegistry
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.requests import Request
from starlette.responses import Response

from bot import refusals
from bot.cases import execute, keep, tracking
from bot.cases.context import Context
from bot.cases.files import Fetching
from bot.cases.gave_up import gave_up
from bot.clock import Clock
from bot.connectors.build import build as build_connectors
from bot.connectors.contract import HandedIn
from bot.connectors.gate import Gate as GateConnector
from bot.connectors.gate_probe import Asking
from bot.connectors.gate_rule import Terms
from bot.evidence.build import build as build_vault
from bot.gate.decisions import Outbox
from bot.gate.process import RunningGate
from bot.gate.rules import StoredPolicy
from bot.gate.verdict import APPROVED
from bot.incident.deadlines import calendar
from bot.incident.document import Makers
from bot.incident.errors import Misconfigured
from bot.incident.outward import IntentKind
from bot.incident.policy import MEASURES
from bot.ingress.app import SlackHandler, ingress_app
from bot.ingress.measured import Measuring, by_severity
from bot.ingress.metrics import Metrics
from bot.metrics import document as metrics
from bot.playbook import DEFAULT_PATH, load
from bot.playbook.organisation import load_organisation
from bot.review import documents as review
from bot.serving import Serving
from bot.settings import Settings
from bot.slack.bolt import App, AsyncSlackRequestHandler, build_app
from bot.slack.client import Slack, slack_client, slack_session
from bot.slack.delivery import Delivery
from bot.slack.directory import Directory
from bot.slack.files import SlackFiles
from bot.slack.membership import Membership
from bot.slack.pace import Pace
from bot.slack.sockets import SocketMode
from bot.store import Store, Unit, intents
from bot.store.canary_values import CanaryValues
from bot.store.deployment import deployment
from bot.store.intents import Claim
from bot.store.runner import Handler, Runner
from bot.trackers.build import build as build_tracker
from bot.validating import Validating
from bot.watch.process import RunningWatch
from commands import FEATURES

log = structlog.get_logger()

SOCKET_GRACE = 30.0
"""Seconds without any connection to Slack after which the process says that it is not ready: a reconnect takes one or two."""
EDGE_ENDS_BEFORE, RUNNER_ENDS_BEFORE = 5.0, 8.5
"""Seconds of a stop: people's answers first, then what is in hand; what does not end is given back. All within ten."""


class Firsthour:
    """The running bot. `start` returns once it takes commands and alerts; `stop` finishes what is in hand or gives it back.

    Raises Misconfigured, here or in `start`, where settings, playbook, organisation, tokens or database cannot be used.
    """

    def __init__(
        self, settings: Settings, *, playbooks: Path = DEFAULT_PATH, env: Mapping[str, str] | None = None
    ) -> None:
        env = os.environ if env is None else env
        self.settings = settings
        self.playbook = load(playbooks)
        self.org = load_organisation(settings.config, self.playbook)
        self.metrics = Metrics(CollectorRegistry())
        self._source_secrets = refusals.source_secrets(self.org, env)
        refusals.refuse_missing_tokens(self.org, env)
        self._bot_token, self._app_token, self._signing_secret = refusals.tokens(settings)
        self._tracker = build_tracker(self.org.tracker, env)
        hours = self.org.business_hours
        store = Store(settings.database_url, exclusive=True)
        self.ctx = Context(
            store=store,
            playbook=self.playbook,
            org=self.org,
            connectors=build_connectors(self.org, env, self._enforced_by_gate(store)),
            calendar=calendar(hours.timezone, hours.starts, hours.days, hours.holidays),
            speed=settings.speed,
            canaries=CanaryValues(store, settings.detection_key),
        )
        self._env = env
        """Where the tokens of targets are read."""
        self.store = self.ctx.store
        self.gate: RunningGate | None = None
        """Beside the bot where FIRSTHOUR_GATE_TOKEN is set; known from `start` on."""
        self._decisions = Outbox()
        self._ends = AsyncExitStack()
        self._stopping_since = 0.0

    async def start(self) -> None:
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        ends = self._ends
        ends.push_async_callback(self.store.close)
        ends.push_async_callback(self.ctx.connectors.close)
        if self._tracker is not None:
            ends.push_async_callback(self._tracker.close)
        await refusals.prepare(self.store)
        await self._open_vault()
        await self._serve_gate()  # first: what asks it must not wait for Slack
        if self.store.alone and (left := await intents.inherit(self.store)):
            log.info("intents.inherited", count=left)
        session = await ends.enter_async_context(slack_session())
        client = slack_client(self._bot_token, self.settings.slack_api_url, session, self.metrics.slack_called)
        await refusals.known_to_slack(client)
        membership = Membership(Slack(client, Pace()), self.org.roster)
        self.ctx = replace(self.ctx, membership=membership, documents=self._documents())
        self._run_intents(client, await deployment(self.store))
        self._tick()
        await self._validate()
        await self._start_watch()
        bolt = build_app(client, FEATURES, self.ctx, self.store, Directory(client), self._signing_secret)
        ends.push_async_callback(self._drain, bolt)
        self.sockets = await self._connect(bolt)
        self._measure()
        await self._serve(bolt)
        log.info("firsthour.started", port=self.port, socket_mode=self.sockets is not None)

    def _run_intents(self, client: AsyncWebClient, deployed_as: str) -> None:
        delivery = Delivery(
            self.store,
            self.playbook,
            self.org,
            client,
            Pace(),
            speed=self.settings.speed,
            deployment=deployed_as,
            documents=self.ctx.documents,
        )
        handlers = {
            **delivery.handlers(),
            **execute.handlers(self.ctx),
            **tracking.handlers(self.ctx, self._tracker),
            **self._keeping(client),
        }
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        runner = Runner(self.store, handlers, owner=owner, gave_up=self._gave_up)
        running = asyncio.create_task(runner.run(), name="runner")

        async def stop() -> None:
            await runner.stop(within=self._left(RUNNER_ENDS_BEFORE))
            await running

        self._ends.push_async_callback(stop)

    def _documents(self) -> Makers:
        """What an upload may name, and who makes it."""
        ctx = self.ctx
        written = review.makers(review.Desk(ctx.store, ctx.playbook, ctx.org, ctx.calendar))
        return {**written, metrics.DOCUMENT: metrics.maker(ctx.store, ctx.playbook, ctx.calendar, speed=ctx.speed)}

    async def _open_vault(self) -> None:
        settings = self.settings
        vault = await asyncio.to_thread(build_vault, self.org.evidence, settings.database_url, settings.evidence)
        self._ends.push_async_callback(vault.close)
        self.ctx = replace(self.ctx, vault=vault)

    def _keeping(self, client: AsyncWebClient) -> Mapping[IntentKind, Handler]:
        """What brings evidence into the vault."""
        fetching = Fetching(self.ctx, SlackFiles(Slack(client, Pace())))
        self._ends.push_async_callback(fetching.close)
        return {IntentKind.KEEP: partial(keep.keep, self.ctx), IntentKind.FETCH: fetching.fetch}

    async def _gave_up(self, unit: Unit, claim: Claim, why: str) -> None:
        await gave_up(unit, claim, why)
        self.metrics.gave_up(claim.kind.value)

    def _tick(self) -> None:
        clock = Clock(self.ctx, late=self.metrics.reminded)
        clock.start()
        self._ends.push_async_callback(clock.stop)

    async def _validate(self) -> None:
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        validating = Validating(self.ctx, self._env, owner=owner)

        async def stop() -> None:
            await validating.stop(within=self._left(EDGE_ENDS_BEFORE))

        await validating.start()
        self._ends.push_async_callback(stop)

    async def _connect(self, bolt: App) -> SocketMode | None:
        if self._app_token is None:
            return None
        try:
            sockets = await SocketMode.connect(
                bolt, self._app_token, on_reconnect=self.metrics.socket_reconnected, acked=self.metrics.acked
            )
        except SlackApiError as error:
            why = error.response.get("error")
            raise Misconfigured(
                f"Slack refuses SLACK_APP_TOKEN ({why}). `firsthour doctor` says how to mend it."
            ) from error
        self.metrics.watch_sockets(lambda: sockets.connected)
        self._ends.push_async_callback(sockets.close)
        return sockets

    async def _drain(self, bolt: App) -> None:
        await bolt.edge.drain(within=self._left(EDGE_ENDS_BEFORE))

    async def _serve(self, bolt: App) -> None:
        token = self.settings.ingest_token
        web = ingress_app(
            self.ctx,
            token=token.get_secret_value() if token else None,
            source_secrets=self._source_secrets,
            ready=self.not_ready,
            metrics=self.metrics,
            slack_handler=self._over_http(bolt) if self._app_token is None else None,
            taker=self.watch.taker,
        )
        serving = Serving(web, *self.settings.http_address)
        await serving.start()
        self.port = serving.port
        self._ends.push_async_callback(serving.stop)

    def _measure(self) -> None:
        measuring = Measuring(self.metrics.registry, by_severity(self.ctx))
        self._ends.push_async_callback(measuring.stop)
        self.metrics.on_scrape(measuring.wake)

    async def _serve_gate(self) -> None:
        """Only where its token is set: without one nobody could ask."""
        if self.settings.gate_token is None:
            return
        self.gate = RunningGate(self.store, self.settings, self.org.gate, listeners=(self._decisions,))
        self._ends.push_async_callback(self.gate.stop)
        await self.gate.start()

    async def _start_watch(self) -> None:
        """With or without a token for events: the gate's decisions are events too."""
        self.watch = RunningWatch(self.ctx, self.settings, self.metrics.registry)
        self._ends.push_async_callback(self.watch.stop)
        await self.watch.start()
        self.watch.hear(self._decisions)

    def _enforced_by_gate(self, store: Store) -> Sequence[HandedIn]:
        """The gate is the connector of what it can enforce, unless the organisation's file says otherwise (design §8)."""
        token, wanted = self.settings.gate_token, self.org.gate
        if token is None:
            return ()
        terms = Terms(wanted.approved_answer or APPROVED, wanted.requests_per_minute)
        asking = Asking(lambda: self.gate.url if self.gate else "", token)
        return (HandedIn(GateConnector(StoredPolicy(store), asking, terms), MEASURES),)

    def _over_http(self, bolt: App) -> SlackHandler:
        handle = AsyncSlackRequestHandler(bolt).handle

        async def timed(request: Request) -> Response:
            began = time.perf_counter()
            response = await handle(request)
            self.metrics.acked(time.perf_counter() - began)
            return response

        return timed

    async def not_ready(self) -> list[str]:
        """What keeps this process from its work, in words; empty when it is ready."""
        reasons = [] if await self.store.ready() else ["the store does not answer"]
        if self.sockets is not None and (down := self.sockets.down_for) >= SOCKET_GRACE:
            reasons.append(f"no connection to Slack for {down:.0f} s")
        return reasons

    async def stop(self) -> None:
        """In the order opposite to the start: no more alerts and envelopes, then the work in hand, then the store."""
        self._stopping_since = time.monotonic()
        await self._ends.aclose()

    def _left(self, ends_before: float) -> float:
        """Seconds until so many seconds of the stop are over: who kills us after ten must find nothing in hand."""
        return max(0.1, ends_before - (time.monotonic() - self._stopping_since))


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT."""
    house = Firsthour(settings)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    keep_what_was_made()  # before anybody is served: it takes a quarter of a second
    await house.start()
    gc.freeze()
    try:
        await stopping.wait()
    finally:
        await house.stop()
        log.info("firsthour.stopped")


def keep_what_was_made() -> None:
    """Whatever was imported and loaded lives as long as the process. A full collection over its 170,000 objects would hold the
    loop for a tenth of a second, and every acknowledgement with it; now the collector looks at what came later only."""
    gc.collect()
    gc.freeze()
