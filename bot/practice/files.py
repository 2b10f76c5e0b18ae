"""The bytes of files, as ``files.slack.com`` hands them out: to a token that may read, a page to sign in to everybody else.

Decides what a download answers. Sharing is ``people``'s, what the Web API says of a file ``methods.files``'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.practice.methods.table import Token
from bot.practice.world import World

SCOPE = "files:read"
SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in to Slack</title></head><body>Sign in</body></html>"


class Downloads:
    """``GET /files/{id}/{name}``. ``elsewhere`` sends those of a file on to another address, as a proxy would."""

    def __init__(self, world: World, tokens: Mapping[str, Token]) -> None:
        self._world, self._tokens = world, tokens
        self.elsewhere: dict[str, str] = {}
        self.seen: list[tuple[str, str]] = []
        """File and the kind of token that asked, ``none`` without one."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A wrong token is not refused: Slack shows its sign-in page, and answers 200."""
        file_id = request.match_info["file"]
        token = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        self.seen.append((file_id, token.kind if token else "none"))
        if file_id in self.elsewhere:
            return web.Response(status=302, headers={"Location": self.elsewhere[file_id]})
        if token is None or token.error or SCOPE not in token.scopes:
            return web.Response(text=SIGN_IN, content_type="text/html")
        one = self._world.files.get(file_id)
        if one is None or one.deleted or one.content is None:
            return web.Response(status=404, text="not found")
        return web.Response(body=one.content, headers={"Content-Type": one.mimetype})
