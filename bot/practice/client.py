"""The client of a practice workspace that runs in another process: the same verbs, over the control API.

Decides nothing; results come as the JSON of ``control``. Errors are raised as the in-process ``Person`` raises them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any

import aiohttp

from bot.practice.shapes import AppFailed, BadAck, CannotDo, DidNotRespond, Json

FAILURES: dict[str, type[AppFailed]] = {"DidNotRespond": DidNotRespond, "BadAck": BadAck}


class PracticeClient:
    """``async with PracticeClient(url, control_token) as workspace``."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> PracticeClient:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=aiohttp.ClientTimeout(total=60)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(self, verb: str, path: str, **more: Any) -> Any:
        assert self._session is not None, "use it as a context manager"
        async with self._session.request(verb, f"{self.url}/control/{path}", **more) as response:
            body = await response.json()
        if body["ok"]:
            return body["result"]
        if body["error"] == "cannot_do":
            raise CannotDo(body["message"])
        if body["error"] == "app_failed":
            raise FAILURES.get(body["kind"], AppFailed)(body["message"])
        raise ValueError(f"{body['error']}: {body.get('message', '')}")

    def person(self, name: str) -> RemotePerson:
        """Somebody by name or id."""
        return RemotePerson(self, name)

    async def do(self, name: str, verb: str, **args: Any) -> Any:
        """Any verb of a person."""
        return await self._call("POST", "do", json={"as": name, "verb": verb, "args": args})

    async def server(self, verb: str, **args: Any) -> Any:
        """A verb of the workspace: redeliver, disconnect, abort_sockets, add_fault, clear_faults, limits, latency."""
        return await self._call("POST", "server", json={"verb": verb, "args": args})

    async def state(self, name: str = "alice") -> Json:
        """What a person sees."""
        found: Json = await self._call("GET", "state", params={"as": name})
        return found

    async def record(self) -> Json:
        """Calls, envelopes, acks, message versions."""
        found: Json = await self._call("GET", "record")
        return found

    async def until(self, predicate: Callable[[Json], Any], *, name: str = "alice", seconds: float = 10) -> Any:
        """Wait until what a person sees satisfies the predicate; raises ``TimeoutError``."""
        async with asyncio.timeout(seconds):
            while True:
                seen = await self.state(name)
                if value := predicate(seen):
                    return value
                await self._call("GET", "wait", params={"after": str(seen["version"]), "timeout": "5"})


class RemotePerson:
    """The verbs that tests use most; ``do`` has all."""

    def __init__(self, client: PracticeClient, name: str) -> None:
        self._client = client
        self.name = name

    async def slash(self, channel: str, line: str) -> Json:
        """Type a slash command."""
        found: Json = await self._client.do(self.name, "slash", channel=channel, line=line)
        return found

    async def press(self, channel: str | None, message: str | None, action_id: str, value: str | None = None) -> bool:
        """Press a button; a message is given by its timestamp."""
        args = {"channel": channel, "message": message, "action_id": action_id, "value": value}
        return bool(await self._client.do(self.name, "press", **args))

    async def choose(self, channel: str | None, message: str | None, action_id: str, value: Any) -> bool:
        """Choose in a menu."""
        args = {"channel": channel, "message": message, "action_id": action_id, "value": value}
        return bool(await self._client.do(self.name, "choose", **args))

    async def submit(self, values: Json, view: str | None = None) -> Json:
        """Fill in and submit the modal on top."""
        found: Json = await self._client.do(self.name, "submit", view=view, values=values)
        return found

    async def say(self, channel: str, text: str) -> Json:
        """Write a message."""
        found: Json = await self._client.do(self.name, "say", channel=channel, text=text)
        return found
