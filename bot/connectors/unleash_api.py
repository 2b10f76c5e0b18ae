"""Unleash's two APIs: the admin API, which changes one flag in one environment, and the frontend API, which evaluates it.

Decides addresses and which token goes where. What an answer means for containment is `unleash`'s.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import httpx
from pydantic import SecretStr, ValidationError

from bot.connectors.contract import Effect, Result
from bot.connectors.http import Answered, Exchange, exchange, silence
from bot.connectors.unleash_flag import Flag, State, Strategy


class Flags:
    """The admin API, which changes a flag, and the frontend API, which evaluates it as an application would."""

    def __init__(
        self, http: httpx.AsyncClient, root: str, project: str, environment: str, *,
        admin: SecretStr, frontend: SecretStr, seconds: float,
    ) -> None:  # fmt: skip
        self._http, self._root, self._seconds = http, root, seconds
        self._project, self._environment = project, environment
        self._admin, self._frontend = admin, frontend

    async def state(self, flag: str) -> State | Exchange:
        """How the flag stands; what came instead where it did not say."""
        answer = await self._tell("GET", flag, "")
        if not isinstance(answer, Answered) or answer.status != 200:
            return answer
        try:
            return State.model_validate(answer.json)
        except ValidationError:
            return answer

    async def add(self, flag: str, strategy: Mapping[str, object]) -> Exchange:
        return await self._tell("POST", flag, "/strategies", json.dumps(strategy).encode())

    async def remove(self, flag: str, strategy: Strategy) -> Exchange:
        return await self._tell("DELETE", flag, f"/strategies/{quote(strategy.id, safe='')}")

    async def switch(self, flag: str, *, on: bool) -> Exchange:
        return await self._tell("POST", flag, "/on" if on else "/off")

    async def evaluate(self, flag: str, context: Mapping[str, str]) -> bool | None:
        """Whether the flag is on for this context; None where Unleash did not say."""
        url = f"{self._root}/api/frontend?{urlencode(context)}"
        headers = {"Authorization": self._frontend.get_secret_value()}
        answer = await exchange(self._http, "GET", url, seconds=self._seconds, headers=headers)
        body = answer.json if isinstance(answer, Answered) and answer.status == 200 else None
        on = body.get("toggles") if isinstance(body, dict) else None
        if not isinstance(on, list):
            return None
        return any(isinstance(one, dict) and one.get("name") == flag and one.get("enabled") is True for one in on)

    async def close(self) -> None:
        await self._http.aclose()

    async def _tell(self, method: str, flag: str, path: str, content: bytes | None = None) -> Exchange:
        at = (f"projects/{quote(self._project, safe='')}/features/{quote(flag, safe='')}"
              f"/environments/{quote(self._environment, safe='')}{path}")  # fmt: skip
        headers = {"Authorization": self._admin.get_secret_value(), "Content-Type": "application/json"}
        return await exchange(
            self._http, method, f"{self._root}/api/admin/{at}", seconds=self._seconds, headers=headers, content=content
        )


def unread(name: str, flag: Flag, answer: Exchange) -> Result:
    """FAILED, in words, where Unleash did not say how a flag stands."""
    if isinstance(answer, Answered) and answer.status == 404:
        words = f"{name} has no flag {flag.flag} in this project and environment. Create it, of the type kill switch."
    else:
        words = silence(name, answer).detail
    return Result(Effect.FAILED, f"{words} Nothing was changed.")
