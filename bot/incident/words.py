"""The fixed vocabulary: every enumerated value that is stored, shown or written in a playbook.

Decides the spelling of each word once. What a value allows is decided elsewhere: `lifecycle`, `approval`, `playbooks/`.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Severity(IntEnum):
    """SEV-1 is the worst. "P1" is the same as SEV-1 (the mission uses both)."""

    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4

    @property
    def label(self) -> str:
        """`SEV-1`: how people write it."""
        return f"SEV-{self.value}"

    @classmethod
    def parse(cls, text: str) -> Severity:
        """`1`, `sev1`, `SEV-1` and `P1` all name the same severity. Raises ValueError on anything else."""
        digit = text.strip().casefold().removeprefix("severity").removeprefix("sev").removeprefix("p").lstrip("- ")
        if digit not in {"1", "2", "3", "4"}:
            raise ValueError(
                f"“{text.strip()[:20]}” is not a severity. Use SEV-1 (worst) to SEV-4, for example `sev2`."
            )
        return cls(int(digit))


class Status(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTAINED = "contained"
    REMEDIATED = "remediated"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    FALSE_POSITIVE = "false_positive"
    DUPLICATE = "duplicate"


class Role(StrEnum):
    """Roles that one person holds in one incident."""

    COMMANDER = "commander"
    TECHNICAL_LEAD = "technical_lead"
    COMMUNICATIONS_LEAD = "communications_lead"
    LEGAL = "legal"
    SCRIBE = "scribe"


class Phase(StrEnum):
    PREPARATION = "preparation"
    TRIAGE = "triage"
    CONTAINMENT = "containment"
    INVESTIGATION = "investigation"
    REMEDIATION = "remediation"
    REVIEW = "review"

    @property
    def next(self) -> Phase | None:
        """The phase that follows in a room. The review begins with the resolution, never by itself."""
        order = [Phase.TRIAGE, Phase.CONTAINMENT, Phase.INVESTIGATION, Phase.REMEDIATION]
        return order[order.index(self) + 1] if self in order[:-1] else None


class Category(StrEnum):
    """The six attack categories of the mission's investigation table."""

    PROMPT_INJECTION = "prompt_injection"
    DATA_POISONING = "data_poisoning"
    MODEL_THEFT = "model_theft"
    ADVERSARIAL_INPUTS = "adversarial_inputs"
    SUPPLY_CHAIN = "supply_chain"
    INFRASTRUCTURE = "infrastructure"


class SubjectKind(StrEnum):
    """Who or what did it. Containment is scoped to a subject."""

    USER = "user"
    SESSION = "session"
    API_KEY = "api_key"
    IP = "ip"
    ENDPOINT = "endpoint"
    DOCUMENT = "document"
    APPLICATION = "application"
    CREDENTIAL = "credential"
    UNKNOWN = "unknown"


class ScopeKind(StrEnum):
    """What one containment action touches, smallest first."""

    SESSION = "session"
    USER = "user"
    API_KEY = "api_key"
    IP = "ip"
    DOCUMENT = "document"
    CREDENTIAL = "credential"
    ENDPOINT = "endpoint"
    APPLICATION = "application"
    EVERYONE = "everyone"

    @property
    def system_wide(self) -> bool:
        """True where people other than one subject are touched: two persons must approve (design law 8)."""
        return self in {ScopeKind.ENDPOINT, ScopeKind.APPLICATION, ScopeKind.EVERYONE}


class ActionKind(StrEnum):
    """The mission's eight containment actions."""

    BLOCK_USER = "block_user"
    ENABLE_SAFE_MODE = "enable_safe_mode"
    DISABLE_TOOLS = "disable_tools"
    RATE_LIMIT = "rate_limit"
    DISABLE_ENDPOINT = "disable_endpoint"
    ROTATE_CREDENTIALS = "rotate_credentials"
    FLUSH_MEMORY = "flush_memory"
    RESTRICT_RAG = "restrict_rag"


class ActionState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    EXECUTING = "executing"
    VERIFIED = "verified"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REVERTED = "reverted"
    DECLINED = "declined"
    EXPIRED = "expired"


class Decision(StrEnum):
    APPROVE = "approve"
    DECLINE = "decline"
    BREAK_GLASS = "break_glass"
    """Somebody had it carried out without the signatures it needs, and said why."""


class Via(StrEnum):
    """From where a person acted."""

    PANEL = "panel"
    """A button or form in the room."""
    COMMAND = "command"
    DIRECT = "direct_message"


class StepState(StrEnum):
    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"


class StepButton(StrEnum):
    """What a checklist step may carry beside Done."""

    PROPOSE_ACTION = "propose_action"
    ATTACH_EVIDENCE = "attach_evidence"
    START_VALIDATION = "start_validation"
    RESTORE = "restore"
    """Show what is in force, with Revert and Keep for each."""


class DetectionMethod(StrEnum):
    """The mission's five detection channels, and `drill` for an incident on purpose."""

    AUTOMATED = "automated"
    USER_REPORT = "user_report"
    SECURITY_TEAM = "security_team"
    EXTERNAL = "external"
    AUDIT = "audit"
    DRILL = "drill"


class ActorKind(StrEnum):
    PERSON = "person"
    ALERT = "alert"
    SYSTEM = "system"
    CONNECTOR = "connector"


class CanaryKind(StrEnum):
    """Where a canary was put, so that its meaning is known where it turns up (reference: domain.md §4.3.1)."""

    CREDENTIAL = "credential"
    SYSTEM_PROMPT = "system_prompt"
    DOCUMENT = "document"
    TOOL = "tool"
    UNKNOWN = "unknown"
    """Counts as a credential and as part of a system prompt; the worse one decides."""


class EvidenceKind(StrEnum):
    """What a piece of evidence is. A playbook says which kinds it wants before what is irreversible."""

    CREDENTIAL = "credential"
    """Text of an alert in which a credential was found."""
    TEXT = "text"
    """Text of an alert, or a note, that is nothing more special."""
    MODEL_STATE = "model_state"
    """Identifier, version, parameters, the system prompt's hash."""
    LOGS = "logs"
    ADVERSARIAL_INPUT = "adversarial_input"
    """What the attacker sent, with its context. Only this is replayed against a fix."""
    SCREENSHOT = "screenshot"
    TOOL_LOG = "tool_log"
    DOCUMENTS = "documents"
    """What retrieval handed to the model."""
    SNAPSHOT = "snapshot"
    """What a connector saw before it changed anything."""
    PACK = "pack"
    """A regression pack: payloads, indicators and controls that one validation replays."""
    OTHER = "other"


class EvidenceState(StrEnum):
    WAITING = "waiting"
    """Its bytes are on their way to the vault."""
    KEPT = "kept"
    LOST = "lost"
    """They could not be had any more: deleted in Slack, or the vault has them no longer."""
    HASH_ONLY = "hash_only"
    """Only its digest was ever stored (pieces of before the vault)."""


class RunState(StrEnum):
    """Of one validation of a fix."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


class TrialOutcome(StrEnum):
    """What one replay of one payload came to."""

    BLOCKED = "blocked"
    """A guardrail refused the call before or after the model."""
    REFUSED = "refused"
    ANSWERED_SAFELY = "answered_safely"
    ATTACK_SUCCEEDED = "attack_succeeded"
    INVALID = "invalid"
    """Nothing was learnt: authentication, an error, a time-out, an empty or unreadable answer."""


class Verdict(StrEnum):
    """Of a whole validation."""

    VERIFIED = "verified"
    INCOMPLETE = "incomplete"
    """An attack succeeded: the fix does not hold."""
    INCONCLUSIVE = "inconclusive"
    """Nothing succeeded, and it is not proven that nothing could."""


class ItemKind(StrEnum):
    """What an action item does about the next one."""

    PREVENT = "prevent"
    DETECT = "detect"
    RESPOND = "respond"
    PROCESS = "process"


class ItemState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    DROPPED = "dropped"


class Level(StrEnum):
    """Of a risk: how likely, how bad."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Treatment(StrEnum):
    """What is done about a risk."""

    MITIGATE = "mitigate"
    ACCEPT = "accept"
    TRANSFER = "transfer"
    AVOID = "avoid"
