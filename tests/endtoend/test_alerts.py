"""What the outside may send: refused where it must be, counted once where it repeats, shown and never obeyed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.practice.state import Channel

from .conftest import Scene

MIB = 1024 * 1024
PEOPLE = ("alice", "bob", "carol", "dave", "erin", "frank", "gina")
HOSTILE = {
    "mention of everybody": "Look <!channel> <!here> <!everyone> @channel now",
    "mention of a person": "Ask <@U0BOB> or <!subteam^S00000001>",
    "link in disguise": "<http://evil.example/x|Approve> and https://evil.example/y www.evil.example",
    "formatting": "*Approved* by _Alice_ ~no~ `code` ```block``` > quoted :white_check_mark:",
    "right to left": "total \u202egnp.exe\u202c and \u2066isolated\u2069",
    "zero width": "cre\u200bden\u200dtial\ufeff \u00ad\u2060",
    "tags": "hidden \U000e0041\U000e0042",
    "control": "bell \x07 escape \x1b[31m tab\tnew\nline",
    "entities": "&lt;!channel&gt; &amp;lt;",
}


@pytest.mark.parametrize("token", ["wrong", ""])
async def test_a_wrong_token_changes_nothing(scene: Scene, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"trigger": "credential_leakage_confirmed", "title": "x"}
    refused = await scene.http.post(f"http://127.0.0.1:{scene.house.port}/alerts", json=body, headers=headers)
    assert refused.status_code == 401
    assert (await scene.post()).json()["incident"] == "INC-1", "the refused alert took no number"


async def test_what_cannot_be_an_alert_is_refused_in_words(scene: Scene) -> None:
    title = {"trigger": "credential_leakage_confirmed", "title": "x"}
    for request, status, words in (
        ({"content": b"x" * (MIB + 1)}, 413, "larger than 1 MiB"),
        ({"content": _stream(b"x" * 65536, 17)}, 413, "larger than 1 MiB"),
        ({"content": b'{"trigger": '}, 400, "not JSON"),
        ({"content": b'"\xc3("'}, 400, "not UTF-8"),
        ({"json": {**title, "trigger": "credential_leak_confirmed"}}, 422, "credential_leakage_confirmed"),
        ({"json": {**title, "severity": 9}}, 422, "severity"),
        ({"json": {**title, "channel": "general"}}, 422, "channel"),
        ({"json": []}, 422, "error"),
    ):
        refused = await scene.send(**request)  # type: ignore[arg-type]
        assert refused.status_code == status and words in refused.text, (request, refused.text)
    assert (await scene.post()).json()["incident"] == "INC-1"


async def _stream(piece: bytes, times: int) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(times):
        yield piece


async def test_the_same_alert_fifty_times_at_once_is_one_incident_with_one_room(scene: Scene) -> None:
    alert = {"external_id": "storm-1"}
    answers = await asyncio.gather(*(scene.post(**alert) for _ in range(50)))
    said = [answer.json() for answer in answers]
    assert {one["incident"] for one in said} == {"INC-1"}
    assert sorted(one["status"] for one in said) == ["opened"] + ["repeated"] * 49
    await scene.room(1)
    await scene.quiet()
    assert len(scene.rooms(1)) == 1 and (await scene.file()).incident.alert_count == 1


async def test_fifty_alerts_about_the_same_thing_at_once_attach_to_one_incident(scene: Scene) -> None:
    answers = await asyncio.gather(*(scene.post(external_id=f"storm-{n}") for n in range(50)))
    statuses = sorted(answer.json()["status"] for answer in answers)
    assert statuses == ["attached"] * 49 + ["opened"]
    room = await scene.room(1)
    await scene.shows(room, "card", "*Alerts*\n50")
    await scene.quiet()
    assert [len(scene.rooms(number)) for number in (1, 2)] == [1, 0]
    assert len(scene.workspace.messages(room)) == 3


async def test_hostile_text_is_shown_and_never_obeyed(scene: Scene) -> None:
    title = " ".join(HOSTILE.values())
    hostile = {"title": title, "summary": title, "evidence": [{"name": title[:200], "text": title}]}
    for fields in (hostile, {"subject": {"kind": "user", "id": "<!channel> <http://evil.example|Join>"}, **hostile}):
        room = await scene.opened(**fields)
        number = int(room.name[4:8])
        await scene.press(scene.alice, room, "take_command")
        await scene.shows(room, "card", "Incident commander:")
        await scene.asks(scene.alice, "timeline", "entries", room)
        await scene.asks(scene.alice, "status", "Trigger", room)
        await scene.asks(scene.alice, "contain list", "proposed by", room)
        await scene.asks(scene.alice, f"note {title[:900]}", f"on the timeline of INC-{number}", room)
        await scene.asks(scene.alice, f"update {title[:900]}", f"The update on INC-{number} is out", room)
        await scene.until(lambda room=room: "evil" in _announced(scene, room))
    _inert(scene)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_line_of_a_person_is_answered_inertly(scene: Scene, name: str) -> None:
    text = HOSTILE[name]
    for line in (text, f"declare sev4 {text}", f"sev {text}", f"contain propose {text}", f"ack {text}"):
        before = len(scene.alice.ephemerals())
        await scene.alice.slash("general", f"/incident {line}")
        await scene.until(lambda before=before: len(scene.alice.ephemerals()) > before)
    _inert(scene)


@pytest.mark.parametrize(
    "title", ["💥🔥 泄露的凭证 🚨", "泄露了", "𝕿𝖍𝖊 𝕭𝖔𝖙", "---", "x" * 10_000, "#general", "\u202e\u200b\u200b\u200b"]
)
async def test_any_title_opens_a_room_with_a_name_that_slack_takes(scene: Scene, title: str) -> None:
    await scene.alice.slash("general", f"/incident declare sev2 {title[:2900]}")
    room = await scene.until(lambda: next((one for one in scene.rooms(1) if scene.alice.id in one.members), None))
    await scene.until(lambda: len(scene.workspace.messages(room)) >= 3)
    assert len(room.name) <= 80
    assert (await scene.post(title=title)).status_code == 202
    await scene.room(2)
    _inert(scene)


def _announced(scene: Scene, room: Channel) -> str:
    number = int(room.name[4:8])
    keyed = [m for m in scene.workspace.messages("incidents") if m.plain().find(f"INC-{number} ") >= 0]
    return keyed[0].plain() if keyed else ""


def _inert(scene: Scene) -> None:
    """Nothing in any message mentions somebody whom Firsthour did not mean, or leads anywhere; nor does any version of it."""
    meant = {f"<@{scene.person(name).id}>" for name in PEOPLE} - {"<@U0BOB>"}
    assert scene.everything_said()
    for message in scene.everything_said():
        live = message.live()
        assert set(live.mentions) <= meant, message.text
        assert not live.links and not live.autolinks and "evil" not in "".join(live.channels), message.text
        hidden = {"\u202e", "\u200b", "\u200d", "\u2066", "\ufeff", "\x07", "\x1b", "\u00ad"} & set(
            message.plain() + message.text
        )
        assert not hidden, (hidden, message.text)
