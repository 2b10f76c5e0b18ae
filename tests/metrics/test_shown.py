"""What people see of metrics: the table, the picture, the export. Nothing invented, nothing obeyed, everything readable."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.incident.errors import Refused
from bot.incident.words import EvidenceKind, Severity, Status
from bot.metrics import colours, drawing
from bot.metrics.export import COLUMNS, as_csv, as_json, exported
from bot.metrics.form import Form
from bot.metrics.picture import sketch
from bot.metrics.report import Report
from bot.metrics.sketch import FEW, Panel, pack, unpack
from bot.metrics.span import moment, span
from bot.metrics.summary import By
from bot.metrics.table import MOST_ROWS, lines, table
from bot.metrics.words import ALT_CHARS, described, inert
from tests.conftest import START
from tests.measurable import row
from tests.metrics.test_summary import NOW, RESPOND, contained, summed

HOSTILE = "<!channel> $\\frac{x}$ \u202e*b*\n=1+1"


def some() -> Report:
    """Eight incidents of two months with one between: three severities, one unknown, one running, one false positive."""
    later = START + timedelta(days=62)
    found = [
        *(
            contained(n, 30 * n, trigger="canary", severity=Severity(n % 2 + 1), acknowledged_at=START)
            for n in range(1, 6)
        ),
        contained(6, 90, declared_at=later, trigger=HOSTILE),
        row(7, declared_at=later, severity=Severity.SEV3, detected_at=later),
        contained(8, 1, status=Status.FALSE_POSITIVE),
    ]
    told = {n: START + timedelta(minutes=2) for n in range(1, 4)}
    return summed(
        found, told=told, kept={n: [EvidenceKind.LOGS, EvidenceKind.MODEL_STATE][: n % 3] for n in range(1, 7)}
    )


def by(group: By) -> Report:
    return summed([*(contained(n, n, trigger=HOSTILE, severity=Severity(n % 4 + 1)) for n in range(6))], group)


def test_the_table_shows_what_is_known_and_a_dash_for_what_is_not(snapshot: SnapshotAssertion) -> None:
    assert [table(some()).head, *table(some()).rows] == snapshot
    assert lines(some()) == snapshot


def test_a_grouped_table_has_a_line_for_each_group_and_one_for_all(snapshot: SnapshotAssertion) -> None:
    report = by(By.SEVERITY)
    assert [table(report).head, *table(report).rows] == snapshot


def test_a_table_of_many_groups_keeps_those_that_matter_and_says_how_many_are_left_out() -> None:
    many = [contained(n, 1, trigger=f"t{n % 60}") for n in range(120)]
    triggers = table(summed(many, By.TRIGGER))
    assert (len(triggers.rows), triggers.left_out) == (MOST_ROWS + 1, 20)
    months = [contained(n, 1, declared_at=START + timedelta(days=31 * n)) for n in range(50)]
    assert table(summed(months, By.MONTH)).rows[-2][0] == f"{months[-1].declared_at:%Y-%m}", "the latest"


def test_hostile_names_are_one_inert_line() -> None:
    label = table(by(By.TRIGGER)).rows[0][0]
    assert label == inert(HOSTILE) and "\n" not in label and "\u202e" not in label and len(label) <= 30


def panel(report: Report, title: str) -> Panel:
    return next(one for one in sketch(report, RESPOND).panels if one.title.startswith(title))


def test_few_values_are_drawn_each_and_a_month_without_any_is_a_gap() -> None:
    first, gap, last = panel(some(), "Time to contain").points
    assert (first.n, first.values, first.p50, first.p90) == (5, (), 5400.0, 8280.0) and FEW == 5
    assert (gap.n, gap.values, gap.p50) == (0, (), None)
    assert (last.n, last.values, last.p50) == (1, (5400.0,), None)


def test_a_target_is_drawn_where_it_holds() -> None:
    points = panel(by(By.SEVERITY), "Time to contain").points
    assert [one.target for one in points] == [4 * 3600.0, None, None, None]
    answers = panel(by(By.SEVERITY), "Time to acknowledge")
    assert [one.target for one in answers.points] == [None] * 4, "nothing is known, so nothing is held against it"
    assert panel(some(), "Time to contain").target == 4 * 3600.0


def test_part_of_a_month_is_marked() -> None:
    labels = sketch(some(), RESPOND).labels
    assert labels == ("Mar\n2026", "Apr", "May")
    begins = datetime(2026, 3, 2, tzinfo=UTC)
    partial = Report(**{**vars(some()), "since": begins, "until": begins + timedelta(days=70)})
    assert sketch(partial, RESPOND).labels == ("Mar*\n2026", "Apr", "May*")


def test_a_sketch_travels_unchanged() -> None:
    wanted = sketch(some(), RESPOND)
    assert unpack(pack(wanted)) == wanted


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


SLACK_LIGHT, SLACK_DARK = "#ffffff", "#1a1d21"


def test_what_is_written_and_drawn_stands_out_by_the_rules_of_wcag() -> None:
    assert all(contrast(colour, colours.PAPER) >= 4.5 for colour in colours.READ)
    assert all(contrast(colour, colours.PAPER) >= 3 for colour in colours.DRAWN)
    assert all(contrast(colours.FRAME, theme) >= 3 for theme in (SLACK_LIGHT, SLACK_DARK))


async def test_the_picture_is_a_png_that_no_name_can_break() -> None:
    png = await drawing.drawn(sketch(by(By.TRIGGER), RESPOND))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert 1000 <= width <= 2000 and 800 <= height <= 2000 and len(png) < 1_000_000


async def test_a_picture_that_cannot_be_drawn_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "pack", lambda _: b"no sketch")
    with pytest.raises(Refused, match="could not be drawn"):
        await drawing.drawn(sketch(some(), RESPOND))


async def test_what_draws_ends_with_whoever_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[asyncio.subprocess.Process] = []
    create = asyncio.create_subprocess_exec

    async def seen(*words: str, **more: object) -> asyncio.subprocess.Process:
        begun.append(await create(*words, **more))  # type: ignore[arg-type]
        return begun[-1]

    monkeypatch.setattr(drawing.asyncio, "create_subprocess_exec", seen)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await drawing.drawn(sketch(some(), RESPOND))
    assert all(one.returncode is not None for one in begun)


async def test_no_token_reaches_what_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An interpreter that answers with what it was told."""
    told = tmp_path / "python"
    told.write_text("#!/bin/sh\ncat > /dev/null\nenv\n")
    told.chmod(0o700)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    monkeypatch.setattr(drawing.sys, "executable", str(told))
    environment = (await drawing.drawn(sketch(some(), RESPOND))).decode()
    assert "PATH=" in environment and "SLACK" not in environment


def test_the_bot_itself_never_loads_what_draws() -> None:
    code = "import sys, bot.app; sys.exit(any(name in sys.modules for name in ('matplotlib', 'numpy', 'PIL')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_picture_has_words_for_those_who_do_not_see_it() -> None:
    told = described(some())
    assert told.startswith(
        "Charts of 7 incidents measured, 1 of them running; 1 false positive and 0 duplicates not measured."
    )
    assert "Time to contain: median 1 h 30 min, n 6" in told and "Time to detect: not known" in told
    assert len(told) <= ALT_CHARS


def test_the_csv_has_a_row_for_each_incident_and_metric_and_no_formula() -> None:
    found = [row(1, trigger="=HYPERLINK(1)", detected_at=START), contained(2, 3, status=Status.DUPLICATE)]
    rows = list(csv.DictReader(io.StringIO(as_csv(summed(found)))))
    assert tuple(rows[0]) == COLUMNS
    mine = [one for one in rows if one["incident"] == "INC-1"]
    assert [one["metric"] for one in mine] == [metric.id for metric in some().metrics]
    assert mine[0]["trigger"] == "'=HYPERLINK(1)"
    assert (mine[0]["value"], mine[0]["outcome"]) == ("", "unknown"), "not zero"
    [other] = [one for one in rows if one["incident"] == "INC-2"]
    assert (other["metric"], other["outcome"], other["why"]) == ("", "not_measured", "duplicate")


def test_the_json_holds_every_group_every_incident_and_how_percentiles_are_made() -> None:
    told = as_json(some(), NOW)
    assert json.loads(exported(some(), Form.JSON, NOW)) == told
    contain = told["all"]["metrics"]["time_to_contain"]
    assert (contain["n"], contain["p50"], contain["running"], contain["unit"]) == (6, 5400.0, 1, "seconds")
    assert [one["label"] for one in told["by_month"]] == ["2026-03", "2026-04", "2026-05"]
    assert told["by_month"][1]["metrics"]["time_to_contain"]["p50"] is None
    assert len(told["incidents"]) == 8 and told["drills"] == "not included"
    assert "linear interpolation" in told["percentiles"]


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("90d", NOW - timedelta(days=90)),
        (" 2W ", NOW - timedelta(days=14)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00+02:00", datetime(2025, 12, 31, 22, tzinfo=UTC)),
        ("2026-01-01T00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_span_is_written_as_people_write_it(text: str, begins: datetime) -> None:
    assert moment(text, NOW) == begins


@pytest.mark.parametrize("text", ["", "soon", "0d", "9999d", "-5d", "1800-01-01", "٣d", "9999-99-99", "90"])
def test_what_is_no_span_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is (not a span of time|too long ago)\. Write how far back"):
        moment(text, NOW)


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="not before"):
        span("2027-01-01", "2026-01-01", NOW)
