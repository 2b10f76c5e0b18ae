"""What an organisation's file gives a connector: secrets by the name of a variable, and addresses that may be used.

Decides what is refused at the start (law 7). Which of them a kind of connector needs is that kind's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import overload

from pydantic import HttpUrl, SecretStr

from bot.incident.errors import Misconfigured


def secret(name: str, key: str, variable: str | None, env: Mapping[str, str]) -> SecretStr:
    """The value of the variable that `connectors.<name>.<key>` names. Raises Misconfigured where there is none."""
    if variable is None:
        raise Misconfigured(f"connectors.{name}: name the environment variable that holds its secret in `{key}`.")
    value = env.get(variable, "").strip()
    if not value:
        raise Misconfigured(f"connectors.{name}.{key}: the environment variable {variable} is not set.")
    return SecretStr(value)


@overload
def address(name: str, key: str, url: HttpUrl) -> str: ...
@overload
def address(name: str, key: str, url: HttpUrl | None) -> str | None: ...
def address(name: str, key: str, url: HttpUrl | None) -> str | None:
    """The address as text; None for None. Raises Misconfigured for plain http to another machine, and for user info."""
    if url is None:
        return None
    if url.username or url.password:
        raise Misconfigured(f"connectors.{name}.{key}: no name or password in an address. Use a key ending in `_env`.")
    if url.scheme != "https" and not loopback(url.host or ""):
        raise Misconfigured(f"connectors.{name}.{key}: use https. Plain http is accepted for this machine only.")
    return str(url)


def loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, `127.0.0.0/8` or `::1`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
