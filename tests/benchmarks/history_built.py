"""One side of `history` put together: an empty store, the real rooms on it, and what they reach, all of it local.

Slack is the practice workspace, which both sides may share; containment a webhook of its own; the clock one that is moved.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bot.cases import execute, keep
from bot.cases.gave_up import gave_up
from bot.connectors import Connectors
from bot.connectors.manual import Manual
from bot.evidence.folder import FolderVault
from bot.incident.outward import IntentKind
from bot.incident.words import ActionKind
from bot.practice.ai_app import PracticeAiApp
from bot.practice.server import PracticeWorkspace
from bot.review import documents
from bot.settings_tracker import TrackerSettings
from bot.slack.client import slack_client, slack_session
from bot.slack.delivery import Delivery
from bot.slack.pace import Pace
from bot.store import Store, schema
from bot.store.runner import Runner
from bot.validating import Validating
from tests.benchmarks.history_side import OWNER, Side
from tests.cases.containing import webhook
from tests.cases.replaying import TOKEN, target, with_few_trials
from tests.conftest import Clock
from tests.connectors.receiver import receiving
from tests.opened import context

FASTER = 100_000
"""What a second is to the budgets under Slack's limits: they are `burst`'s to measure."""


@contextlib.asynccontextmanager
async def side(ws: PracticeWorkspace, ai: PracticeAiApp, folder: Path) -> AsyncIterator[Side]:
    """An empty store with everything around it. The workspace and the practice app may be shared."""
    async with AsyncExitStack() as ends:
        clock = Clock(datetime.now(UTC).replace(microsecond=0))
        store = Store(f"sqlite:///{folder}/firsthour.db", now=clock)
        ends.push_async_callback(store.close)
        far = await ends.enter_async_context(receiving())
        soar, vault = webhook(far.url), FolderVault(folder / "evidence")
        ends.push_async_callback(soar.close)
        vault.open()
        tracker = TrackerSettings(kind="github", repository="acme/ai", token_env="TRACKER")
        ctx = with_few_trials(context(store, auto_contain="off", targets={"practice": target(ai)}, tracker=tracker))
        by_action = {ActionKind.BLOCK_USER: soar.name, ActionKind.RATE_LIMIT: soar.name}
        ctx = replace(ctx, vault=vault, connectors=Connectors({"manual": Manual(), soar.name: soar}, by_action))
        session = await ends.enter_async_context(slack_session())
        files = documents.makers(documents.Desk(store, ctx.playbook, ctx.org, ctx.calendar))
        pace = Pace(lambda: time.monotonic() * FASTER)
        client = slack_client(ws.bot_token, ws.api_url, session)
        ctx = replace(ctx, documents=files)
        delivery = Delivery(store, ctx.playbook, ctx.org, client, pace, documents=files)
        handlers = {
            **delivery.handlers(), **execute.handlers(ctx), IntentKind.KEEP: partial(keep.keep, ctx),
        }  # fmt: skip
        runner = Runner(store, handlers, owner=OWNER, gave_up=gave_up)
        worker = Validating(ctx, {TOKEN: ai.chat_token}, owner=OWNER)
        made = Side(ctx, clock, handlers, runner, worker, vault)
        made.listen()
        await schema.upgrade(store)
        yield made
