"""Row 3 of the bars: 60 alerts at once under Slack's real limits, while people go on typing commands.

The floor is arithmetic: conversations.create takes 20 at once and 20 a minute from then on, so that 60 rooms take 120 s.
Everything else that a room needs (surfaces, pins, topics, announcements) competes under limits of its own.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import httpx

from bot.practice.server import PracticeWorkspace
from tests.benchmarks.stats import high
from tests.process import Bot, running

ALERTS = 60
AT_ONCE, A_MINUTE = 20, 20
FLOOR = (ALERTS - AT_ONCE) / A_MINUTE * 60
ENOUGH = FLOOR * 1.5
"""Seconds until the run is given up."""
SETTLED = 1.0
"""Seconds in which an accepted alert may be overtaken: by the rooms that are being made when it comes."""
SURFACES = 3


class Sent(NamedTuple):
    incident: str
    severity: int
    accepted: float


async def measure() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            PracticeWorkspace(limits=True) as workspace,
            running(workspace, f"sqlite:///{folder}/bench.db", Path(folder) / "log") as bot,
            httpx.AsyncClient(timeout=60) as http,
        ):
            began = time.time()
            typing = asyncio.create_task(_type(workspace))
            sent = await asyncio.gather(*(_alert(bot, http, number) for number in range(ALERTS)))
            accepted = time.time() - began
            await workspace.until(lambda: len(_rooms(workspace)) >= ALERTS, timeout=ENOUGH)
            opened = time.time() - began
            await workspace.until(lambda: _readable(workspace), timeout=30)
            readable = time.time() - began
            await workspace.until(lambda: _announced(workspace), timeout=ENOUGH)
            announced = time.time() - began
            await typing
    refused = Counter(call.method for call in workspace.record.calls() if call.error == "ratelimited")
    acks = [ack.seconds * 1000 for ack in workspace.record.acks if "command" in ack_payload(workspace, ack.envelope_id)]
    return [
        f"all answered with 202          {accepted:6.1f} s",
        f"all rooms open                 {opened:6.1f} s   {opened / FLOOR:.3f} × the floor of {FLOOR:.0f} s   (bar 1.05 ×)",
        f"all three surfaces readable    {readable:6.1f} s   {readable / FLOOR:.3f} ×",
        f"all announced                  {announced:6.1f} s",
        f"opened before a more severe    {_violations(workspace, sent)}   (bar 0)",
        f"rate-limit answers             {sum(refused.values())} {dict(refused) or ''}   (bar 5)",
        f"lost {_lost(workspace, sent)}, doubled {_doubled(workspace)}   (bar 0, 0)",
        f"acks of {len(acks)} slash commands      p50 {high(acks, 50):.1f}  p99 {high(acks, 99):.1f}  max {max(acks):.1f} ms",
    ]


async def _alert(bot: Bot, http: httpx.AsyncClient, number: int) -> Sent:
    severity = number % 4 + 1
    about = {"subject": {"kind": "user", "id": f"burst-{number}"}, "app": f"app-{number}", "severity": severity}
    answer = await bot.alert(http, title=f"Burst {number}", **about)
    return Sent(answer["incident"], severity, time.time())


async def _type(workspace: PracticeWorkspace) -> None:
    for _ in range(ALERTS):
        await workspace.person("alice").slash("general", "/incident list")
        await asyncio.sleep(1)


def ack_payload(workspace: PracticeWorkspace, envelope_id: str) -> dict[str, object]:
    return workspace.record.envelope(envelope_id).payload


def _rooms(workspace: PracticeWorkspace) -> dict[int, list[str]]:
    rooms: dict[int, list[str]] = {}
    for channel in workspace.channels():
        if channel.name.startswith("inc-"):
            rooms.setdefault(int(channel.name[4:8]), []).append(channel.name)
    return rooms


def _keys(workspace: PracticeWorkspace) -> Counter[str]:
    """How often the message of each intent was posted."""
    payloads = [
        (message.metadata or {}).get("event_payload", {})
        for channel in workspace.channels()
        for message in workspace.messages(channel)
    ]
    return Counter(payload["key"] for payload in payloads if "key" in payload)


def _readable(workspace: PracticeWorkspace) -> bool:
    kinds = [key.split(":")[2] for key in _keys(workspace) if key.startswith("show:")]
    return sum(kind in {"card", "panel", "checklist"} for kind in kinds) >= ALERTS * SURFACES


def _announced(workspace: PracticeWorkspace) -> bool:
    return sum(":announcement:" in key for key in _keys(workspace)) >= ALERTS


def _violations(workspace: PracticeWorkspace, sent: list[Sent]) -> int:
    """Rooms that were made although a more severe alert had been accepted and had no room yet."""
    made = {
        int(call.args["name"][4:8]): call.started for call in workspace.record.calls("conversations.create") if call.ok
    }
    at = {alert: made.get(int(alert.incident[4:]), 0.0) for alert in sent}
    return sum(
        any(worse.severity < one.severity and worse.accepted + SETTLED < at[one] < at[worse] for worse in sent)
        for one in sent
    )


def _lost(workspace: PracticeWorkspace, sent: list[Sent]) -> int:
    keys, rooms = _keys(workspace), _rooms(workspace)
    numbers = {int(alert.incident[4:]) for alert in sent}
    wanted = [f"show:{number}:{surface}" for number in numbers for surface in ("card:", "panel:", "checklist:triage")]
    return (ALERTS - len(numbers)) + len(numbers - rooms.keys()) + sum(key not in keys for key in wanted)


def _doubled(workspace: PracticeWorkspace) -> int:
    rooms = sum(len(names) - 1 for names in _rooms(workspace).values())
    return rooms + sum(count - 1 for count in _keys(workspace).values())
