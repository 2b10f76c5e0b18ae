"""Bolt: the app that hands everything to the edge.

Decides how fast an act is acknowledged. What an act means is the edge's; over which connections it comes is `sockets`'.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack import inbound
from bot.slack.directory import Directory
from bot.slack.edge import DECLARE, Edge
from bot.slack.feature import Feature
from bot.slack.parse import COMMAND
from bot.store import Store

log = structlog.get_logger()
C = TypeVar("C")
ANY = re.compile(r".*", re.DOTALL)
FRAMEWORK = "firsthour.slack"

__all__ = ["App", "AsyncSlackRequestHandler", "build_app"]


class App(AsyncApp):
    """The Bolt app with its edge, which is to be drained before the process ends."""

    edge: Edge[Any]


def build_app(
    client: AsyncWebClient,
    features: Sequence[Feature[C]],
    ctx: C,
    store: Store,
    directory: Directory,
    signing_secret: str | None = None,
) -> App:
    """Nothing is asked of Slack here or before an acknowledgement: the token is taken as it is.

    `process_before_response` because every listener below only starts work and returns: so the acknowledgement leaves
    at once instead of at the next look of Bolt's runner (10 ms), and nothing that fails later can take it back.
    """
    quiet = logging.getLogger(FRAMEWORK)
    quiet.setLevel(logging.ERROR)
    app = App(
        client=client,
        logger=quiet,
        signing_secret=signing_secret or "",
        authorize=_authorise(client),
        process_before_response=True,
        raise_error_for_unhandled_request=True,
    )
    app.edge = Edge(client, features, ctx, store, directory)
    _register(app, app.edge)
    return app


def _authorise(client: AsyncWebClient) -> Callable[..., Any]:
    async def authorise(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=client.token)

    return authorise


def _register(app: AsyncApp, edge: Edge[C]) -> None:
    """One listener a kind of payload. Which feature is meant is looked up by name: a button of yesterday is answered too."""

    async def command(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.command(inbound.slash(body))

    async def click(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.click(inbound.click(body))

    async def shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.shortcut(inbound.shortcut(body))

    async def form(ack: AsyncAck, body: dict[str, Any]) -> None:
        errors = edge.form(inbound.submission(body))
        await (ack(response_action="errors", errors=dict(errors)) if errors else ack())

    async def message_shortcut(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        edge.message_shortcut(inbound.message_shortcut(body))

    async def event(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack()
        if (heard := inbound.heard(body)) is not None:
            edge.event(heard)

    async def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Whatever happened, Slack is told that it arrived (P2): a repeat would not help, and would count twice."""
        if isinstance(error, BoltUnhandledRequestError):
            log.info("edge.unhandled", type=body.get("type"))
        elif (who := inbound.someone(body)) is not None:
            edge.failed(who, error)
        else:
            log.error("edge.failed", error=type(error).__name__, exc_info=error)
        return BoltResponse(status=200, body="")

    app.command(COMMAND)(command)
    app.action(ANY)(click)
    app.view_submission(ANY)(form)
    app.global_shortcut(DECLARE)(shortcut)
    app.message_shortcut(ANY)(message_shortcut)
    app.event(ANY)(event)
    app.error(failed)
