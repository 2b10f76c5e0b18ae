"""Alertmanager from Debian, telling the whole bot over its real webhook: what opens, what is the same, what ends nothing."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bot.incident.timeline import Happened
from bot.incident.words import Status
from bot.store import queries
from tests.endtoend.conftest import Scene, arranged
from tests.integration.laboratory import Laboratory
from tests.integration.systems import alertmanager

ORGANISATION = "roster: {on_call: {people: [U0ALICE]}}"
LABELS = {"alertname": "LLMCanaryLeak", "severity": "critical", "service": "chat", "user": "mallory"}


async def fire(url: str, *, ends: datetime | None = None, **labels: str) -> None:
    """As Prometheus tells Alertmanager."""
    alert: dict[str, Any] = {"labels": LABELS | labels, "annotations": {"summary": "A canary was in an answer"}}
    if ends is not None:
        alert["endsAt"] = ends.isoformat()
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{url}/api/v2/alerts", json=[alert])).raise_for_status()


async def told(scene: Scene, status: str) -> float:
    """How many alerts of Alertmanager the bot has answered so, by its own metrics."""
    metrics = (await scene.http.get(f"http://127.0.0.1:{scene.house.port}/metrics")).text
    wanted = [line for line in metrics.splitlines() if 'source="alertmanager"' in line and f'"{status}"' in line]
    return sum(float(line.split()[-1]) for line in wanted if "_created" not in line)


async def until_told(scene: Scene, status: str, times: int = 1) -> None:
    async def not_yet() -> bool:
        return await told(scene, status) < times

    await scene.while_(not_yet)


async def fewer_notes(scene: Scene, wanted: int) -> bool:
    """Whether Alertmanager has noted less often that it considers an alert over."""
    async with scene.house.store.read() as session:
        entries = await queries.timeline(session, 1)
    return sum(entry.kind is Happened.NOTE and entry.actor == "alertmanager" for entry in entries) < wanted


async def test_an_alert_opens_one_incident_its_repetitions_change_nothing_and_its_end_does_not_end_it(
    laboratory: Laboratory, tmp_path: Path
) -> None:
    async with arranged(tmp_path, ORGANISATION) as scene:
        webhook = f"http://127.0.0.1:{scene.house.port}/alerts/alertmanager"
        running = functools.partial(alertmanager.running, webhook=webhook, token=scene.token)
        with laboratory.start("alertmanager", running) as system:
            await fire(system.url)
            room = await scene.room(1)
            await until_told(scene, "repeated", 2)
            await fire(system.url, instance="a-second-one")
            await until_told(scene, "attached")
            await scene.shows(room, "card", "*Alerts*\n2")
            now = datetime.now(UTC)
            for labels in ({}, {"instance": "a-second-one"}):
                await fire(system.url, ends=now - timedelta(seconds=1), **labels)
            await until_told(scene, "over", 2)
        file = await scene.file()
        assert file.incident.status is Status.OPEN and file.incident.subject_id == "mallory"
        assert file.incident.alert_count == 2
        assert scene.rooms(2) == []


async def test_a_wrong_token_opens_nothing(laboratory: Laboratory, tmp_path: Path) -> None:
    async with arranged(tmp_path, ORGANISATION) as scene:
        webhook = f"http://127.0.0.1:{scene.house.port}/alerts/alertmanager"
        with laboratory.start(
            "alertmanager", functools.partial(alertmanager.running, webhook=webhook, token="wrong")
        ) as it:
            await fire(it.url)

            async def not_refused() -> bool:
                async with httpx.AsyncClient(trust_env=False) as client:
                    failed = "alertmanager_notification_requests_failed_total{"
                    lines = (await client.get(f"{it.url}/metrics")).text.splitlines()
                return not any(line.startswith(failed) and float(line.split()[-1]) > 0 for line in lines)

            await scene.while_(not_refused)
        assert (await scene.post()).json() == {"incident": "INC-1", "status": "opened"}
