"""`firsthour events tail`: what came in and what fired, from the files alone, and nothing that a terminal would obey."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.detection.event import Event, Kind, Mark, MarkKind, Outcome, Seen, Signal, Stage, Tool, Verdict
from bot.detection.finding import Finding
from bot.detection.rule import TriggerRule
from bot.tuning import cli
from bot.tuning.tail import Line, Readers, Wanted, as_data, in_words, tail
from bot.watch.frames import FrameKind, framed
from bot.watch.read import Fired
from bot.watch.segments import segments
from tests.opened import playbook
from tests.tuning.logged import queries, write

AT = 1_772_442_000.0
READERS = Readers([TriggerRule(one.id, one.rule) for one in playbook().triggers.values()])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


def call(
    user: str = "alice", *, at: float = AT, arrived: float | None = None, marks: tuple[Mark, ...] = (), **more: Any
) -> Seen:
    values = {"kind": Kind.LLM_CALL, "occurred_at": at, "app": "chat", "user_id": user, "delivered": True} | more
    return Seen(event=Event(**values), arrived=at if arrived is None else arrived, marks=marks)


def fired(user: str = "alice", *, by: str | None = None, **more: Any) -> Fired:
    values: dict[str, Any] = {
        "trigger": "bulk_data_extraction", "subject_kind": "user", "subject_id": user, "app": "chat", "session_id": None,
        "id": "f1", "first": True, "started_at": AT, "completed_at": AT + 60, "counts": {"distinct results": 101},
        "window_seconds": 3600.0, "event_ids": (),
    }  # fmt: skip
    return Fired(Finding(**values | more), by)


def shown(folder: Path, *, last: int = 20, **wanted: Any) -> list[str]:
    return [in_words(line, READERS) for line in tail(folder, Wanted(READERS, **wanted), last=last)]


def test_marks_verdicts_and_tools_are_said_in_words() -> None:
    secret = Mark(kind=MarkKind.SECRET, name="github_token", grade="validated_pattern", last4="9f3a", how="base64")
    example = Mark(kind=MarkKind.SECRET, name="aws_key", excluded="documentation_example")
    line = in_words(
        call(
            stage=Stage.OUTPUT, marks=(secret, example), tool=Tool(name="transfer"),
            verdicts=(Verdict(guardrail="filter", outcome=Outcome.BLOCK), Verdict(guardrail="other", outcome=Outcome.ALLOW)),
        ),
        READERS,
    )  # fmt: skip
    assert line.startswith(
        "2026-03-02T09:00:00Z  llm_call/output  chat  end_user:alice  block by filter  tool transfer"
    )
    assert "[secret github_token …9f3a as base64]" in line
    assert "[secret aws_key, not counted: documentation_example]" in line
    assert "read by" in line and "credential_leakage_confirmed" in line and "other" not in line


def test_a_trigger_that_does_not_read_an_event_is_not_named() -> None:
    (query,) = queries("mallory", AT, 1)
    assert READERS.of(query) == ["bulk_data_extraction"]
    assert "bulk_data_extraction" not in READERS.of(call())


def test_what_fired_what_was_suppressed_and_what_is_in_shadow_is_told_apart() -> None:
    assert "⇒ bulk_data_extraction fired  chat  user:alice  distinct results 101" in in_words(fired(), READERS)
    assert in_words(fired(by="suppression 3"), READERS).endswith("suppressed by suppression 3")
    assert "in shadow: opens nothing" in in_words(fired(shadow=True), READERS)
    assert "has more evidence" in in_words(fired(first=False), READERS)


def test_what_came_late_says_how_late() -> None:
    assert "came 75 s after it happened" in in_words(call(arrived=AT + 75), READERS)
    assert "came" not in in_words(call(arrived=AT + 60), READERS)


def test_the_last_lines_are_shown_in_order_over_several_segments(folder: Path) -> None:
    for hour in range(3):
        write(folder, began=AT + hour * 3600, seen=queries(f"user-{hour}", AT + hour * 3600, 4))
    lines = shown(folder, last=6)
    assert [line.split("end_user:")[1].split()[0] for line in lines] == ["user-1"] * 2 + ["user-2"] * 4
    assert len(shown(folder, last=100)) == 12
    assert shown(folder, last=0) == []


def test_user_and_trigger_narrow_it_down(folder: Path) -> None:
    write(
        folder, began=AT, seen=[*queries("mallory", AT, 2), *queries("trudy", AT, 1), call("mallory")],
        fired=[fired("mallory"), fired("trudy"), fired("mallory", trigger="anomalous_probing")],
    )  # fmt: skip
    assert len(shown(folder, user="mallory")) == 5
    assert len(shown(folder, user="mallory", trigger="bulk_data_extraction")) == 3


def test_a_session_narrows_it_down_as_a_user_does(folder: Path) -> None:
    of_it = fired("s-1", subject_kind="session", trigger="jailbreak_success")
    write(folder, began=AT, seen=[call(session_id="s-1"), call(session_id="s-2")], fired=[of_it])
    assert len(shown(folder, user="s-1")) == 2


def test_following_begins_where_the_past_ends_and_goes_on_into_new_segments(folder: Path) -> None:
    write(folder, began=AT, seen=queries("old", AT, 3))
    lines = tail(folder, Wanted(READERS), last=2, follow=True)
    users = [_user(line) for line in islice(lines, 2)]
    there = segments(folder)[0].path
    more = framed(int(AT * 1e6) + 10, FrameKind.SEEN, msgspec.msgpack.encode(queries("same-segment", AT + 10, 1)))
    there.write_bytes(there.read_bytes() + more)
    users.append(_user(next(lines)))
    write(folder, began=AT + 3600, seen=queries("new-segment", AT + 3600, 2))
    users += [_user(line) for line in islice(lines, 2)]
    assert users == ["old", "old", "same-segment", "new-segment", "new-segment"]


def _user(line: Line) -> str | None:
    assert isinstance(line, Seen)
    return line.event.user_id


def test_without_a_log_there_are_no_lines(folder: Path) -> None:
    assert shown(folder) == []


def test_a_secret_that_a_sender_put_into_an_id_or_a_name_is_not_shown() -> None:
    token = "ghp_" + "Ab9Qz1Rt7LmX2pVw8NcKd4Yf6HsJuE1TraEE"
    told: dict[str, Any] = {"app": token, "event_id": token, "session_id": token, "tool": Tool(name=token)}
    told |= {"signals": (Signal(name=token),), "verdicts": (Verdict(guardrail=token, outcome=Outcome.FLAG),)}
    for line in (call(f"key {token}", **told), fired(f"key {token}", app=token, event_ids=(token,), by=token)):
        said = in_words(line, READERS) + json.dumps(as_data(line, READERS))
        assert token not in said and "[redacted GitHub token" in said


@settings(max_examples=60)
@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_of_a_stranger_is_obeyed_by_a_terminal(one: str, other: str) -> None:
    mark = Mark(kind=MarkKind.PROBE, name=other)
    verdict = Verdict(guardrail=one, outcome=Outcome.FLAG)
    for line in (
        call(f"\x1b]0;{one}", app=other, marks=(mark,), verdicts=(verdict,)),
        fired(one, app=other, by=f"\r{one}"),
    ):
        text = in_words(line, READERS)
        assert text.isprintable() or not any(character < " " or "\x7f" <= character < "\xa0" for character in text)
        assert "\n" not in text and "\u202e" not in text
        data = json.dumps(as_data(line, READERS))
        assert data.isascii() and data.isprintable()


def test_the_command_prints_lines_or_json(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = typer.Typer()
    cli.mount(app)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    monkeypatch.delenv("FIRSTHOUR_CONFIG", raising=False)
    write(folder, began=AT, seen=queries("mallory", AT, 3), fired=[fired("mallory")])
    done = CliRunner().invoke(app, ["events", "tail", "--folder", str(folder), "-n", "2", "--json"])
    assert done.exit_code == 0, done.output
    event, finding = [json.loads(line) for line in done.stdout.splitlines()]
    assert event["event"]["user_id"] == "mallory" and event["read_by"] == ["bulk_data_extraction"]
    assert finding["finding"]["counts"] == {"distinct results": 101} and finding["suppressed_by"] is None
    missing = CliRunner().invoke(app, ["events", "tail", "--folder", str(tmp_path / "nowhere")])
    assert missing.exit_code == 0 and "There is no log" in missing.stderr
    wrong = CliRunner().invoke(app, ["events", "tail", "--trigger", "bulk_data_extracton"])
    assert wrong.exit_code == 1 and "Did you mean bulk_data_extraction" in wrong.stderr
