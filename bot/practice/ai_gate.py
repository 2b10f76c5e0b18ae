"""The gate, as the practice AI app asks it: before the model is called and before an answer leaves.

Decides what the app makes of each verdict. A gate that does not answer closes the app: what nobody judged is not answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from bot.practice.ai_containment import Caller
from bot.practice.shapes import Json

SECONDS = 2.0
UNJUDGED: Json = {"allow": False, "status": 503, "message": "The assistant is not available.", "answer": None}


@dataclass
class Gate:
    """Where decisions are made. One session a question: a practice app is asked a few times a minute."""

    url: str
    token: str

    async def ask(self, caller: Caller, *, stage: str, tools: bool = False, documents: Sequence[str] = ()) -> Json:
        """``{"allow", "status", "message", "answer", "tools", "retrieval", "withheld", …}``; a refusal where nobody answers."""
        question = {
            "user": caller.user, "session": caller.session, "api_key": caller.api_key, "ip": caller.ip,
            "application": caller.application, "endpoint": caller.endpoint, "stage": stage, "tools": tools,
            "documents": list(documents),
        }  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}"}
        if caller.probe:
            headers["x-firsthour-probe"] = self.token
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http,
                http.post(f"{self.url}/decide", json=question, headers=headers) as response,
            ):
                return await response.json() if response.status == 200 else UNJUDGED
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return UNJUDGED
