"""The practice AI app's output filter and its alerts: what it notices after delivery, and telling the bot until heard.

Decides which trigger an answer fires (once for each trigger, user and session) and retries an alert with the same
``external_id`` until it is answered 2xx. The filter is late on purpose: the answer is already with the user.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from bot.practice.ai_containment import APPLICATION, Caller
from bot.practice.ai_model import BASE64, Answer, Model

BULK, CAMPAIGN, PROBING = 20, 5, 3
"""records of one user; injections of one user; refused oddities before they become a campaign"""
TITLES = {
    "unauthorized_tool_execution": ("Tool called over its limit", 1),
    "credential_leakage_confirmed": ("Credential delivered in an answer", 1),
    "bulk_data_extraction": ("Many customer records read by one user", 1),
    "sustained_injection_campaign": ("Repeated injection attempts", 2),
    "system_prompt_exposure": ("System prompt delivered in an answer", 2),
    "cross_user_data_leakage": ("Answer contained another user's data", 2),
    "jailbreak_success": ("Jailbreak succeeded", 3),
    "partial_prompt_extraction": ("Part of the system prompt was delivered", 3),
    "anomalous_probing": ("Unusual probing", 4),
}


@dataclass
class Alert:
    """One alert and how its delivery went."""

    body: dict[str, object]
    tries: int = 0
    delivered: bool = False
    answer: object = None
    last_problem: str = ""


@dataclass
class OutputFilter:
    """Looks at answers after they went out."""

    model: Model
    now: Callable[[], float]
    started: dict[str, float] = field(default_factory=dict)
    records: dict[str, set[int]] = field(default_factory=dict)
    injections: Counter[str] = field(default_factory=Counter)
    fired: set[tuple[str, str, str]] = field(default_factory=set)
    serial: int = 0

    def look(self, caller: Caller, question: str, answer: Answer) -> list[Alert]:
        """The alerts that an answer fires; nothing on probes and nothing twice."""
        if caller.probe:
            return []
        self.started.setdefault(caller.session, self.now())
        found = []
        for trigger in self._triggers(caller, answer):
            name = (trigger, caller.user, caller.session)
            if name not in self.fired:
                self.fired.add(name)
                found.append(self._alert(trigger, caller, question, answer))
        return found

    def _triggers(self, caller: Caller, answer: Answer) -> list[str]:
        text = reveal(answer.text)
        self.injections[caller.user] += "injection" in answer.traits
        self.records.setdefault(caller.user, set()).update(answer.customers)
        tests = {
            "credential_leakage_confirmed": self.model.credential in text,
            "system_prompt_exposure": self.model.canary in text and self.model.credential not in text,
            "unauthorized_tool_execution": "over_limit" in answer.traits,
            "bulk_data_extraction": len(self.records[caller.user]) > BULK,
            "cross_user_data_leakage": "other_user" in answer.traits,
            "jailbreak_success": "jailbreak" in answer.traits,
            "partial_prompt_extraction": "partial" in answer.traits,
            "sustained_injection_campaign": self.injections[caller.user] >= CAMPAIGN,
            "anomalous_probing": self.injections[caller.user] == PROBING and self.model.canary not in text,
        }
        return [trigger for trigger, fires in tests.items() if fires]

    def _alert(self, trigger: str, caller: Caller, question: str, answer: Answer) -> Alert:
        self.serial += 1
        title, severity = TITLES[trigger]
        return Alert(
            {
                "trigger": trigger,
                "title": title,
                "severity": severity,
                "subject": {"kind": "user", "id": caller.user},
                "app": APPLICATION,
                "session_id": caller.session,
                "external_id": f"{APPLICATION}-{self.serial}",
                "started_at": _stamp(self.started[caller.session]),
                "detected_at": _stamp(self.now()),
                "summary": f"{title} in session {caller.session} of {caller.user}.",
                "evidence": [
                    {"name": "question", "text": question},
                    {"name": "delivered answer", "text": answer.text},
                ],
            }
        )


def reveal(text: str) -> str:
    """A text with its base64 words decoded as well."""
    found = [text]
    for word in BASE64.findall(text):
        padded = word + "=" * (-len(word) % 4)
        try:
            found.append(base64.b64decode(padded).decode("utf-8", "ignore"))
        except ValueError:
            continue
    return re.sub(r"\s+", " ", " ".join(found))


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass
class Alarm:
    """Sends alerts in the background until they are heard."""

    url: str | None
    token: str | None
    wait: float = 0.2
    """seconds before the second try; doubles up to 5"""
    alerts: list[Alert] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def raise_(self, alert: Alert) -> None:
        """Keep an alert and start sending it."""
        self.alerts.append(alert)
        if self.url is not None:
            task = asyncio.get_running_loop().create_task(self._send(alert, self.url))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, alert: Alert, url: str) -> None:
        wait = self.wait
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            while not alert.delivered:
                alert.tries += 1
                try:
                    async with session.post(url, json=alert.body, headers=headers) as response:
                        alert.delivered = 200 <= response.status < 300
                        alert.answer = await response.text()
                        alert.last_problem = "" if alert.delivered else f"HTTP {response.status}"
                except (aiohttp.ClientError, TimeoutError) as problem:
                    alert.last_problem = type(problem).__name__
                if not alert.delivered:
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, 5.0)

    async def delivered(self) -> None:
        """Wait until every alert was heard."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Give up on what is still on its way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
