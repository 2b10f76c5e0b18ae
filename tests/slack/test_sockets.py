"""The connections over which people are heard: they come up late rather than never."""

from __future__ import annotations

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.server import PracticeWorkspace
from bot.slack.client import slack_client, slack_session
from bot.slack.sockets import SocketMode


def app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret="unused", process_before_response=True)


@pytest.mark.parametrize("kind", ["status", "reset"])
async def test_a_start_while_slack_is_down_connects_once_it_is_back(kind: str) -> None:
    async with PracticeWorkspace() as workspace, slack_session() as session:
        workspace.faults.add(method="apps.connections.open", when="before", kind=kind, times=2)
        client = slack_client(workspace.bot_token, workspace.api_url, session)
        sockets = await SocketMode.connect(app(client), workspace.app_token)
        assert (sockets.connected, workspace.connected) == (0, 0)
        assert sockets.down_for > 0
        await workspace.until(lambda: workspace.connected == 2)
        await sockets.close()


async def test_a_token_that_is_refused_keeps_the_process_from_starting() -> None:
    async with PracticeWorkspace() as workspace, slack_session() as session:
        client = slack_client(workspace.bot_token, workspace.api_url, session)
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await SocketMode.connect(app(client), "xapp-1-of-somebody-else")


async def test_closing_while_slack_is_still_down_ends_the_trying() -> None:
    async with PracticeWorkspace() as workspace, slack_session() as session:
        workspace.faults.add(method="apps.connections.open", when="before", kind="status", times=1000)
        client = slack_client(workspace.bot_token, workspace.api_url, session)
        sockets = await SocketMode.connect(app(client), workspace.app_token)
        await sockets.close()
        assert sockets.connected == 0
