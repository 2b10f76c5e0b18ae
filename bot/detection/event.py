"""An event: one fact from an AI system, in the one shape that every source is brought to (reference: domain.md §2.1).

Decides the names, the words and the lengths of the native event. Whether its times can be believed, and what it means, is
decided further on. `text` is scanned and then taken away: what is kept of it is `marks`.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=300)]
"""Ids and names. What is longer is refused: it would be a key of every window."""
Digest = Annotated[str, msgspec.Meta(max_length=128)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
"""A count. What no double holds, no log and no state keeps."""
MOST = 100
"""Verdicts and signals of one event, categories of one verdict: rules walk through all of them. Real calls have a few."""
Several = msgspec.Meta(max_length=MOST)
TEXT = 1_000_000
"""Characters of a prompt or an answer."""


class Kind(StrEnum):
    LLM_CALL = "llm_call"
    GUARDRAIL = "guardrail"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    RETRIEVAL = "retrieval"
    DATA_QUERY = "data_query"
    CONFIG_CHANGE = "config_change"
    ALERT = "alert"
    REPORT = "report"


class UserKind(StrEnum):
    """What `user_id` names."""

    END_USER = "end_user"
    API_KEY = "api_key"
    IP = "ip"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    INPUT = "input"
    OUTPUT = "output"
    TOOL = "tool"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What a guardrail did. `flag` is seen and let through; `error` is no answer, and never counts as a block."""

    ALLOW = "allow"
    MASK = "mask"
    BLOCK = "block"
    FLAG = "flag"
    ERROR = "error"


class _Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """Flat and frozen: no cycles, so the collector need not look at them."""


class Verdict(_Struct, frozen=True):
    guardrail: Name
    outcome: Outcome
    categories: Annotated[tuple[Name, ...], Several] = ()
    score: float | None = None
    rule_id: Name | None = None


class Tool(_Struct, frozen=True):
    """`None` is not known, and never holds as true or as false."""

    name: Name
    call_id: Name | None = None
    args_sha256: Digest | None = None
    authorized: bool | None = None
    completed: bool | None = None
    side_effect: bool | None = None


class Data(_Struct, frozen=True):
    query_sha256: Digest | None = None
    result_sha256: Digest | None = None
    rows: Whole | None = None
    classification: Name | None = None
    ok: bool | None = None
    """The query succeeded."""


class Signal(_Struct, frozen=True):
    """What a source noticed by itself, for example a kind of probing."""

    name: Name
    detail: Name | None = None


class Event(_Struct, frozen=True):
    """Only `kind` and `occurred_at` are required. Times: RFC 3339 with an offset, or Unix seconds."""

    kind: Kind
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)] | float
    event_id: Name | None = None
    source: Name | None = None
    source_event_id: Name | None = None
    observed_at: Annotated[datetime, msgspec.Meta(tz=True)] | float | None = None
    tenant: Name | None = None
    app: Annotated[str, msgspec.Meta(max_length=120)] | None = None
    endpoint: Name | None = None
    environment: Name | None = None
    user_id: Name | None = None
    user_kind: UserKind = UserKind.END_USER
    session_id: Name | None = None
    trace_id: Name | None = None
    call_id: Name | None = None
    model: Name | None = None
    model_version: Name | None = None
    delivered: bool | None = None
    """Reached the user. `None`, not known, never counts as delivered."""
    stage: Stage = Stage.UNKNOWN
    verdicts: Annotated[tuple[Verdict, ...], Several] = ()
    tool: Tool | None = None
    data: Data | None = None
    signals: Annotated[tuple[Signal, ...], Several] = ()
    text: Annotated[str, msgspec.Meta(max_length=TEXT)] | None = None
    """A prompt (`stage: input`) or an answer. Scanned, never stored."""
    resent: bool = False
    """An input that an earlier call had told, sent again with a conversation: known to the user, and no new probing."""
    text_ref: Name | None = None
    excerpt_redacted: Annotated[str, msgspec.Meta(max_length=2000)] | None = None
    raw_sha256: Digest | None = None
    tokens: Whole | None = None
    latency_ms: float | None = None
    refused: bool | None = None
    """The model refused to answer. For the baselines of an application."""

    @property
    def at(self) -> float:
        """When it happened, in Unix seconds."""
        moment = self.occurred_at
        return moment if isinstance(moment, float) else moment.timestamp()


class MarkKind(StrEnum):
    SECRET = "secret"  # noqa: S105 — a word
    CANARY = "canary"
    FRAGMENT = "fragment"
    PROBE = "probe"
    IDENTIFIER = "identifier"


class Mark(_Struct, frozen=True):
    """What a scan found at one place of a text: never the text itself.

    `grade`: of a secret `validated_pattern`, `generic_pattern` or `placeholder`; of a canary its kind (`credential`,
    `system_prompt`, `document`, `tool`); of an identifier `strong` or `weak`.
    """

    kind: MarkKind
    name: str
    """The pattern, canary, fragment, kind of probing or kind of identifier."""
    grade: str = ""
    digest: str = ""
    """Keyed hash of what was found, the same wherever it is found."""
    last4: str = ""
    offset: int = 0
    """Characters from the start of the text."""
    how: str = "plain"
    """How it was hidden: `plain`, `base64`, `hex`, `reversed`, `spaced`, `zero_width` …"""
    owner: str = ""
    """Keyed hash of who an identifier belongs to."""
    coverage: float = 0.0
    """Of a fragment: how much of the whole prompt's shingles this text held, 0 to 1."""
    excluded: str = ""
    """The named exclusion that the scanner knows to hold here, for example `documentation_example`."""
    excerpt: str = ""
    """A redacted line around it, at most 200 characters."""


class Seen(_Struct, frozen=True):
    """An event after its scan: what the windows count, what the log keeps. Its text is gone."""

    event: Event
    marks: tuple[Mark, ...] = ()
    requester: str = ""
    """Keyed hash of the event's user, to be compared with an identifier's owner."""
    fingerprint: str = ""
    """Of an input that a guardrail blocked or flagged: the same for texts that differ in numbers, spaces, punctuation and case
    only. What a fleet is known by. Where a rule counts other inputs by it, of every input."""
    text_id: str = ""
    """Of an input that a guardrail blocked or flagged: the same for the very same text only. What is sent again and again is
    known by it."""
    arrived: float = 0.0
    """When it came to us, in Unix seconds of our clock."""
