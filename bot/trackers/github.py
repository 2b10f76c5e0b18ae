"""GitHub issues, by the REST API (version 2022-11-28): `POST` and `GET /repos/{owner}/{repo}/issues`.

Decides how a ticket reads as an issue, and how its issue is found again: by the marker in its body, among the issues that
were touched since it was asked for. Those are listed, not searched: GitHub's search sees a new issue only after a while.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from bot.trackers.contract import Doubtful, Link, Ticket, Unreachable
from bot.trackers.http import ask, client

API = "https://api.github.com"
PAGE, PAGES = 100, 10
CLOCKS_DIFFER = timedelta(hours=1)


class GitHub:
    name = "GitHub"

    def __init__(self, repository: str, token: SecretStr, *, labels: tuple[str, ...] = (), api: str = API) -> None:
        self._repository, self._labels, self._api = repository, labels, api.rstrip("/")
        self._http = client(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token.get_secret_value()}",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "firsthour",
            }
        )

    async def open(self, ticket: Ticket) -> Link:
        issue = {"title": ticket.title, "body": body(ticket), "labels": ["firsthour", *self._labels]}
        made = await ask(self._http, self.name, "POST", self._issues, params={}, changes=True, body=issue)
        number = made.get("number") if isinstance(made, dict) else None
        if not isinstance(number, int):
            raise Doubtful("GitHub's answer names no issue; it may be done")
        return self._link(number)

    async def find(self, ticket: Ticket) -> Link | None:
        mark, since = marked(ticket), f"{ticket.asked_at - CLOCKS_DIFFER:%Y-%m-%dT%H:%M:%SZ}"
        wanted: dict[str, str | int] = {
            "state": "all", "since": since, "sort": "created", "direction": "desc", "per_page": PAGE,
        }  # fmt: skip
        for page in range(1, PAGES + 1):
            found = await ask(
                self._http, self.name, "GET", self._issues, params={**wanted, "page": page}, changes=False, body=None
            )
            if not isinstance(found, list):
                raise Unreachable("GitHub gave an answer that could not be read")
            for issue in found:
                if mark in str(_of(issue, "body") or "") and isinstance(_of(issue, "number"), int):
                    return self._link(issue["number"])
            if len(found) < PAGE:
                break
        return None

    async def close(self) -> None:
        await self._http.aclose()

    @property
    def _issues(self) -> str:
        return f"{self._api}/repos/{self._repository}/issues"

    def _link(self, number: int) -> Link:
        """Of the site, not of the API: an Enterprise Server has its API below `/api/v3`."""
        site = "https://github.com" if self._api == API else self._api.removesuffix("/api/v3")
        return Link(f"{site}/{self._repository}/issues/{number}")


def body(ticket: Ticket) -> str:
    """Indented, so that Markdown of the text is shown and neither formatted nor able to mention anybody."""
    due = f"{ticket.due:%Y-%m-%d}" if ticket.due else "not set"
    text = "\n".join(f"    {line}" for line in ticket.text.splitlines())
    return f"{text}\n\nType: {ticket.kind}. Due: {due}. From {ticket.incident}.\n\n{marked(ticket)}"


def marked(ticket: Ticket) -> str:
    return f"<!-- {ticket.marker} -->"


def _of(issue: Any, key: str) -> Any:
    return issue.get(key) if isinstance(issue, dict) else None
