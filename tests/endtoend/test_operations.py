"""What whoever runs Firsthour relies on: metrics, readiness, resync, and the doctor noticing a second deployment."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sqlmodel import select
from structlog.testing import capture_logs
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.app import Firsthour
from bot.doctor import Finding, examine, show_again
from bot.environment import read_settings
from bot.incident.errors import Misconfigured, NotFound
from bot.incident.outward import Intent, IntentKind, IntentState
from bot.slack import sockets as sockets_module
from bot.store import Store

from .conftest import PATIENCE, Scene


def environment(scene: Scene, database_url: str | None = None) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": scene.workspace.bot_token,
        "SLACK_APP_TOKEN": scene.workspace.app_token,
        "SLACK_API_URL": scene.workspace.api_url,
        "DATABASE_URL": database_url or scene.house.settings.database_url,
        "FIRSTHOUR_HTTP": "127.0.0.1:0",
        "FIRSTHOUR_INGEST_TOKEN": "token-of-the-other",
    }


async def metrics(scene: Scene) -> dict[str, float]:
    text = (await scene.http.get(f"http://127.0.0.1:{scene.house.port}/metrics")).text
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


async def test_what_happens_is_counted(scene: Scene) -> None:
    scene.workspace.faults.add(method="chat.postMessage", kind="ratelimited", retry_after=1, times=1)
    scene.workspace.faults.add(method="pins.add", kind="error", error="not_pinnable", times=1)
    scene.workspace.faults.add(method="conversations.setTopic", kind="status", status=500, times=1)
    room = await scene.opened()
    await scene.press(scene.alice, room, "acknowledge")
    await scene.told(scene.alice, "You acknowledged INC-1")
    await scene.shown(room, "pin it by hand")
    await scene.until(lambda: room.topic)
    found = await metrics(scene)
    calls = 'firsthour_slack_calls_total{method="%s",outcome="%s"}'
    for method, outcome in (
        ("conversations.create", "ok"), ("chat.postMessage", "limited"), ("pins.add", "refused"),
        ("conversations.setTopic", "error"), ("users.info", "ok"), ("auth.test", "ok"), ("apps.connections.open", "ok"),
    ):  # fmt: skip
        assert found.get(calls % (method, outcome), 0) >= 1, (method, outcome)
    assert found['firsthour_slack_rate_limited_total{method="chat.postMessage"}'] == 1
    assert found["firsthour_ack_seconds_count"] >= 1
    assert found['firsthour_ack_seconds_bucket{le="1.0"}'] == found["firsthour_ack_seconds_count"]
    assert found['firsthour_gave_up_total{kind="pin"}'] == 1
    assert found["firsthour_socket_connections"] == 2
    assert found['firsthour_open_incidents{severity="SEV-1"}'] == 1
    assert found["firsthour_oldest_due_intent_seconds"] < PATIENCE


async def test_reconnects_are_counted(scene: Scene) -> None:
    await scene.workspace.abort_sockets()
    await scene.until(lambda: scene.house.sockets is not None and scene.house.sockets.reconnects >= 2)
    assert (await metrics(scene))["firsthour_socket_reconnects_total"] >= 2


async def readiness(scene: Scene) -> tuple[int, list[str]]:
    answer = await scene.http.get(f"http://127.0.0.1:{scene.house.port}/readyz")
    return answer.status_code, answer.json()["reasons"]


async def test_a_lost_socket_makes_it_unready_only_after_half_a_minute(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = scene.house.sockets
    assert sockets is not None
    scene.workspace.refuse_connections(1_000)
    await scene.workspace.abort_sockets()
    await scene.until(lambda: sockets.down_for > 0)
    assert await readiness(scene) == (200, [])
    real = sockets_module.time.monotonic
    monkeypatch.setattr(sockets_module.time, "monotonic", lambda: real() + 31)
    status, [reason] = await readiness(scene)
    assert status == 503 and reason.startswith("no connection to Slack for 3")
    monkeypatch.setattr(sockets_module.time, "monotonic", real)
    scene.workspace.refuse_connections(0)
    await scene.workspace.until(lambda: sockets.connected == 2, timeout=60)  # an address is tried for 15 s
    assert sockets.down_for == 0


async def test_everything_of_an_incident_is_shown_again_while_the_bot_runs(scene: Scene) -> None:
    room = await scene.opened()
    card = scene.surface(room, "card")
    assert card is not None
    card.deleted = True
    count = await show_again(1, environment(scene))
    assert count >= 4
    await scene.until(lambda: (found := scene.surface(room, "card")) is not None and found.ts != card.ts)


async def test_a_resync_of_no_such_incident_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    await scene.opened()
    with pytest.raises(NotFound, match="There is no INC-99"):
        await show_again(99, environment(scene))
    with pytest.raises(Misconfigured, match="not there yet"):
        await show_again(1, environment(scene, f"sqlite:///{tmp_path}/nothing.db"))
    assert not (tmp_path / "nothing.db").exists()


def test_the_command_line_refuses_what_names_no_incident(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    unknown = CliRunner().invoke(command_line, ["doctor", "--resync", "INC-7"])
    assert unknown.exit_code == 1 and "There is no INC-7" in unknown.output
    nonsense = CliRunner().invoke(command_line, ["doctor", "--resync", "seven"])
    assert nonsense.exit_code == 2 and "for example INC-1" in nonsense.output


# Two deployments


async def finding(env: dict[str, str]) -> Finding:
    return {found.name: found async for found in examine(env)}["other deployments"]


@contextlib.asynccontextmanager
async def second_house(scene: Scene, tmp_path: Path) -> AsyncIterator[Firsthour]:
    env = environment(scene, f"sqlite:///{tmp_path}/second.db")
    house = Firsthour(read_settings(env), env=env)
    await house.start()
    try:
        yield house
    finally:
        await house.stop()


async def settled(store: Store) -> None:
    waiting = select(Intent.id).where(Intent.kind == IntentKind.SHOW, Intent.state != IntentState.DONE)
    async with asyncio.timeout(PATIENCE):
        while True:
            async with store.read() as session:
                if (await session.exec(waiting)).first() is None:
                    return
            await asyncio.sleep(0.05)


async def test_the_doctor_notices_another_deployment_with_the_same_tokens(scene: Scene, tmp_path: Path) -> None:
    await scene.opened()
    await scene.until(lambda: scene.surface("incidents", "announcement"))
    alone = await finding(environment(scene))
    assert alone.well and alone.detail == "none among 1 announcements"
    async with second_house(scene, tmp_path) as house:
        url, headers = f"http://127.0.0.1:{house.port}/alerts", {"Authorization": "Bearer token-of-the-other"}
        body = {"trigger": "jailbreak_success", "title": "Another"}
        assert (await scene.http.post(url, json=body, headers=headers)).status_code == 202
        await settled(house.store)
        announced = [m for m in scene.workspace.messages("incidents") if m.by_app]
        assert len(announced) == 2, "the other's message is never taken for ours, though it has the same key"
    found = await finding(environment(scene))
    assert not found.well
    assert found.detail.startswith("1 announcements are not of this store (deployment ") and "INC-1" in found.detail
    assert "an app of its own" in found.mend and "DATABASE_URL" in found.mend


async def test_a_message_without_a_deployment_is_foreign_where_its_incident_is_not_here(scene: Scene) -> None:
    await scene.opened()
    await scene.until(lambda: scene.surface("incidents", "announcement"))
    message = scene.surface("incidents", "announcement")
    assert message is not None
    for key, well in (("show:1:announcement:", True), ("show:44:announcement:", False)):
        message.metadata = {"event_type": "firsthour_intent", "event_payload": {"key": key}}
        assert (await finding(environment(scene))).well is well


async def test_an_uncertain_post_never_adopts_a_message_of_another_deployment(scene: Scene) -> None:
    await scene.opened()
    ours = await scene.until(lambda: scene.surface("incidents", "announcement"))
    assert ours.metadata is not None
    ours.metadata["event_payload"]["deployment"] = "somebody-else"
    async with scene.house.store.unit() as unit:
        from bot.incident.outward import Surface, SurfaceKind

        surface = (await unit.session.exec(select(Surface).where(Surface.kind == SurfaceKind.ANNOUNCEMENT))).one()
        surface.ts, surface.digest = None, None
        intent = (await unit.session.exec(select(Intent).where(Intent.key == "show:1:announcement:"))).one()
        intent.state, intent.uncertain = IntentState.PENDING, True
    await scene.until(lambda: len([m for m in scene.workspace.messages("incidents") if m.by_app]) == 2)


async def test_a_log_line_of_an_intent_names_the_intent_and_the_incident(scene: Scene) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with capture_logs() as lines:
        await scene.opened()
    settled = [line for line in lines if line["event"] == "intent.settled"]
    assert {"intent": "open_room:1", "incident": 1}.items() <= settled[0].items()
    assert all(line["incident"] == 1 and line["intent"] for line in settled)
