"""`firsthour export --metrics`, as it is typed."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.__main__ import app as command_line
from bot.store import Store
from tests import opened as case


@pytest.fixture
def incident(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)

    async def opened() -> None:
        store = Store(sqlite_url)
        try:
            await case.opened(case.context(store))
        finally:
            await store.close()

    asyncio.run(opened())


def typed(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(command_line, ["export", *words])
    return result.exit_code, result.output


@pytest.mark.usefixtures("incident")
def test_metrics_are_written_for_their_owner_alone_or_printed(tmp_path: Path) -> None:
    out = tmp_path / "metrics.csv"
    assert typed("--metrics", "csv", "--out", str(out)) == (0, f"{out} is written.\n")
    assert out.stat().st_mode & 0o077 == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert {row["incident"] for row in rows} == {"INC-1"} and len(rows) == len(case.playbook().metrics)
    code, printed = typed("--metrics", "json", "--since", "2w", "--until", "2999-01-01")
    assert code == 0 and json.loads(printed)["all"]["incidents"] == 1


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize("what", [["--metrics", "csv"], ["--table", "items"], ["INC-1", "--json"], ["INC-1"]])
def test_where_nothing_can_be_written_one_line_says_so(what: list[str], tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "file"
    code, output = typed(*what, "--out", str(nowhere))
    assert code == 1 and output.startswith(f"{nowhere} cannot be written: No such file or directory.")
    assert len(output.splitlines()) == 1


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--metrics", "csv", "--since", "soon"], "is not a span of time"),
        (["--metrics", "csv", "--since", "1d", "--until", "2020-01-01"], "is not before"),
        ([], "Name the incident, or ask for metrics"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_an_example(words: list[str], told: str) -> None:
    code, output = typed(*words)
    assert code == 1 and told in output and "firsthour export" in output
