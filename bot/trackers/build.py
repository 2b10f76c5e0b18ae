"""The tracker that the organisation's file asks for, with its token from the environment.

Decides that a token that is not set keeps the bot from starting (design law 7).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from bot.incident.errors import Misconfigured
from bot.settings_tracker import TrackerSettings
from bot.trackers.contract import Tracker
from bot.trackers.github import API, GitHub
from bot.trackers.jira import Jira


def build(wanted: TrackerSettings | None, env: Mapping[str, str]) -> Tracker | None:
    """None where none is asked for. Raises Misconfigured naming the variable that is missing."""
    if wanted is None:
        return None
    if not env.get(wanted.token_env):
        raise Misconfigured(
            f"The organisation's file names a token for its tracker that is not set: {wanted.token_env}."
        )
    token = SecretStr(env[wanted.token_env])
    if wanted.kind == "github":
        return GitHub(str(wanted.repository), token, labels=wanted.labels, api=wanted.url or API)
    return Jira(
        str(wanted.url), str(wanted.project), token,
        user=wanted.user, issue_type=wanted.issue_type, labels=wanted.labels,
    )  # fmt: skip
