"""Files of Slack's, from a workspace that is as strict: the token goes to Slack alone, and what is no file is not taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from bot.evidence.files import Described, Unfetched
from bot.practice.server import PracticeWorkspace
from bot.practice.state import File
from bot.slack.client import Slack, slack_client, slack_session
from bot.slack.files import SlackFiles
from bot.slack.pace import Pace


@dataclass
class Desk:
    workspace: PracticeWorkspace
    files: SlackFiles

    def shared(self, name: str, content: bytes) -> File:
        return self.workspace.person("alice").put_file(name, content)

    async def fetched(self, file: File) -> bytes:
        return await whole(self.files, await self.files.describe(file.id))

    async def refused(self, file: File) -> Unfetched:
        with pytest.raises(Unfetched) as refused:
            await self.fetched(file)
        return refused.value


async def whole(files: SlackFiles, described: Described) -> bytes:
    return b"".join([part async for part in files.content(described)])


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with PracticeWorkspace() as workspace, slack_session() as session:
        client = slack_client(workspace.bot_token, workspace.api_url, session)
        yield Desk(workspace, SlackFiles(Slack(client, Pace())))


async def test_a_file_is_described_and_comes_as_it_is(desk: Desk) -> None:
    content = bytes(range(256)) * 4096
    file = desk.shared("../../etc/passwd", content)
    described = await desk.files.describe(file.id)
    assert (described.name, described.size) == ("../../etc/passwd", len(content)) and described.shared_at is not None
    assert await whole(desk.files, described) == content
    assert await desk.fetched(desk.shared("empty.txt", b"")) == b""
    assert {kind for _, kind in desk.workspace.downloads.seen} == {"bot"}
    assert "files.sharedPublicURL" not in {call.method for call in desk.workspace.record.every_call}


async def test_a_deleted_file_is_gone_for_good(desk: Desk) -> None:
    file = desk.shared("a.log", b"x")
    described = await desk.files.describe(file.id)
    await desk.workspace.person("alice").delete_file(file)
    assert (gone := await desk.refused(file)).permanent and "deleted" in str(gone)
    with pytest.raises(Unfetched, match="deleted"):
        await whole(desk.files, described)


async def test_a_page_to_sign_in_is_never_taken_for_the_file(desk: Desk) -> None:
    token = desk.workspace.tokens[desk.workspace.bot_token]
    files = [desk.shared("a.log", b"GET /"), desk.shared("page.html", b"<html>evidence</html>")]
    described = [await desk.files.describe(file.id) for file in files]
    assert await whole(desk.files, described[1]) == b"<html>evidence</html>"
    desk.workspace.tokens[desk.workspace.bot_token] = replace(token, scopes=token.scopes - {"files:read"})
    for one in described:
        with pytest.raises(Unfetched, match="page to sign in") as refused:
            await whole(desk.files, one)
        assert refused.value.permanent
    assert "files:read" in str(await desk.refused(files[0]))


async def test_the_token_follows_no_redirect_to_another_host(desk: Desk) -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"not the file")

    app = web.Application()
    app.router.add_get("/{tail:.*}", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    file = desk.shared("a.log", b"GET /")
    for to in (
        f"http://127.0.0.1:{port}/x",
        f"http://localhost:{desk.workspace.port}/x",
        "https://evil.example/",
        "//x/",
    ):
        desk.workspace.downloads.elsewhere[file.id] = to
        assert "another place" in str(await desk.refused(file))
    desk.workspace.downloads.elsewhere[file.id] = f"{desk.workspace.url}files/{file.id}/again"
    assert "sign in" in str(await desk.refused(file)), "a circle within Slack ends too"
    await runner.cleanup()
    assert seen == []


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("https://slack.com/x", True),
        ("https://files.slack.com/files-pri/T1-F1/a.png", True),
        ("https://files.slack.com.evil.example/x", False),
        ("https://evilslack.com/x", False),
        ("http://files.slack.com/x", False),
        ("https://files.slack.com:8443/x", False),
        ("https://user@files.slack.com/x", False),
        ("https://docs.google.com/document/1", False),
        ("file:///etc/passwd", False),
        ("https://[", False),
        ("", False),
    ],
)
async def test_slack_is_the_host_of_its_api_and_what_lies_below(url: str, ours: bool) -> None:
    async with slack_session() as session:
        files = SlackFiles(Slack(slack_client("xoxb-1", "https://slack.com/api/", session), Pace()))
        assert files._ours(url) is ours


async def test_a_file_that_lies_elsewhere_or_is_hidden_cannot_be_had(desk: Desk) -> None:
    file = desk.shared("a.log", b"x")
    for marks, words in (({"is_external": True}, "does not lie in Slack"), ({"mode": "tombstone"}, "deleted")):
        file.marks = dict(marks)
        assert words in str(await desk.refused(file))


async def test_a_slack_that_does_not_answer_is_asked_again(desk: Desk) -> None:
    file = desk.shared("a.log", b"x")
    desk.workspace.faults.add(method="files.info", kind="error", error="internal_error", times=1)
    assert not (await desk.refused(file)).permanent
    assert await desk.fetched(file) == b"x"
