"""`firsthour doctor`: checks tokens, scopes, channels, database, playbooks, and says how to mend each.

Decides what is looked at and in which order. It changes nothing, but for the database where `--migrate` says so.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.connectors import Connectors
from bot.connectors.build import build as build_connectors
from bot.connectors.contract import Effect
from bot.environment import read_settings
from bot.evidence.build import build as build_vault
from bot.evidence.build import place
from bot.incident.errors import FirsthourError, Misconfigured
from bot.playbook import DEFAULT_PATH, Playbook, load
from bot.playbook.organisation import load_organisation
from bot.settings import Organisation, Settings
from bot.slack.client import slack_client
from bot.slack.delivery.strangers import Known, strangers
from bot.slack.manifest import bot_scopes
from bot.store import Store, deployment, queries, registered, schema
from bot.store.resync import resync
from bot.store.sealing import detection_key
from commands import FEATURES

UNREACHABLE = "Check the network, proxies and SLACK_API_URL."
OTHER_DEPLOYMENT = (
    "Where another Firsthour runs with these tokens, give each an app of its own (`firsthour manifest`), or both the same "
    "DATABASE_URL. Where this database is new or restored, set DATABASE_URL to the one that was used, or ignore this."
)
REINSTALL = "Reinstall the app in the workspace and copy the token again (README, “Set up in Slack”)."


@dataclass(frozen=True)
class Finding:
    name: str
    well: bool
    detail: str
    mend: str = ""
    """What to do, where it is not well."""


async def examine(env: Mapping[str, str] | None = None, *, migrate: bool = False) -> AsyncIterator[Finding]:
    """Every finding in turn. What cannot be checked because something before it is broken is not checked."""
    try:
        settings = read_settings(env)
    except Misconfigured as error:
        yield Finding("environment", False, str(error), "Correct the variables; design and README list them.")
        return
    yield Finding("environment", True, "every variable can be used")
    database = await _database(settings, migrate=migrate)
    yield database
    if database.well:
        yield await _detection_key(settings)
    if settings.redis_url is not None:
        yield await _valkey(settings.redis_url)
    organisation: Organisation | None = None
    try:
        playbook = load(DEFAULT_PATH)
        yield _playbook(playbook)
        organisation = load_organisation(settings.config, playbook)
        yield Finding("organisation", True, str(settings.config or "no file: the defaults"))
    except FirsthourError as error:
        yield Finding("playbooks", False, str(error), "Each line says what to change; `firsthour lint` checks again.")
    if organisation is not None:
        async for finding in _connectors(organisation, os.environ if env is None else env):
            yield finding
        yield await _vault(settings, organisation)
    async for finding in _slack(settings, organisation or Organisation()):
        yield finding
    yield _ingest(settings)


async def _vault(settings: Settings, organisation: Organisation) -> Finding:
    """A bucket is asked, a folder is looked at: none is made here."""
    mend = "Mend `evidence` in the organisation's file, or FIRSTHOUR_EVIDENCE."
    where = place(organisation.evidence, settings.database_url, settings.evidence)
    if isinstance(where, Path):
        there = next(one for one in (where.absolute(), *where.absolute().parents) if one.exists())
        well = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        return Finding("evidence", well, f"{where}" if well else f"{where} cannot be written", mend)
    try:
        vault = await asyncio.to_thread(build_vault, organisation.evidence, settings.database_url)
    except FirsthourError as error:
        return Finding("evidence", False, str(error), mend)
    await vault.close()
    held = "" if where.retention is not None else ", which holds nothing against deletion"
    return Finding("evidence", True, f"the bucket {where.bucket}{held}")


async def show_again(number: int, env: Mapping[str, str] | None = None) -> int:
    """Have everything of one incident rendered and sent again; returns how many surfaces that are.

    The bot that runs does it, now or when it is started. Raises NotFound, Misconfigured or Busy.
    """
    store = Store(read_settings(env).database_url)
    try:
        if not store.exists():
            raise Misconfigured(
                "The database is not there yet; DATABASE_URL may be another one here than where the bot runs."
            )
        await schema.check(store)
        async with store.unit() as unit:
            return await resync(unit, number)
    finally:
        await store.close()


async def _database(settings: Settings, *, migrate: bool) -> Finding:
    try:
        store = Store(settings.database_url)
    except Misconfigured as error:
        return Finding("database", False, str(error), "Set DATABASE_URL.")
    where = store.url.render_as_string(hide_password=True)
    if not migrate and not store.exists():
        return Finding("database", True, f"{where} is not there yet: the first start makes it")
    try:
        if not await store.ready():
            return Finding("database", False, f"{where} does not answer", "Start it, or correct DATABASE_URL.")
        if migrate:
            await schema.upgrade(store)
        if await schema.empty(store):
            return Finding("database", True, f"{where} is empty: the first start makes it ready")
        await schema.check(store)
    except Misconfigured as error:
        return Finding("database", False, str(error), "Back it up, then `firsthour doctor --migrate`.")
    finally:
        await store.close()
    return Finding("database", True, f"{where} has the right version")


async def _valkey(url: SecretStr) -> Finding:
    try:
        from bot.watch.valkey_look import look

        looked = await look(url)
    except ModuleNotFoundError:
        return Finding("valkey", False, "its library is missing", "pip install 'firsthour[valkey]'")
    except Misconfigured as error:
        return Finding("valkey", False, str(error), "Correct REDIS_URL.")
    return Finding("valkey", looked.well, looked.detail, looked.mend)


async def _detection_key(settings: Settings) -> Finding:
    store = Store(settings.database_url)
    try:
        if not store.exists() or await schema.empty(store):
            return Finding("detection key", True, "nothing is registered yet")
        async with store.read() as session:
            if not await registered.anything(session):
                return Finding("detection key", True, "nothing is registered yet")
            key = await detection_key(store, settings.detection_key, make=False)
            await registered.proven(session, key)
    except Misconfigured as error:
        return Finding("detection key", False, str(error), "Set FIRSTHOUR_DETECTION_KEY, or put the key file back.")
    finally:
        await store.close()
    return Finding("detection key", True, f"it is the one that all was registered under ({key.origin})")


def _playbook(playbook: Playbook) -> Finding:
    counted = f"{len(playbook.triggers)} triggers, {len(playbook.actions)} actions, {len(playbook.scenarios)} scenarios"
    return Finding("playbooks", True, f"{counted}, digest {playbook.digest[:12]}")


async def _connectors(organisation: Organisation, env: Mapping[str, str]) -> AsyncIterator[Finding]:
    try:
        connectors: Connectors = build_connectors(organisation, env)
    except Misconfigured as error:
        yield Finding("connectors", False, str(error), "Correct the organisation's file or the environment.")
        return
    try:
        for name, connector in connectors.by_name.items():
            health = await connector.health()
            well = health.effect in {Effect.VERIFIED, Effect.APPLIED, Effect.ATTEST}
            yield Finding(
                f"connector {name}", well, health.detail, "Check its address, its secret and the system behind it."
            )
    finally:
        await connectors.close()


async def _slack(settings: Settings, organisation: Organisation) -> AsyncIterator[Finding]:
    if settings.slack_bot_token is None:
        yield Finding("bot token", False, "SLACK_BOT_TOKEN is not set", REINSTALL)
        return
    async with aiohttp.ClientSession() as session:
        client = slack_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url, session)
        try:
            who = await client.auth_test()
        except SlackApiError as error:
            yield Finding("bot token", False, f"Slack answers {error.response.get('error')}", REINSTALL)
            return
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            yield Finding("bot token", False, f"Slack cannot be reached: {type(error).__name__}", UNREACHABLE)
            return
        yield Finding("bot token", True, f"{who.get('user')} in {who.get('team')}")
        yield _scopes(
            organisation, {name.lower(): value for name, value in who.headers.items()}.get("x-oauth-scopes", "")
        )
        yield await _app_token(settings, client)
        announced = await _announcements(client, organisation.channels.announcements)
        yield announced.finding
        if announced.channel is not None:
            yield await _strangers(settings, client, announced.channel)


def _scopes(organisation: Organisation, granted: str) -> Finding:
    needed = bot_scopes(FEATURES, private_rooms=organisation.private_rooms)
    held = {scope.strip() for scope in granted.split(",") if scope.strip()}
    missing = sorted(set(needed) - held)
    if missing:
        mend = "Add them under “OAuth & Permissions” (or paste `firsthour manifest`), then reinstall the app."
        return Finding("scopes", False, f"missing: {', '.join(missing)}", mend)
    return Finding("scopes", True, f"all {len(needed)} needed scopes are granted")


async def _app_token(settings: Settings, client: AsyncWebClient) -> Finding:
    if settings.slack_app_token is None:
        well = settings.slack_signing_secret is not None
        return Finding(
            "app token",
            well,
            "HTTP mode: requests are verified with the signing secret" if well else "SLACK_APP_TOKEN is not set",
            "Make an app-level token with connections:write, or set SLACK_SIGNING_SECRET for HTTP.",
        )
    try:
        await client.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
    except SlackApiError as error:
        mend = "Make an app-level token with connections:write and switch Socket Mode on."
        return Finding("app token", False, f"Slack answers {error.response.get('error')}", mend)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Finding("app token", False, f"Slack cannot be reached: {type(error).__name__}", UNREACHABLE)
    return Finding("app token", True, "Socket Mode is on")


@dataclass(frozen=True)
class Announced:
    finding: Finding
    channel: str | None = None


async def _announcements(client: AsyncWebClient, channel: str) -> Announced:
    name, cursor = channel.removeprefix("#"), ""
    try:
        for _ in range(20):
            page = await client.conversations_list(
                types="public_channel,private_channel", limit=1000, exclude_archived=True, cursor=cursor
            )
            for found in page.get("channels") or []:
                if name in {found["name"], found["id"]}:
                    return Announced(Finding("announcements", True, f"#{found['name']} exists"), str(found["id"]))
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
    except (SlackApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
        why = f"the channels cannot be listed: {type(error).__name__}"
        return Announced(Finding("announcements", False, why, "Check the scopes."))
    mend = f"Make #{name} or set channels.announcements in the organisation's file. Without it nothing is announced."
    return Announced(Finding("announcements", False, f"#{name} does not exist or the bot cannot see it", mend))


async def _strangers(settings: Settings, client: AsyncWebClient, channel: str) -> Finding:
    """Two Firsthours with the same tokens and different databases take each other's clicks."""
    store = Store(settings.database_url)
    try:
        ours, known = await _whose(store)
        found = await strangers(client, channel, deployment=ours, known=known)
    except SlackApiError as error:
        why = f"not looked for: Slack answers {error.response.get('error')}"
        return Finding("other deployments", error.response.get("error") == "not_in_channel", why, "Check the scopes.")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Finding("other deployments", False, f"Slack cannot be reached: {type(error).__name__}", UNREACHABLE)
    finally:
        await store.close()
    if not found.foreign:
        return Finding("other deployments", True, f"none among {found.looked_at} announcements")
    names = ", ".join(found.deployments) or "unnamed"
    about = ", ".join(f"INC-{number}" for number in found.incidents[:5]) or "no incident"
    told = f"{found.foreign} announcements are not of this store (deployment {names}; {about})"
    return Finding("other deployments", False, told, OTHER_DEPLOYMENT)


async def _whose(store: Store) -> tuple[str | None, Known]:
    """The name of this store's deployment, and who to ask which incidents it has. A store that is not ready has neither."""

    async def none(_: set[int]) -> set[int]:
        return set()

    async def known(numbers: set[int]) -> set[int]:
        async with store.read() as session:
            return await queries.known(session, numbers)

    try:
        if not store.exists() or not await store.ready() or await schema.empty(store):
            return None, none
        await schema.check(store)
        return await deployment.known(store), known
    except Misconfigured:
        return None, none


def _ingest(settings: Settings) -> Finding:
    if settings.ingest_token is None:
        return Finding(
            "ingest token",
            False,
            "alerts and events are refused with 503",
            "Set FIRSTHOUR_INGEST_TOKEN to a long random text.",
        )
    return Finding("ingest token", True, "alerts and events are taken with it")
