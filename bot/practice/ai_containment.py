"""Containment of the practice AI app: what is in force, for whom, and whether a call is let through.

Decides by behaviour: every action changes what ``/api/v1/chat`` really does. Applying is idempotent by key; how often
each key was really carried out is counted, so that a checker can see that nothing happened twice.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.practice.ai_model import Model

ACTIONS = (
    "block_user",
    "rate_limit",
    "enable_safe_mode",
    "disable_tools",
    "disable_endpoint",
    "rotate_credentials",
    "flush_memory",
    "restrict_rag",
)
SCOPES = ("user", "session", "api_key", "ip", "endpoint", "application", "everyone", "document", "credential")
WINDOW = 60.0
APPLICATION = "practice-chat"


class NotPossible(Exception):
    """The admin asked for something that cannot be done; the text says why."""


@dataclass(frozen=True)
class Caller:
    """Who asks: everything a scope can name."""

    user: str
    session: str
    api_key: str
    ip: str
    endpoint: str
    probe: bool = False
    """a verification call: limited apart from real traffic, and told of by no event"""

    @property
    def application(self) -> str:
        return APPLICATION

    def within(self, kind: str, wanted: str) -> bool:
        """Whether a scope covers this caller."""
        if kind == "everyone":
            return True
        if kind == "application":
            return wanted in (APPLICATION, "", "*")
        return kind in ("user", "session", "api_key", "ip", "endpoint") and getattr(self, kind) == wanted


@dataclass
class Active:
    """One containment in force."""

    action: str
    kind: str
    id: str
    incident: str
    key: str
    since: float


@dataclass
class Containment:
    """Everything in force, and the log of what was carried out."""

    model: Model
    now: Callable[[], float]
    new_credential: Callable[[], str]
    active: dict[tuple[str, str, str], Active] = field(default_factory=dict)
    attempts: Counter[str] = field(default_factory=Counter)
    executions: Counter[str] = field(default_factory=Counter)
    reverts: Counter[str] = field(default_factory=Counter)
    old_credentials: list[str] = field(default_factory=list)
    _hits: dict[tuple[str, ...], list[float]] = field(default_factory=dict)

    def apply(self, action: str, kind: str, wanted: str, incident: str, key: str) -> str:
        """Carry an action out once per key; answers ``applied`` or ``already``."""
        if action not in ACTIONS:
            raise NotPossible(f"unknown action {action}")
        if kind not in SCOPES:
            raise NotPossible(f"unknown scope {kind}")
        if self.executions[key]:
            return "already"
        self._do(action, kind, wanted)
        self.executions[key] += 1
        self.active[(action, kind, wanted)] = Active(action, kind, wanted, incident, key, self.now())
        return "applied"

    def _do(self, action: str, kind: str, wanted: str) -> None:
        match action:
            case "rotate_credentials":
                self.old_credentials.append(self.model.credential)
                self.model.credential = self.new_credential()
            case "flush_memory":
                self._quarantine_memory(kind, wanted, True)
            case "restrict_rag":
                self._quarantine_documents(kind, wanted, True)

    def revert(self, action: str, kind: str, wanted: str) -> str:
        """Take an action back; answers ``reverted`` or ``absent``."""
        if action == "rotate_credentials":
            raise NotPossible("a rotated credential cannot be brought back")
        found = self.active.pop((action, kind, wanted), None)
        if found is None:
            return "absent"
        self.reverts[found.key] += 1
        if action == "flush_memory":
            self._quarantine_memory(kind, wanted, False)
        elif action == "restrict_rag":
            self._quarantine_documents(kind, wanted, False)
        elif action == "rate_limit":
            self._hits = {name: hits for name, hits in self._hits.items() if name[:2] != (kind, wanted)}
        return "reverted"

    def _quarantine_memory(self, kind: str, wanted: str, value: bool) -> None:
        for one in self.model.memories:
            if kind in ("everyone", "application") or getattr(one, kind, None) == wanted:
                one.quarantined = value

    def _quarantine_documents(self, kind: str, wanted: str, value: bool) -> None:
        if kind == "document" and wanted not in self.model.documents:
            raise NotPossible(f"there is no document {wanted}")
        for one in self.model.documents.values():
            if kind != "document" or one.id == wanted:
                one.quarantined = value

    def in_force(self, action: str, caller: Caller) -> Active | None:
        """The containment of an action that covers a caller."""
        for one in self.active.values():
            if one.action == action and caller.within(one.kind, one.id):
                return one
        return None

    def over_limit(self, caller: Caller) -> bool:
        """One request a minute, sliding; a refused request does not extend the wait. Probes count apart."""
        found = self.in_force("rate_limit", caller)
        if found is None:
            return False
        person = caller.user if found.kind in ("endpoint", "application", "everyone") else ""
        name = (found.kind, found.id, person, "probe" if caller.probe else "")
        recent = [at for at in self._hits.get(name, []) if self.now() - at < WINDOW]
        self._hits[name] = recent if recent else [self.now()]
        return bool(recent)

    def credential_valid(self, credential: str) -> bool:
        """Whether the payments API would take this credential."""
        return secrets.compare_digest(credential.encode(), self.model.credential.encode())
