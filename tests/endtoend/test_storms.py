"""A burst of alerts about sixty users: three rooms and a count, and one line for stakeholders that is kept up to date."""

from __future__ import annotations

import asyncio

from .conftest import Scene, key_of


async def test_sixty_subjects_open_three_rooms_and_one_of_them_counts(scene: Scene) -> None:
    alerts = [scene.post(subject={"kind": "user", "id": f"user-{n}"}, external_id=f"s{n}") for n in range(60)]
    answers = await asyncio.gather(*alerts)
    statuses = [answer.json()["status"] for answer in answers]
    assert (statuses.count("opened"), statuses.count("attached")) == (3, 57)
    other = await scene.post(trigger="jailbreak_success", subject={"kind": "user", "id": "user-1"})
    assert other.json() == {"incident": "INC-4", "status": "opened"}
    room = await scene.room(1)
    await scene.shows(room, "card", "alerts about *57* other subjects are gathered here")
    await scene.shown(room, "A storm: “Credential leak confirmed”")
    await scene.until(lambda: "58 in all" in str(_line(scene, 1)))
    await scene.until(lambda: "About the same: INC-2 (SEV-1, open), INC-3 (SEV-1, open)." in str(_line(scene, 1)))
    await scene.until(lambda: _line(scene, 4))
    await scene.until(lambda: scene.rooms(4))
    opened = [one.name[:8] for one in scene.workspace.channels() if one.name.startswith("inc-")]
    assert sorted(opened) == ["inc-0001", "inc-0002", "inc-0003", "inc-0004"]
    await scene.press(scene.alice, room, "acknowledge")
    await scene.shows(room, "card", "acknowledged")
    lines = [key_of(m) for m in scene.workspace.messages("incidents")]
    assert sorted(lines) == ["show:1:announcement:", "show:4:announcement:"]


def _line(scene: Scene, number: int) -> str | None:
    """What stakeholders read of an incident."""
    found = [m for m in scene.workspace.messages("incidents") if key_of(m) == f"show:{number}:announcement:"]
    return found[0].plain() if found else None
