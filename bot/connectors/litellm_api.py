"""LiteLLM's proxy: what its admin API says of a key or a model, the calls that change them, and a chat as a user has it.

Decides addresses, and what an answer to a chat shows. What it means for containment is `litellm_admin`'s. `/customer/block`
is never used: it answers 200 and blocks nobody (measured, LiteLLM 1.106).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from bot.connectors.http import Answered, Exchange, exchange


class Record(BaseModel):
    """What LiteLLM has written down of a key or a model."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    blocked: bool | None = None
    rpm_limit: int | None = None
    db_model: bool = True
    """False for a model of LiteLLM's own file, which its admin API cannot block."""
    model_name: str | None = None
    """What users ask for; several models may stand behind one name."""


class _KeyInfo(BaseModel):
    info: Record


class _ModelInfo(Record):
    id: str


class _Model(BaseModel):
    model_name: str
    model_info: _ModelInfo


class _Models(BaseModel):
    data: tuple[_Model, ...]


class Seen(Enum):
    """What a chat showed."""

    SERVED = auto()
    BLOCKED = auto()
    """Refused, and LiteLLM says that it is for being blocked."""
    LIMITED = auto()
    SILENT = auto()
    """No answer, or one that shows nothing about containment."""


@dataclass(frozen=True)
class Probe:
    """How to ask as a user: real keys, and the model that they ask for."""

    keys: Sequence[SecretStr]
    model: str

    def key_of(self, hashed: str) -> SecretStr | None:
        return next((key for key in self.keys if _hash(key) == hashed), None)

    def another(self, hashed: str | None) -> SecretStr | None:
        return next((key for key in self.keys if _hash(key) != hashed), None)


class Litellm:
    def __init__(self, http: httpx.AsyncClient, root: str, *, admin: SecretStr, seconds: float) -> None:
        self._http, self._root, self._admin, self._seconds = http, root, admin, seconds

    async def key(self, hashed: str) -> Record | Exchange:
        answer = await self._call("GET", f"/key/info?{urlencode({'key': hashed})}", self._admin)
        if not isinstance(answer, Answered) or answer.status != 200:
            return answer
        try:
            return _KeyInfo.model_validate(answer.json).info
        except ValidationError:
            return answer

    async def model(self, id: str) -> Record | Exchange:
        answer = await self._call("GET", f"/model/info?{urlencode({'litellm_model_id': id})}", self._admin)
        if not isinstance(answer, Answered) or answer.status != 200:
            return answer
        try:
            found = _Models.model_validate(answer.json).data
        except ValidationError:
            return answer
        # An older proxy that does not know the parameter lists every model.
        one = next((one for one in found if one.model_info.id == id), None)
        return one.model_info.model_copy(update={"model_name": one.model_name}) if one else answer

    async def tell(self, path: str, body: Mapping[str, object]) -> Exchange:
        return await self._call("POST", path, self._admin, body)

    async def alive(self) -> Exchange:
        """Asks with the admin key for what only the database knows: keys and blocked models are kept there."""
        return await self._call("GET", "/key/list?size=1", self._admin)

    async def chat(self, key: SecretStr, model: str) -> Seen:
        """One short question. It costs a token where it is answered."""
        body = {"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "ping"}]}
        answer = await self._call("POST", "/v1/chat/completions", key, body)
        if not isinstance(answer, Answered):
            return Seen.SILENT
        said = (answer.body or b"").decode(errors="replace").casefold()
        match answer.status:
            case 200:
                return Seen.SERVED
            case 429:
                return Seen.LIMITED
            case 401 | 403 if "is blocked" in said:
                return Seen.BLOCKED
            case 503 if "paused" in said:  # a deployment that is asked for by its own id
                return Seen.BLOCKED
            case _:
                return Seen.SILENT

    async def close(self) -> None:
        await self._http.aclose()

    async def _call(self, method: str, path: str, key: SecretStr, body: Mapping[str, object] | None = None) -> Exchange:
        headers = {
            "Authorization": f"Bearer {key.get_secret_value()}",
            "Content-Type": "application/json",
            "x-firsthour-probe": "1",
        }
        content = json.dumps(body).encode() if body is not None else None
        return await exchange(
            self._http, method, f"{self._root}{path}", seconds=self._seconds, headers=headers, content=content
        )


def _hash(key: SecretStr) -> str:
    """As LiteLLM names a key in its events and its database."""
    return hashlib.sha256(key.get_secret_value().encode()).hexdigest()
