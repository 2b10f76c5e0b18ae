"""The control API: the same verbs from another process, for nobody but the owner; and the page's headers."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.practice.client import PracticeClient
from bot.practice.server import PracticeWorkspace
from bot.practice.shapes import CannotDo, DidNotRespond


async def test_a_remote_client_does_what_a_person_does(
    ws: PracticeWorkspace, app: AsyncApp, connect: Any, modal: dict[str, Any], card: list[dict[str, Any]]
) -> None:
    @app.command("/incident")
    async def command(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal)
        await ack("opened")

    @app.view("declare")
    async def submitted(ack: Any, client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postMessage(channel=ws.channel("incidents").id, text="card", blocks=card)

    @app.action("ack")
    async def pressed(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="done", replace_original=True)

    await connect(app)
    async with PracticeClient(ws.url, ws.control_token) as remote:
        alice = remote.person("alice")
        assert (await alice.slash("incidents", "/incident"))["text"] == "opened"
        assert (await alice.submit({"title": "db"}))["closed"] is True

        def posted(state: dict[str, Any]) -> Any:
            channel = next(one for one in state["channels"] if one["name"] == "incidents")
            return [one for one in channel["messages"] if one.get("blocks") and not one["ephemeral"]]

        [message] = await remote.until(posted)
        assert await alice.press("incidents", message["ts"], "ack") is True
        await remote.until(lambda state: not posted(state))
        with pytest.raises(CannotDo):
            await alice.press("incidents", message["ts"], "ack")
        record = await remote.record()
        assert {one["outcome"] for one in record["envelopes"] if one["type"] != "events_api"} == {"acked"}
        await alice.say("incidents", "hello")
        await remote.do("alice", "invite", channel="random", names=["gina"])
        assert ws.person("gina").id in ws.channel("random").members


async def test_the_workspace_can_be_disturbed_from_outside(ws: PracticeWorkspace, client: AsyncWebClient) -> None:
    async with PracticeClient(ws.url, ws.control_token) as remote:
        await remote.server("add_fault", method="auth.test", kind="error", error="fatal_error")
        assert len(ws.faults.rules) == 1
        await remote.server("clear_faults")
        await remote.server("limits", on=True)
        assert ws.limits.on
        await remote.server("disconnect", reason="warning")
        ws.socket.grace = 0.01
        with pytest.raises(DidNotRespond):
            await remote.person("alice").slash("incidents", "/incident")
        with pytest.raises(ValueError, match="no such verb"):
            await remote.do("alice", "__init__")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "right", "Origin": "http://127.0.0.1:1"},
        {"Authorization": "right", "Origin": "https://evil.example"},
        {"Authorization": "right", "Host": "evil.example"},
    ],
)
async def test_nobody_else_can_drive_the_workspace(ws: PracticeWorkspace, headers: dict[str, str]) -> None:
    if headers.get("Authorization") == "right":
        headers = {**headers, "Authorization": f"Bearer {ws.control_token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for method, path in (("GET", "state"), ("GET", "record"), ("POST", "do"), ("POST", "server")):
            async with http.request(method, f"{ws.url}control/{path}", json={}) as answer:
                assert answer.status == 403


async def test_the_page_comes_with_a_strict_policy(ws: PracticeWorkspace) -> None:
    async with aiohttp.ClientSession() as http:
        for name in ("", "page.js", "page.css"):
            async with http.get(ws.url + name) as answer:
                assert answer.status == 200
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
                text = await answer.text()
                assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text
                assert "innerHTML" not in text
        async with http.get(ws.url + "server.py") as answer:
            assert answer.status == 404


async def test_the_page_gets_a_files_bytes_and_only_where_it_was_shared(ws: PracticeWorkspace) -> None:
    one = await ws.person("alice").upload("incidents", "graph.png", b"\x89PNG")
    hidden = ws.world.files[one.id]
    headers = {"Authorization": f"Bearer {ws.control_token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.get(f"{ws.url}control/file?as=alice&id={one.id}") as answer:
            assert (await answer.json())["result"] == {"name": "graph.png", "type": "image/png", "base64": "iVBORw=="}
        hidden.channels = ["C0NOBODY"]
        async with http.get(f"{ws.url}control/file?as=alice&id={one.id}") as answer:
            assert (await answer.json())["error"] == "cannot_do"


async def test_a_file_is_shared_by_hand_and_a_form_takes_one(ws: PracticeWorkspace) -> None:
    headers = {"Authorization": f"Bearer {ws.control_token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for verb, args in (("upload", {"channel": "incidents"}), ("put_file", {})):
            body = {"as": "alice", "verb": verb, "args": {"name": "a.log", "content": "R0VUIC8=", **args}}
            async with http.post(f"{ws.url}control/do", json=body) as answer:
                sent = (await answer.json())["result"]
            assert sent["name"] == "a.log" and ws.world.files[sent["id"]].content == b"GET /"
        async with http.get(f"{ws.url}control/state?as=alice") as answer:
            assert (await answer.json())["result"]["message_shortcuts"] == {}
    assert ws.messages("incidents")[-1].files
