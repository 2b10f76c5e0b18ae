"""Jira, by its REST API version 3: `POST /rest/api/3/issue`, `POST /rest/api/3/search/jql`.

Decides how a ticket reads as an issue (its description is an ADF document, so nothing in it is obeyed) and that it is found
again by a label of its own. Jira's search sees a new issue after some seconds: who is in doubt looks a little later.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
from pydantic import SecretStr

from bot.trackers.contract import Doubtful, Link, Ticket, Unreachable
from bot.trackers.http import ask, client

KEY = re.compile(r"[A-Z][A-Z0-9_]*-[0-9]+")


class Jira:
    name = "Jira"

    def __init__(
        self,
        url: str,
        project: str,
        token: SecretStr,
        *,
        user: str | None = None,
        issue_type: str = "Task",
        labels: tuple[str, ...] = (),
    ) -> None:
        self._url, self._project, self._issue_type, self._labels = url.rstrip("/"), project, issue_type, labels
        headers = {"Accept": "application/json", "User-Agent": "firsthour"}
        if user is None:
            self._http = client({**headers, "Authorization": f"Bearer {token.get_secret_value()}"})
        else:
            self._http = client(headers, httpx.BasicAuth(user, token.get_secret_value()))

    async def open(self, ticket: Ticket) -> Link:
        fields: dict[str, Any] = {
            "project": {"key": self._project},
            "issuetype": {"name": self._issue_type},
            "summary": ticket.title,
            "description": description(ticket),
            "labels": ["firsthour", ticket.marker, *self._labels],
        }
        if ticket.due is not None:
            fields["duedate"] = f"{ticket.due:%Y-%m-%d}"
        url = f"{self._url}/rest/api/3/issue"
        made = await ask(self._http, self.name, "POST", url, params={}, changes=True, body={"fields": fields})
        link = self._link(made.get("key") if isinstance(made, dict) else None)
        if link is None:
            raise Doubtful("Jira's answer names no issue; it may be done")
        return link

    async def find(self, ticket: Ticket) -> Link | None:
        jql = f'project = "{self._project}" AND labels = "{ticket.marker}" ORDER BY created ASC'
        asked = {"jql": jql, "maxResults": 1, "fields": ["labels"]}
        url = f"{self._url}/rest/api/3/search/jql"
        found = await ask(self._http, self.name, "POST", url, params={}, changes=False, body=asked)
        issues = found.get("issues") if isinstance(found, dict) else None
        if not isinstance(issues, list):
            raise Unreachable("Jira gave an answer that could not be read")
        first = issues[0] if issues else None
        return self._link(first.get("key")) if isinstance(first, dict) else None

    async def close(self) -> None:
        await self._http.aclose()

    def _link(self, key: object) -> Link | None:
        return Link(f"{self._url}/browse/{key}") if isinstance(key, str) and KEY.fullmatch(key) else None


def description(ticket: Ticket) -> dict[str, Any]:
    """An Atlassian document: every text is a text node, whatever it looks like."""
    due = f"{ticket.due:%Y-%m-%d}" if ticket.due else "not set"
    lines = [*ticket.text.splitlines(), f"Type: {ticket.kind}. Due: {due}. From {ticket.incident}."]
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines if line.strip()]
    return {"type": "doc", "version": 1, "content": paragraphs}
