"""Each tracker opens one issue, finds it again, says what went wrong, and lets nothing out but the ticket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.incident.errors import Misconfigured
from bot.settings_tracker import TrackerSettings
from bot.trackers import http
from bot.trackers.build import build
from bot.trackers.contract import Doubtful, Refused, Ticket, Tracker, TrackerError, Unreachable
from bot.trackers.github import GitHub
from bot.trackers.jira import Jira
from tests.trackers.standins import TOKEN, Standin, standing_in

TICKET = Ticket(
    marker="firsthour-ab12-item-3",
    title="INC-7: Add the payloads",
    text="Add the payloads\n@everyone **now** <!-- firsthour-ab12-item-9 -->",
    kind="prevent",
    due=datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC),
    incident="INC-7",
    asked_at=datetime(2026, 11, 22, tzinfo=UTC),
)


@pytest.fixture
async def far() -> AsyncIterator[Standin]:
    async with standing_in() as standin:
        yield standin


@pytest.fixture(params=["github", "jira"])
async def tracker(request: pytest.FixtureRequest, far: Standin) -> AsyncIterator[Tracker]:
    made: Tracker = (
        GitHub("acme/shop", SecretStr(TOKEN), labels=("ai",), api=far.url)
        if request.param == "github"
        else Jira(far.url, "SEC", SecretStr(TOKEN), user="bot@example.com", labels=("ai",))
    )
    yield made
    await made.close()


async def test_an_issue_is_opened_and_found_again_by_its_marker(tracker: Tracker, far: Standin) -> None:
    assert await tracker.find(TICKET) is None
    link = await tracker.open(TICKET)
    assert link.url.startswith(far.url) and "evil" not in link.url
    assert await tracker.find(TICKET) == link
    assert await tracker.find(replace(TICKET, marker="firsthour-ab12-item-30")) is None


async def test_github_gets_the_text_as_it_is_and_nothing_in_it_is_obeyed(far: Standin) -> None:
    github = GitHub("acme/shop", SecretStr(TOKEN), labels=("ai",), api=far.url)
    await github.open(TICKET)
    await github.close()
    [issue] = far.issues
    assert issue["labels"] == ["firsthour", "ai"] and set(issue) == {"title", "body", "labels"}
    assert "    @everyone **now**" in issue["body"], "indented: shown as it is"
    assert issue["body"].endswith("Type: prevent. Due: 2026-12-01. From INC-7.\n\n<!-- firsthour-ab12-item-3 -->")


async def test_jira_gets_a_document_a_due_date_and_its_label(far: Standin) -> None:
    jira = Jira(far.url, "SEC", SecretStr(TOKEN), user="bot@example.com", issue_type="Bug")
    await jira.open(TICKET)
    await jira.close()
    [fields] = far.issues
    assert (fields["project"], fields["issuetype"], fields["duedate"]) == (
        {"key": "SEC"},
        {"name": "Bug"},
        "2026-12-01",
    )
    assert fields["labels"] == ["firsthour", "firsthour-ab12-item-3"] and fields["description"]["version"] == 1
    texts = [one["content"][0]["text"] for one in fields["description"]["content"]]
    assert texts[1].startswith("@everyone") and all(
        set(one) == {"type", "content"} for one in fields["description"]["content"]
    )
    assert far.asked[0][2]["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (401, Refused, "does not accept the token"),
        (403, Refused, "right to write issues"),
        (404, Refused, "no such repository or project"),
        (410, Refused, "switched off"),
        (422, Refused, "did not take the issue"),
        (429, Unreachable, "slow down"),
        (500, Doubtful, "error of its own"),
        (503, Doubtful, "error of its own"),
        ("html", Doubtful, "could not be read"),
        ("redirect", Refused, "redirect"),
        ("lost", Doubtful, "did not answer"),
    ],
)
async def test_what_goes_wrong_is_said_in_words(
    tracker: Tracker, far: Standin, fault: object, kind: type[TrackerError], says: str
) -> None:
    far.faults.append(fault)
    with pytest.raises(kind, match=says) as wrong:
        await tracker.open(TICKET)
    assert TOKEN not in str(wrong.value) and "127.0.0.1" not in str(wrong.value)
    if isinstance(wrong.value, Unreachable):
        assert wrong.value.after == timedelta(seconds=7)


async def test_a_lost_answer_is_settled_by_looking(tracker: Tracker, far: Standin) -> None:
    far.faults.append("lost")
    with pytest.raises(Doubtful):
        await tracker.open(TICKET)
    assert await tracker.find(TICKET) is not None and far.opened == 1


async def test_silence_ends_and_leaves_a_doubt(tracker: Tracker, far: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SECONDS", 0.05)
    far.faults.append("slow")
    with pytest.raises(Doubtful, match="did not answer"):
        await tracker.open(TICKET)


async def test_where_nobody_listens_nothing_was_opened(tracker: Tracker, far: Standin) -> None:
    gone = GitHub("acme/shop", SecretStr(TOKEN), api="http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="could not be reached"):
        await gone.open(TICKET)
    await gone.close()


async def test_githubs_issue_is_found_behind_two_hundred_others(far: Standin) -> None:
    github = GitHub("acme/shop", SecretStr(TOKEN), api=far.url)
    link = await github.open(TICKET)
    far.issues += [{"body": None}] * 230
    assert await github.find(TICKET) == link
    await github.close()


def test_the_link_of_githubs_own_site_is_not_the_apis() -> None:
    assert GitHub("acme/shop", SecretStr("x"))._link(7).url == "https://github.com/acme/shop/issues/7"
    enterprise = GitHub("acme/shop", SecretStr("x"), api="https://git.example.com/api/v3")
    assert enterprise._link(7).url == "https://git.example.com/acme/shop/issues/7"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "github"},
        {"kind": "github", "repository": "acme/shop", "project": "SEC"},
        {"kind": "github", "repository": "acme/shop/../other"},
        {"kind": "jira", "project": "SEC"},
        {"kind": "jira", "project": 'SEC" OR 1=1', "url": "https://x.example"},
        {"kind": "jira", "project": "SEC", "url": "https://user:pass@x.example"},
        {"kind": "gitlab", "repository": "acme/shop"},
        {"kind": "github", "repository": "acme/shop", "labels": ["two words"]},
    ],
)
def test_a_tracker_that_is_half_said_does_not_start(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TrackerSettings.model_validate({"token_env": "T", **wrong})


def test_a_token_that_is_not_set_keeps_it_from_starting() -> None:
    wanted = TrackerSettings(kind="github", repository="acme/shop", token_env="GITHUB_TOKEN_OF_FIRSTHOUR")
    with pytest.raises(Misconfigured, match="GITHUB_TOKEN_OF_FIRSTHOUR"):
        build(wanted, {})
    assert build(None, {}) is None
    assert "secret" not in json.dumps(wanted.model_dump())
