"""A directory as SCIM 2.0 shows it (RFC 7643, RFC 7644): one account found by its name, read, and told to be active or not.

Decides how an account is found without meaning another one, and what of it a person may have changed. What that means for
containment is `scim`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from pydantic import SecretStr

from bot.connectors.http import Answered, Exchange, exchange

NOT_COMPARED = frozenset({"active", "meta", "groups", "password", "schemas"})
"""What changes by containment itself, or without anybody changing the account."""


@dataclass(frozen=True)
class Account:
    id: str
    active: bool | None
    """None where the directory does not say."""
    etag: str | None
    digest: str
    """Of all that a person may have changed."""


class NoAccount:
    """Nobody has this name, or more than one has."""


class Directory:
    def __init__(self, http: httpx.AsyncClient, root: str, attribute: str, *, token: SecretStr, seconds: float) -> None:
        self._http, self._root, self._attribute = http, root, attribute
        self._token, self._seconds = token, seconds

    async def find(self, name: str) -> Account | NoAccount | Exchange:
        """The account whose attribute is exactly this; what came instead where the directory did not say."""
        # A filter's value is a JSON string (RFC 7644 §3.4.2.2): quotes and newlines in a name cannot end it.
        query = urlencode({"filter": f"{self._attribute} eq {json.dumps(name)}", "attributes": self._attribute})
        answer = await self._call("GET", f"/Users?{query}")
        if not isinstance(answer, Answered) or answer.status != 200:
            return answer
        body = answer.json
        found = body.get("Resources", []) if isinstance(body, dict) else None
        if not isinstance(found, list):
            return answer
        if len(found) != 1 or not self._is(found[0], name):
            return NoAccount()
        return await self._read(str(found[0].get("id")))

    async def activate(self, account: Account, *, active: bool) -> Exchange:
        """Only as long as the account is what was read, where the directory has versions. 412: it no longer is."""
        operation = {"op": "replace", "path": "active", "value": active}
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
        headers = {"If-Match": account.etag} if account.etag else {}
        return await self._call("PATCH", f"/Users/{quote(account.id, safe='')}", json.dumps(body).encode(), headers)

    async def about_itself(self) -> Exchange:
        """A listing of nobody: shows that the directory answers, and that the token may look for accounts."""
        return await self._call("GET", f"/Users?{urlencode({'count': 0})}")

    async def close(self) -> None:
        await self._http.aclose()

    def _is(self, found: object, name: str) -> bool:
        """A directory that does not understand the filter may answer with anybody."""
        has = found.get(self._attribute) if isinstance(found, dict) else None
        if not isinstance(has, str):
            return False
        # RFC 7643 §4.1.1 and §3.1: case counts in an externalId, and not in a userName.
        return has == name if self._attribute == "externalId" else has.casefold() == name.casefold()

    async def _read(self, id: str) -> Account | Exchange:
        # Groups are left out: they may be many, and an answer has a limit.
        answer = await self._call("GET", f"/Users/{quote(id, safe='')}?excludedAttributes=groups")
        body = answer.json if isinstance(answer, Answered) and answer.status == 200 else None
        if not isinstance(body, dict) or body.get("id") != id:
            return answer
        active, meta = body.get("active"), body.get("meta")
        etag = meta.get("version") if isinstance(meta, dict) else None
        return Account(
            id, active if isinstance(active, bool) else None, etag if _sendable(etag) else None, digest=_digest(body)
        )

    async def _call(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Exchange:
        sent = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Accept": "application/scim+json",
            "Content-Type": "application/scim+json",
            **(headers or {}),
        }
        return await exchange(
            self._http, method, f"{self._root}{path}", seconds=self._seconds, headers=sent, content=content
        )


def _sendable(etag: object) -> bool:
    return isinstance(etag, str) and etag.isascii() and etag.isprintable()


def _digest(account: Mapping[str, Any]) -> str:
    kept = {key: value for key, value in account.items() if key not in NOT_COMPARED}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
