"""`firsthour tune`: the log, the store and the playbook brought together; what is not known is said to be unknown."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bot.cases import finding as finding_case
from bot.cases import finish, roles
from bot.cases.context import Context
from bot.detection.engine import Engine
from bot.detection.event import Seen
from bot.detection.finding import Finding
from bot.detection.override import WindowOverride
from bot.detection.rule import TriggerRule
from bot.incident.caller import Caller
from bot.incident.errors import Invalid, NotFound
from bot.incident.incident import person
from bot.incident.words import Role
from bot.playbook.examples import told
from bot.store import Store
from bot.tuning import cli
from bot.tuning.report import Report, as_json
from bot.tuning.table import as_text
from bot.tuning.tune import Asked, tune
from bot.watch.read import Fired
from tests.conftest import START, Clock
from tests.opened import context, playbook
from tests.tuning.logged import queries, write

TRIGGER = "bulk_data_extraction"
DAY = 86_400.0
NOW = START.timestamp() + 6 * DAY
BEGIN = START.timestamp()


def command_line() -> typer.Typer:
    app = typer.Typer()
    cli.mount(app)
    return app


def found_in(seen: list[Seen]) -> list[Finding]:
    """What really fired."""
    rule = playbook().triggers[TRIGGER].rule
    return Engine([TriggerRule(TRIGGER, rule)], most_keys=1000).take(seen)


@pytest.fixture
def ctx(sqlite_store: Store) -> Context:
    return context(sqlite_store)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


async def tuned(ctx: Context, folder: Path, *, trigger: str = TRIGGER, days: float = 7, **more: object) -> Report:
    now = START.fromtimestamp(NOW, START.tzinfo)
    return await tune(playbook(), folder, ctx.store, Asked(trigger, days, **more), now)  # type: ignore[arg-type]


def shown(report: Report, width: int = 120) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(as_text(report))
    return captured.get()


async def a_week(ctx: Context, clock: Clock, folder: Path) -> None:
    """Mallory really pulls data; Trudy's load test is marked as a false positive; the batch account was suppressed."""
    loud, quiet, batch = (
        queries("mallory", BEGIN, 140),
        queries("trudy", BEGIN + 4000, 105),
        queries("batch", BEGIN + 8000, 140),
    )
    fired = [*found_in(loud), *found_in(quiet), *found_in(batch)]
    by = {"batch": "suppression 1"}
    write(
        folder,
        began=BEGIN,
        seen=[*loud, *quiet, *batch],
        fired=[Fired(one, by.get(one.subject_id or "")) for one in fired],
    )
    clock.advance(hours=3)
    for one in fired:
        if one.subject_id != "batch":
            await finding_case.report(ctx, [one])
    alice = Caller(person("U0ALICE"), "test-tune")
    await roles.assign(ctx, Caller(person("U0ALICE"), "test-role"), 2, role=Role.COMMANDER, person="U0ALICE")
    await finish.false_positive(ctx, alice, 2, reason="a load test")


async def test_each_threshold_is_shown_with_what_it_would_do_beside_what_really_happened(
    ctx: Context, clock: Clock, folder: Path
) -> None:
    await a_week(ctx, clock, folder)
    made = as_json(await tuned(ctx, folder, thresholds=(104, 105)))
    rows = {row["threshold"]: row for row in made["thresholds"]}
    assert {value: row["would_fire"] for value, row in rows.items()} == {100: 3, 104: 3, 105: 2}
    assert [value for value, row in rows.items() if row["in_force"]] == [100]
    assert (rows[104]["false_positives_again"], rows[105]["false_positives_again"]) == (1, 0)
    assert rows[105]["others_again"] == 1
    assert rows[105]["subjects"][0] == {"kind": "user", "id": "mallory", "app": "chat", "count": 1}
    really = made["really"]
    assert (really["opened"], really["false_positives"], really["suppressed"]) == (2, 1, 1)
    assert (made["setting"], made["in_force"]) == ("more_than", 100)


async def test_for_people_the_threshold_in_force_is_marked_and_the_plot_fits(
    ctx: Context, clock: Clock, folder: Path
) -> None:
    await a_week(ctx, clock, folder)
    text = shown(await tuned(ctx, folder))
    [marked] = [line for line in text.splitlines() if "in force" in line]
    assert "100" in marked and "█" in marked and "1 of 1" in marked
    assert "2 incidents, 1 of them marked as false positives" in text and "1 finding was suppressed" in text
    assert all(len(line) <= 80 for line in shown(await tuned(ctx, folder), width=80).splitlines())


async def test_what_is_before_the_log_is_unknown_and_not_zero(ctx: Context, folder: Path) -> None:
    write(folder, began=NOW - 2 * DAY, seen=queries("mallory", NOW - DAY, 140))
    report = await tuned(ctx, folder, days=8)
    made = as_json(report)
    assert made["log"]["covered"] == 0.25
    assert any("before that it is unknown" in note for note in made["notes"])
    assert any("The last event came at 2026-03-07T09:02:19Z" in note for note in made["notes"])
    assert "25% of this time is in the log" in shown(report)


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir()])
async def test_without_a_log_what_would_have_fired_is_unknown(
    ctx: Context, folder: Path, make: Callable[[Path], None]
) -> None:
    make(folder)
    made = as_json(await tuned(ctx, folder))
    assert {row["would_fire"] for row in made["thresholds"]} == {None} and made["in_force_would_fire"] is None
    assert made["log"] == {"begins": None, "covered": 0.0, "events": 0, "gap_hours": 0.0}
    assert "unknown" in shown(await tuned(ctx, folder))


async def test_without_a_store_what_really_fired_is_unknown(folder: Path, tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'missing.db'}")
    try:
        write(folder, began=BEGIN, seen=queries("mallory", BEGIN, 140))
        report = await tuned(context(store), folder)
    finally:
        await store.close()
    assert not (tmp_path / "missing.db").exists()
    assert as_json(report)["really"] is None and "store could not be read" in shown(report)
    assert as_json(report)["in_force_would_fire"] == 1


async def test_a_trigger_that_is_not_there_is_named_with_the_one_that_was_meant(ctx: Context, folder: Path) -> None:
    with pytest.raises(NotFound, match="Did you mean bulk_data_extraction"):
        await tuned(ctx, folder, trigger="bulk-data-extractoin")
    with pytest.raises(Invalid, match="more_than cannot be"):
        await tuned(ctx, folder, thresholds=(1.5,))
    with pytest.raises(Invalid, match="--days"):
        await tuned(ctx, folder, days=0)


async def test_hostile_ids_reach_no_terminal(ctx: Context, folder: Path) -> None:
    write(folder, began=BEGIN, seen=queries("\x1b]0;owned\x07[red]\u202emallory", BEGIN, 140))
    text = shown(await tuned(ctx, folder))
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text and "[red]" in text


async def test_a_secret_that_was_sent_as_an_id_is_not_shown(ctx: Context, folder: Path) -> None:
    token = "ghp_" + "Ab9Qz1Rt7LmX2pVw8NcKd4Yf6HsJuE1TraEE"
    write(folder, began=BEGIN, seen=queries(token, BEGIN, 140))
    report = await tuned(ctx, folder)
    said = " ".join([*shown(report).split(), json.dumps(as_json(report))])
    assert token[:12] not in said and "[redacted GitHub token" in said


async def test_a_trigger_without_a_threshold_has_one_row(ctx: Context, folder: Path) -> None:
    write(folder, began=BEGIN, seen=queries("mallory", BEGIN, 3))
    made = as_json(await tuned(ctx, folder, trigger="credential_leakage_confirmed"))
    assert [(row["threshold"], row["would_fire"]) for row in made["thresholds"]] == [(None, 0)]


async def test_an_application_with_a_threshold_of_its_own_is_said_to_have_one(ctx: Context, folder: Path) -> None:
    write(folder, began=BEGIN, seen=queries("mallory", BEGIN, 140))
    rule = playbook().triggers[TRIGGER].rule.model_copy(update={"overrides": {"chat": WindowOverride(more_than=500)}})
    trigger = playbook().triggers[TRIGGER].model_copy(update={"rule": rule})
    changed = dataclasses.replace(playbook(), triggers={**playbook().triggers, TRIGGER: trigger})
    now = START.fromtimestamp(NOW, START.tzinfo)
    made = as_json(await tune(changed, folder, ctx.store, Asked(TRIGGER, 7), now))
    assert made["in_force_would_fire"] == 0
    assert {row["threshold"]: row["would_fire"] for row in made["thresholds"]}[100] == 1
    assert any("would fire 0 times" in note for note in made["notes"])
    for_chat = as_json(await tune(changed, folder, ctx.store, Asked(TRIGGER, 7, app="chat"), now))
    assert for_chat["in_force"] == 500


async def test_the_baselines_of_applications_are_replayed_too(ctx: Context, folder: Path) -> None:
    story = list(told(playbook().triggers["behaviour_drift"].examples.fires[0]))
    late = BEGIN - story[0].at  # whole weeks: weekdays stay what they are
    seen = [Seen(event=msgspec.structs.replace(one, occurred_at=one.at + late), arrived=one.at + late) for one in story]
    write(folder, began=seen[0].arrived, seen=seen)
    made = as_json(await tuned(ctx, folder, trigger="behaviour_drift", thresholds=(6, 100)))
    assert {row["threshold"]: row["would_fire"] for row in made["thresholds"]} == {6: 1, 12: 1, 100: 0}
    assert made["thresholds"][0]["subjects"] == [{"kind": "application", "id": "chat", "app": "chat", "count": 1}]
    assert any("three days" in note for note in made["notes"])


def test_the_command_prints_json_and_refuses_in_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    monkeypatch.delenv("FIRSTHOUR_CONFIG", raising=False)
    done = CliRunner().invoke(command_line(), ["tune", TRIGGER, "--threshold", "50", "--json", "--folder", str(folder)])
    assert done.exit_code == 0, done.output
    assert [row["threshold"] for row in json.loads(done.stdout)["thresholds"]] == [50, 100]
    refused = CliRunner().invoke(command_line(), ["tune", "bulk"])
    assert refused.exit_code == 1 and "There is no trigger of this name" in refused.stderr
