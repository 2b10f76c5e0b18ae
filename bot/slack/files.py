"""Files of Slack's: what is known of one, and its bytes as they come.

Decides where the bot's token goes: to the host of the Web API and to hosts below its name, never to where an answer points
elsewhere. Nothing is made public (`files.sharedPublicURL` is never called). What becomes of the bytes is the reader's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from bot.evidence.files import Described, Unfetched
from bot.slack.client import Slack
from bot.slack.failures import Failure

PART = 256 * 1024
REDIRECTS = 3
TIMES = aiohttp.ClientTimeout(total=None, sock_connect=8, sock_read=20)
"""How long the whole takes is the reader's: 50 MB may take minutes."""
GONE = frozenset({"file_not_found", "file_deleted", "not_visible", "not_allowed"})
DELETED = "it was deleted in Slack before it could be fetched, or Firsthour may not see it"
ELSEWHERE = "it does not lie in Slack. Share a copy of it here, or put it where evidence is kept and add a note"
SIGN_IN = "Slack answered with a page to sign in instead of the file: the app lacks the permission files:read"
HTML = "text/html"


class SlackFiles:
    """`bot.evidence.files.Files`."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack

    async def describe(self, file_id: str) -> Described:
        answer = await self._slack.call("files.info", file=file_id)
        if isinstance(answer, Failure):
            why = DELETED if answer.error in GONE else answer.why
            raise Unfetched(why, permanent=answer.permanent, after=answer.after)
        file: Mapping[str, Any] = answer.data["file"]
        if file.get("mode") in {"tombstone", "hidden_by_limit"}:
            raise Unfetched(DELETED, permanent=True)
        url = file.get("url_private_download") or file.get("url_private") or ""
        if file.get("is_external") or not self._ours(url):
            raise Unfetched(ELSEWHERE, permanent=True)
        return Described(
            id=file_id,
            name=str(file.get("name") or file.get("title") or "Slack file"),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size=int(file.get("size") or 0),
            url=url,
            shared_at=datetime.fromtimestamp(file["created"], UTC) if file.get("created") else None,
        )

    async def content(self, file: Described) -> AsyncIterator[bytes]:
        try:
            async with await self._opened(file.url) as response:
                _refuse(response, file)
                async for part in response.content.iter_chunked(PART):
                    yield part
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Unfetched("Slack broke off while the file was fetched", permanent=False) from error

    async def _opened(self, url: str) -> aiohttp.ClientResponse:
        """The answer, after redirects within Slack. A redirect to anywhere else ends here, and the token with it."""
        session = self._slack.client.session
        assert session is not None, "the client was made with the session of `slack_session`"
        for _ in range(REDIRECTS):
            response = await session.get(
                url,
                headers={"Authorization": f"Bearer {self._slack.client.token}"},
                allow_redirects=False,
                timeout=TIMES,
            )
            if response.status not in {301, 302, 303, 307, 308}:
                return response
            url = urljoin(url, response.headers.get("Location", ""))
            response.release()
            if not self._ours(url):
                raise Unfetched("Slack sent on to another place instead of the file", permanent=True)
        raise Unfetched(SIGN_IN, permanent=True)

    def _ours(self, url: str) -> bool:
        """Under the same name, by the same protocol and on the same port as the Web API: `files.slack.com` for `slack.com`."""
        try:
            base, asked = urlsplit(self._slack.client.base_url), urlsplit(url)
            ports = asked.port, base.port
        except ValueError:
            return False
        host, ours = asked.hostname or "", base.hostname or ""
        named = host == ours or host.endswith(f".{ours}")
        return named and asked.scheme == base.scheme and ports[0] == ports[1] and asked.username is None


def _refuse(response: aiohttp.ClientResponse, file: Described) -> None:
    """Raises Unfetched for whatever is not the file."""
    if response.status in {404, 410}:
        raise Unfetched(DELETED, permanent=True)
    if response.status in {401, 403}:
        raise Unfetched(SIGN_IN, permanent=True)
    if response.status != 200:
        raise Unfetched(f"Slack answered {response.status} instead of the file", permanent=False)
    page = response.content_type == HTML
    if page and (file.media_type != HTML or response.content_length not in {None, file.size}):
        raise Unfetched(SIGN_IN, permanent=True)
