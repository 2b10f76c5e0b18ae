"""The connectors of an organisation: from its file and the environment to live objects, or a refusal to start.

Decides what a usable connector needs (law 7). What each one does is its own file's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from pydantic import HttpUrl, SecretStr

from bot.connectors.contract import MANUAL, Connector, Connectors
from bot.connectors.manual import Manual
from bot.connectors.practice import Practice
from bot.connectors.practice_users import Users
from bot.connectors.webhook import Addresses, Webhook
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind
from bot.settings import ConnectorSettings, Organisation


def build(org: Organisation, env: Mapping[str, str]) -> Connectors:
    """Every connector of the file, and `manual` for what none claims. Raises Misconfigured naming connector and fix."""
    by_name: dict[str, Connector] = {MANUAL: Manual()}
    by_action: dict[ActionKind, str] = {}
    for name, settings in org.connectors.items():
        if name == MANUAL and settings.kind != "manual":
            raise Misconfigured(f"connectors.{name}: the name “manual” is taken by work by hand. Choose another name.")
        for kind in _claimed(name, settings):
            if kind in by_action:
                raise Misconfigured(
                    f"connectors.{name}: {kind.value} is claimed by connectors.{by_action[kind]} already. "
                    "An action has one connector: remove it from one of them."
                )
            by_action[kind] = name
        by_name[name] = _connector(name, settings, env)
    return Connectors(by_name, by_action)


def _claimed(name: str, settings: ConnectorSettings) -> tuple[ActionKind, ...]:
    known = {kind.value for kind in ActionKind}
    for action in settings.actions:
        if action not in known:
            raise Misconfigured(
                f"connectors.{name}: there is no action “{action[:40]}”. Actions are: {', '.join(sorted(known))}."
            )
    return tuple(ActionKind(action) for action in dict.fromkeys(settings.actions))


def _connector(name: str, settings: ConnectorSettings, env: Mapping[str, str]) -> Connector:
    if settings.kind == "manual":
        return Manual(name)
    url = _address(name, "url", settings.url)
    if url is None:
        raise Misconfigured(f"connectors.{name}: a {settings.kind} needs `url`.")
    if settings.kind == "practice":
        return _practice(name, url, settings, env)
    return Webhook(
        name=name,
        addresses=Addresses(
            apply=url,
            verify=_address(name, "verify_url", settings.verify_url),
            verify_method=settings.verify_method,
            revert=_address(name, "revert_url", settings.revert_url),
        ),
        secret=_secret(name, "secret_env", settings.secret_env, env),
        expect_status=settings.expect_status,
        seconds=settings.timeout_seconds,
    )


def _practice(name: str, url: str, settings: ConnectorSettings, env: Mapping[str, str]) -> Practice:
    credential = settings.probe_credential_env
    users = Users(
        root=(_address(name, "probe_url", settings.probe_url) or url).rstrip("/"),
        token=_secret(name, "probe_secret_env", settings.probe_secret_env, env),
        credential=_secret(name, "probe_credential_env", credential, env) if credential else None,
    )
    admin = _secret(name, "secret_env", settings.secret_env, env)
    return Practice(name, root=url.rstrip("/"), token=admin, users=users, seconds=settings.timeout_seconds)


def _secret(name: str, key: str, variable: str | None, env: Mapping[str, str]) -> SecretStr:
    if variable is None:
        raise Misconfigured(f"connectors.{name}: name the environment variable that holds its secret in `{key}`.")
    value = env.get(variable, "").strip()
    if not value:
        raise Misconfigured(f"connectors.{name}.{key}: the environment variable {variable} is not set.")
    return SecretStr(value)


def _address(name: str, key: str, url: HttpUrl | None) -> str | None:
    if url is None:
        return None
    if url.username or url.password:
        raise Misconfigured(f"connectors.{name}.{key}: no name or password in an address. Use `secret_env`.")
    if url.scheme != "https" and not _loopback(url.host or ""):
        raise Misconfigured(f"connectors.{name}.{key}: use https. Plain http is accepted for this machine only.")
    return str(url)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
