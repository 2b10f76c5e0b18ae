"""Containment: the eight actions, the plans made of them, and the policy of approving.

Decides what an action may touch, whether it can be undone, who approves. Leaves to `compose` what is proposed for one
incident, and to the connectors how it is carried out.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bot.incident.words import ActionKind, ScopeKind, Severity
from bot.playbook.model import Id, MitigationId, Model, Paragraph, SomeMinutes, Text, Title, one_of

SUBJECT: Literal["subject"] = "subject"


class SeverityApprovers(Model):
    severity: Severity
    roles: tuple[Id, ...] = Field(min_length=1)


class ActionPolicy(Model):
    id: ActionKind
    title: Title
    does: Text
    breaks: Text
    """What stops working while it is in force, and for whom: whoever approves weighs it against the harm."""
    scopes: tuple[ScopeKind, ...] = Field(min_length=1)
    """Allowed scopes, smallest first."""
    reversible: bool
    evidence_first: bool
    """True where the action changes or destroys evidence: a snapshot must exist before it runs."""
    runs_alone: bool = False
    """True where it may run by itself for a trigger marked `auto_contain`, on the single subject only."""
    verified_by: Text
    undone_by: Text
    approvers: tuple[Id, ...] = Field(min_length=1)
    """Roles of which any one may approve."""
    approvers_at: tuple[SeverityApprovers, ...] = ()
    """Other approvers at single severities, instead of `approvers`."""
    expires_minutes: SomeMinutes
    """A proposal that nobody decided is expired after this."""
    mitigations: tuple[MitigationId, ...] = ()

    @model_validator(mode="after")
    def _scopes_grow(self) -> Self:
        ranks = [list(ScopeKind).index(scope) for scope in self.scopes]
        if ranks != sorted(set(ranks)):
            raise ValueError(
                "list each scope once, smallest first: session, user, api_key, ip, document, credential, endpoint, …"
            )
        if self.runs_alone and (not self.reversible or self.evidence_first):
            raise ValueError("only a reversible action that leaves evidence alone may have `runs_alone: true`")
        return self

    @property
    def system_wide_scopes(self) -> tuple[ScopeKind, ...]:
        return tuple(scope for scope in self.scopes if scope.system_wide)

    def approvers_for(self, severity: Severity) -> tuple[str, ...]:
        """Roles of which any one may approve this action in an incident of `severity`."""
        special = [entry.roles for entry in self.approvers_at if entry.severity is severity]
        return special[0] if special else self.approvers


class ActionFile(Model):
    actions: tuple[ActionPolicy, ...]


EntryScope = Annotated[
    ScopeKind | Literal["subject"], BeforeValidator(one_of([SUBJECT, *(scope.value for scope in ScopeKind)]))
]


class PlanEntry(Model):
    """One line of a plan. `scope: subject` means the incident's own subject, whatever its kind, where the action allows it."""

    action: ActionKind
    scope: EntryScope
    why: Text
    if_evidence: Literal["credential"] | None = None
    """Offered only where the incident has evidence of this kind: without it, nothing says that this is at stake."""
    alternative_to: ActionKind | None = None
    """The action that this one replaces: one of the two is enough."""


class Changes(Model):
    """How a trigger or an attack category changes the severity's plan."""

    drop: tuple[ActionKind, ...] = ()
    add: tuple[PlanEntry, ...] = ()


class Plan(Model):
    id: Id
    title: Title
    description: Paragraph
    actions: tuple[PlanEntry, ...] = ()


class SecondPerson(Model):
    system_wide: bool = True
    irreversible: bool = True
    roles: tuple[Id, ...] = ()
    """Roles the second approver must have; empty means anyone in the room but the first."""


class ContainmentPolicy(Model):
    auto_contain: bool = True
    """The organisation's switch for reversible single-subject actions that run by themselves."""
    second_person: SecondPerson = SecondPerson()


class PlanFile(Model):
    policy: ContainmentPolicy
    plans: tuple[Plan, ...] = Field(min_length=1)


class Proposal(Model):
    """One containment action to offer in the room."""

    action: ActionKind
    scope: ScopeKind
    why: str
    auto: bool
    """It may run at once, visibly, with Revert beside it."""
    alternative_to: ActionKind | None
    on_subject: bool
    """The target is the incident's subject. Where False, whoever approves names the target (which credential, which endpoint)."""
