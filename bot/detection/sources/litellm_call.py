"""One record of LiteLLM as it is read, and whose call it was.

Decides which of its fields are read, who counts as the user, and what counts as a session.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bot.detection.event import UserKind
from bot.detection.sources.fields import Record, first, record


class Call(msgspec.Struct, frozen=True, gc=False):
    """What is read of a StandardLoggingPayload. Everything may be missing, null, or of another type."""

    id: Any = None
    litellm_call_id: Any = None
    trace_id: Any = None
    session_id: Any = None
    call_type: Any = None
    status: Any = None
    status_fields: Any = None
    startTime: Any = None
    endTime: Any = None
    response_time: Any = None
    model: Any = None
    model_group: Any = None
    end_user: Any = None
    requester_ip_address: Any = None
    metadata: Any = None
    total_tokens: Any = None
    model_parameters: Any = None
    messages: Any = None
    response: Any = None
    guardrail_information: Any = None

    @property
    def succeeded(self) -> bool | None:
        return {"success": True, "failure": False}.get(str(self.status))

    @property
    def delivered(self) -> bool | None:
        """Of a stream that failed the first half was delivered, and nobody says which."""
        if self.succeeded is False and record(self.model_parameters).get("stream"):
            return None
        return self.succeeded


def user_of(call: Call, meta: Record) -> tuple[str | None, UserKind]:
    """The end user, else whose key it was, else where it came from (reference: domain.md §4.1)."""
    if (user := first(call.end_user, meta.get("user_api_key_end_user_id"))) is not None:
        return user, UserKind.END_USER
    if (key := first(meta.get("user_api_key_hash"))) is not None:
        return key, UserKind.API_KEY
    address = first(meta.get("requester_ip_address"), call.requester_ip_address)
    return address, UserKind.IP if address else UserKind.UNKNOWN


def session_of(call: Call, meta: Record) -> str | None:
    """What the caller named. LiteLLM makes a trace id for each call that names none: that is no session."""
    asked = record(meta.get("requester_metadata"))
    trace = first(call.trace_id)
    named = first(call.session_id, asked.get("session_id"))
    return named or (trace if trace != first(asked.get("trace_id"), call.litellm_call_id) else None)
