"""The manifest asks for what is used, and for nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bot.slack import manifest as made
from bot.slack.buttons import Button
from commands import FEATURES

SLACK = Path(made.__file__).parent
CALLED = re.compile(r"\.((?:chat|conversations|views|users|usergroups|pins|bookmarks|auth|apps)_[a-zA-Z_]+)\(")


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


def test_private_rooms_need_no_scope_for_public_ones() -> None:
    private, public = made.scopes(FEATURES), made.scopes(FEATURES, private_rooms=False)
    assert {"groups:write", "groups:read", "groups:history"} <= set(private)
    assert not {"channels:manage", "channels:history"} & set(private)
    assert not any(scope.startswith("groups:") for scope in public)
    assert not any(scope.startswith(("admin", "chat:write.", "files", "users.profile")) for scope in private + public)


def test_every_method_that_is_called_has_its_scopes_in_the_table() -> None:
    called = {name for file in SLACK.rglob("*.py") for name in CALLED.findall(file.read_text())}
    dotted = {re.sub(r"^(\w+?)_", r"\1.", name).replace("connections_", "connections.") for name in called}
    assert {name.replace("users_list", "users.list") for name in dotted} <= set(made.METHODS)


def test_no_event_is_subscribed_that_nothing_handles() -> None:
    assert "event_subscriptions" not in made.manifest(FEATURES)["settings"]


def test_every_button_is_handled_by_exactly_one_feature() -> None:
    handled = [button for feature in FEATURES for button in feature.buttons]
    assert sorted(handled) == sorted(Button)
