"""The manifest asks for what is used, and for nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bot.slack import manifest as made
from bot.slack.buttons import Button
from commands import FEATURES

SLACK = Path(made.__file__).parent
CALLED = re.compile(r"\.((?:chat|conversations|views|users|usergroups|pins|bookmarks|files|auth|apps)_[a-zA-Z_]+)\(")
NAMED = re.compile(r"\"((?:chat|conversations|views|users|usergroups|pins|bookmarks|files|auth|apps)\.[a-zA-Z.]+)\"")
BY_THE_SDK = {"apps.connections.open", "auth.test"}


def test_it_has_the_shape_that_slack_takes() -> None:
    shown: dict[str, Any] = made.manifest(FEATURES)
    command = shown["features"]["slash_commands"][0]
    assert command["command"] == "/incident" and command["should_escape"] is True and "url" not in command
    assert len(command["usage_hint"]) <= 1000 and "help" in command["usage_hint"]
    assert len(shown["display_information"]["name"]) <= 35 and len(shown["display_information"]["description"]) <= 140
    assert shown["settings"]["socket_mode_enabled"] is True and shown["settings"]["interactivity"] == {
        "is_enabled": True
    }
    assert set(shown) == {"_metadata", "display_information", "features", "oauth_config", "settings"}


def test_over_http_every_address_is_given() -> None:
    shown: dict[str, Any] = made.manifest(FEATURES, url="https://bot.example/slack/events")
    assert shown["settings"]["socket_mode_enabled"] is False
    assert shown["settings"]["interactivity"]["request_url"] == "https://bot.example/slack/events"
    assert shown["features"]["slash_commands"][0]["url"] == "https://bot.example/slack/events"


def test_private_rooms_need_no_scope_that_manages_public_ones() -> None:
    private, public = made.bot_scopes(FEATURES), made.bot_scopes(FEATURES, private_rooms=False)
    assert {"groups:write", "groups:read", "groups:history"} <= set(private)
    assert "channels:manage" in public and "channels:manage" not in private
    assert not any(scope.startswith("groups:") for scope in public)
    assert not any(scope.startswith(("admin", "chat:write.", "users.profile")) for scope in private + public)


def test_the_table_holds_the_methods_that_are_called_and_no_others() -> None:
    sources = [file.read_text() for file in SLACK.rglob("*.py") if file.name not in {"manifest.py", "pace.py"}]
    called = {dotted(name) for source in sources for name in CALLED.findall(source)}
    called |= {name for source in sources for name in NAMED.findall(source)}
    assert called | BY_THE_SDK == set(made.METHODS)


def dotted(name: str) -> str:
    """`chat_postMessage` → `chat.postMessage`"""
    return name.replace("_", ".")


def test_no_event_is_subscribed_that_nothing_handles() -> None:
    heard = sorted(event for feature in FEATURES for event in feature.events)
    shown: dict[str, Any] = made.manifest(FEATURES, url="https://bot.example/slack/events")
    assert shown["settings"]["event_subscriptions"] == {
        "bot_events": heard,
        "request_url": "https://bot.example/slack/events",
    }
    assert shown["features"]["app_home"]["home_tab_enabled"] is ("app_home_opened" in heard)
    deaf: dict[str, Any] = made.manifest([one for one in FEATURES if not one.events])
    assert "event_subscriptions" not in deaf["settings"] and not deaf["features"]["app_home"]["home_tab_enabled"]


def test_message_shortcuts_are_listed_within_slacks_limits() -> None:
    listed = [one for one in made.manifest(FEATURES)["features"]["shortcuts"] if one["type"] == "message"]
    assert [one["callback_id"] for one in listed] == ["save_evidence"]
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in listed)


def test_every_button_is_handled_by_exactly_one_feature() -> None:
    handled = [button for feature in FEATURES for button in feature.buttons]
    assert sorted(handled) == sorted(Button)
