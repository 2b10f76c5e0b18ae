"""Which text is live in Slack and which is inert."""

from __future__ import annotations

import pytest

from bot.practice.mrkdwn import escape, live, unescape

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": ""}}


def section(text: str, **keys: object) -> list[dict[str, object]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, **keys}}]


@pytest.mark.parametrize("mention", ["<!channel>", "<!here>", "<!everyone|x>", "<@U0ALICE>", "<!subteam^S1|oncall>"])
def test_mentions_are_live_in_text_and_in_mrkdwn(mention: str) -> None:
    assert live(f"hi {mention}", []).mentions == [mention]
    assert live("", section(f"hi {mention}")).mentions == [mention]


def test_mentions_are_inert_when_escaped_or_in_plain_text() -> None:
    assert not live(escape("<!channel> <@U0ALICE> <#C1>"), [])
    assert not live("", [{"type": "header", "text": {"type": "plain_text", "text": "<!channel>"}}])


def test_links_are_found_written_and_bare() -> None:
    found = live("", section("<https://a.example|click> and https://b.example/x?y=1"))
    assert found.links == ["https://a.example"]
    assert found.autolinks == ["https://b.example/x?y=1"]
    assert live("", section("see https://b.example", verbatim=True)).autolinks == []


def test_an_address_is_clickable_even_when_it_was_escaped() -> None:
    assert live(escape("<https://evil.example|x>"), []).autolinks == ["https://evil.example"]


def test_button_urls_and_rich_text_count_as_links() -> None:
    button = {"type": "button", "url": "https://a.example", "text": {"type": "plain_text", "text": "b"}}
    assert live("", [{"type": "actions", "elements": [button]}]).links == ["https://a.example"]


def test_dates_and_channels_are_no_mentions() -> None:
    found = live("<!date^1392734382^{date}|Feb 18> in <#C1|general>", [])
    assert found.mentions == [] and found.channels == ["<#C1|general>"] and not found


def test_escaping_can_be_undone() -> None:
    assert unescape(escape("a < b & c > d &lt;")) == "a < b & c > d &lt;"
