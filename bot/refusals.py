"""What keeps the process from starting: settings that are missing, a token that Slack refuses, a database of another version.

Decides the words of each refusal (design law 7). What is started is `bot.app`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.incident.errors import Misconfigured
from bot.settings import Organisation, Settings
from bot.store import Store, schema

log = structlog.get_logger()

TOKEN_REFUSED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})


async def prepare(store: Store) -> None:
    """Make an empty database ready; refuse one of another version (it is migrated on purpose, never by a start)."""
    if await schema.empty(store):
        await schema.upgrade(store)
    await schema.check(store)


async def known_to_slack(client: AsyncWebClient) -> None:
    """Raises Misconfigured where Slack refuses the token. A Slack that does not answer is not a reason not to start."""
    try:
        await client.auth_test()
    except SlackApiError as error:
        why = error.response.get("error")
        if why in TOKEN_REFUSED:
            raise Misconfigured(
                f"Slack refuses SLACK_BOT_TOKEN ({why}). `firsthour doctor` says how to mend it."
            ) from error
        log.warning("slack.unanswered", why=why)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        log.warning("slack.unreachable", why=type(error).__name__)


def tokens(settings: Settings) -> tuple[str, str | None, str | None]:
    """Bot token, app token, signing secret. Raises Misconfigured: without them nothing starts (law 7)."""
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    if bot is None:
        raise Misconfigured("SLACK_BOT_TOKEN is not set. It starts with xoxb-; see “Set up in Slack” in the README.")
    if app is None and secret is None:
        raise Misconfigured(
            "Neither SLACK_APP_TOKEN (Socket Mode, starts with xapp-) nor SLACK_SIGNING_SECRET (HTTP) is set. Set one."
        )
    return (
        bot.get_secret_value(),
        app.get_secret_value() if app else None,
        secret.get_secret_value() if secret else None,
    )


def refuse_missing_tokens(org: Organisation, env: Mapping[str, str]) -> None:
    """Raises Misconfigured naming the variables that targets need and that are not set."""
    wanted = {target.token_env for target in org.targets.values() if target.token_env is not None}
    if missing := sorted(name for name in wanted if not env.get(name)):
        raise Misconfigured(f"The organisation's file names tokens of targets that are not set: {', '.join(missing)}.")


def source_secrets(org: Organisation, env: Mapping[str, str]) -> dict[str, str]:
    """The secret of each configured source. Raises Misconfigured naming the variable that is missing."""
    missing = sorted(source.secret_env for source in org.sources.values() if not env.get(source.secret_env))
    if missing:
        raise Misconfigured(f"The organisation's file names secrets that are not set: {', '.join(missing)}.")
    return {name: env[source.secret_env] for name, source in org.sources.items()}
