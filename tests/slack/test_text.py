"""A value never becomes a mention, a link or formatting, and what cannot be seen is named."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.incident.words import Severity
from bot.practice import mrkdwn
from bot.slack.text import (
    Md,
    channel,
    clip_md,
    code,
    md,
    mention,
    plain,
    quoted,
    room_name,
    safe,
    usergroup,
    visible,
    when,
    who,
)

HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U01ALICE> <!subteam^S01ONCALL> <#C01GENERAL>",
    "<http://evil.example|Approve>",
    "http://evil.example www.evil.example mailto:a@evil.example",
    "& &lt;!channel&gt; &amp;",
    "*bold* _italic_ ~struck~ `code` ```block```",
    "> quoted\n>>> all of it",
    "x\u202egnp.exe\u202c \u200b\u200b\u2066\u2069 \x00\x07\x1b[31m",
    ":white_check_mark: Verified :+1:",
    "{0} {} {number} %s",
    "\ud800 half a pair",
    "a" * 10_000,
    "\u202e" * 10_000,
    "&" * 10_000,
    "",
    "   \n\n  ",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_sets_nothing_off(text: str) -> None:
    for shown in (safe(text), safe(text, lines=True), code(text), quoted(text), md("*{}* by {}", text, text)):
        live = mrkdwn.live("", [{"type": "section", "text": {"type": "mrkdwn", "text": shown, "verbatim": True}}])
        assert not live and not live.channels
        assert "\u202e" not in shown and "\u200b" not in shown and "\x00" not in shown


@given(st.text())
def test_nothing_that_slack_obeys_survives(text: str) -> None:
    for shown in (safe(text), safe(text, lines=True), code(text)):
        assert "<" not in shown and ">" not in shown
        assert shown.count("&") == sum(shown.count(entity) for entity in ("&lt;", "&gt;", "&amp;"))


@given(st.text(), st.integers(min_value=12, max_value=400))
def test_a_value_shows_at_most_what_it_may(text: str, limit: int) -> None:
    assert len(mrkdwn.unescape(safe(text, limit))) <= limit
    assert len(plain(text, limit)) <= limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold*", "＊bold＊"),
        ("_it_ ~no~ `x`", "＿it＿ ～no～ ˋxˋ"),
        ("user_42@practice", "user_42@practice"),
        ("snake_case_name and 2*3", "snake_case_name and 2*3"),
        ("__init__", "＿＿init＿＿"),
        (">>> all", "＞＞＞ all"),
        ("a > b", "a &gt; b"),
        (":white_check_mark: ok", "：white_check_mark: ok"),
        ("at 10:30:45", "at 10:30:45"),
        ("one\ntwo\r\nthree\tfour", "one two three four"),
    ],
)
def test_formatting_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\u200b\u200b\u200b", "⟨U+200B ×3⟩"),
        ("\x1b[31m", "⟨U+001B⟩[31m"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("a\ufe0f", "a⟨U+FE0F⟩"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("标题 Ünïcode שלום", "标题 Ünïcode שלום"),
        ("\u3164", "⟨U+3164⟩"),
    ],
)
def test_what_cannot_be_seen_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_code_is_exact_but_for_backticks() -> None:
    assert code("_user_*42*") == "`_user_*42*`"
    assert code("a`b") == "`aˋb`"
    assert code("") == "—"


def test_code_shows_no_secret() -> None:
    token = "ghp_" + "Ab9Qz1Rt7LmX2pVw8NcKd4Yf6HsJuE1TraEE"
    assert code(f"u {token}") == "`u [redacted GitHub token …raEE]`"
    assert token[:30] not in code(f"{token}", 20)


def test_a_quote_stands_behind_bars_line_by_line() -> None:
    assert quoted("one\n\n> two") == "> one\n> ＞ two"


def test_only_ids_become_mentions() -> None:
    assert mention("U01ALICE") == "<@U01ALICE>"
    assert usergroup("S01ONCALL") == "<!subteam^S01ONCALL>"
    assert channel("C01GENERAL") == "<#C01GENERAL>"
    for wrong in ("alice", "U01ALICE> <!channel", "", "!channel"):
        with pytest.raises(ValueError):
            mention(wrong)
    with pytest.raises(ValueError):
        usergroup("U01ALICE")
    assert who("alertmanager") == "alertmanager"
    assert who("<!here>") == "&lt;!here&gt;"


def test_a_moment_is_told_in_the_readers_zone_and_in_utc_where_slack_cannot() -> None:
    at = datetime(2026, 3, 2, 10, 5, tzinfo=timezone(timedelta(hours=1)))
    assert when(at) == "<!date^1772442300^{time}|09:05 UTC>"
    assert when(at, "both").endswith("|2026-03-02 09:05 UTC>")


def test_a_value_cannot_reach_into_the_template() -> None:
    assert md("{} and {}", "{1}", "{0.__class__}") == "{1} and {0.＿＿class＿＿}"


@given(st.text(alphabet="ab&<>`* ", max_size=80), st.integers(min_value=4, max_value=60))
def test_mrkdwn_is_cut_between_entities_mentions_and_code(text: str, limit: int) -> None:
    cut = clip_md(Md(f"{safe(text)} {code(text)} <@U01ALICE> {safe(text)}"), limit)
    assert len(cut) <= limit
    assert cut.count("<") == cut.count(">") and cut.count("`") % 2 == 0
    assert cut.count("&") == sum(cut.count(entity) for entity in ("&lt;", "&gt;", "&amp;"))


@pytest.mark.parametrize(
    ("titles", "name"),
    [
        (("Credential leak",), "inc-0012-sev1-credential-leak"),
        (("Crédential léak!!",), "inc-0012-sev1-credential-leak"),
        (("凭证泄露", "credential_leak"), "inc-0012-sev1-credential-leak"),
        (("💥💥", None), "inc-0012-sev1-incident"),
        (("שלום",), "inc-0012-sev1-incident"),
        (("<!channel> #general",), "inc-0012-sev1-channel-general"),
    ],
)
def test_a_room_is_named_in_plain_ascii(titles: tuple[str | None, ...], name: str) -> None:
    assert room_name(12, Severity.SEV1, *titles) == name


@given(st.text(), st.integers(min_value=1, max_value=10_000), st.integers(min_value=1, max_value=99))
def test_a_room_name_is_one_that_slack_takes(title: str, number: int, attempt: int) -> None:
    name = room_name(number, Severity.SEV2, title, attempt=attempt)
    assert len(name) <= 80 and name.isascii() and name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
