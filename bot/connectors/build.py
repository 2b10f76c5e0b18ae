"""The connectors of an organisation: from its file and the environment to live objects, or a refusal to start.

Decides which connector carries out which action, and what is refused at the start (law 7). What a kind needs is its
`Settings`'; kinds are found by `bot.connectors.kinds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.connectors.contract import MANUAL, Connector, Connectors, ConnectorSettings, HandedIn
from bot.connectors.kinds import settings_of
from bot.connectors.manual import Manual
from bot.connectors.manual import Settings as ManualSettings
from bot.incident.errors import Misconfigured
from bot.incident.words import ActionKind
from bot.settings import Organisation


def build(org: Organisation, env: Mapping[str, str], handed_in: Sequence[HandedIn] = ()) -> Connectors:
    """Every connector of the file, those handed in, and `manual` for what none claims.

    Nothing is sent yet. Raises Misconfigured naming connector, key and fix.
    """
    settings = {name: settings_of(name, entry) for name, entry in org.connectors.items()}
    _names_are_free(settings, handed_in)
    by_action = _claims(settings)
    for given in handed_in:
        for kind in given.enforces:
            by_action.setdefault(kind, given.connector.name)
    by_name: dict[str, Connector] = {MANUAL: Manual()}
    by_name |= {given.connector.name: given.connector for given in handed_in}
    by_name |= {name: one.connect(name, env) for name, one in settings.items()}
    return Connectors(by_name, by_action)


def _names_are_free(settings: Mapping[str, ConnectorSettings], handed_in: Iterable[HandedIn]) -> None:
    for name in settings:
        if name == MANUAL and not isinstance(settings[name], ManualSettings):
            raise Misconfigured(f"connectors.{name}: the name “manual” is taken by work by hand. Choose another name.")
        if name in {given.connector.name for given in handed_in}:
            raise Misconfigured(f"connectors.{name}: the name “{name}” is taken in this process. Choose another name.")


def _claims(settings: Mapping[str, ConnectorSettings]) -> dict[ActionKind, str]:
    """Which connector claims which action. Raises Misconfigured for one that is unknown, claimed twice or beyond its kind."""
    by_action: dict[ActionKind, str] = {}
    for name, one in settings.items():
        for kind in _claimed(name, one):
            if kind in by_action:
                raise Misconfigured(
                    f"connectors.{name}: {kind.value} is claimed by connectors.{by_action[kind]} already. "
                    "An action has one connector: remove it from one of them."
                )
            by_action[kind] = name
    return by_action


def _claimed(name: str, settings: ConnectorSettings) -> Iterable[ActionKind]:
    known = {kind.value for kind in ActionKind}
    for action in dict.fromkeys(settings.actions):
        if action not in known:
            raise Misconfigured(
                f"connectors.{name}: there is no action “{action[:40]}”. Actions are: {', '.join(sorted(known))}."
            )
        if ActionKind(action) not in settings.enforces:
            able = ", ".join(sorted(settings.enforces))
            raise Misconfigured(f"connectors.{name}: its kind cannot carry out {action}. It can: {able}.")
        yield ActionKind(action)
