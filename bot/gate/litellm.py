"""LiteLLM's Generic Guardrail API: `POST /beta/litellm_basic_guardrail_api`, before and after each model call.

Decides who calls by what LiteLLM's proxy established about the key, and how a verdict is carried out with its three
answers: NONE, BLOCKED, GUARDRAIL_INTERVENED (new texts in place of the old, as many as were sent). Measured against
LiteLLM 1.106.2: an empty `tools` or `images` takes nothing away, so what cannot be replaced is blocked; BLOCKED reaches
the caller as HTTP 400 with our words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from bot.gate.caller import Caller, Stage, targets_of
from bot.gate.gate import Gate
from bot.gate.verdict import NEUTRAL, Verdict
from bot.gate.wire import Answer, Asked, Names, Token, decode
from bot.incident.words import ScopeKind

PATH = "/beta/litellm_basic_guardrail_api"
EXAMPLE = '{"input_type": "request", "texts": ["…"], "request_data": {}}'
HIDDEN = "[present]"
"""What LiteLLM puts in place of a header's value unless `extra_headers` names the header."""
UNSEEN = "Reply with the single word: OK."
"""What the model is given in safe mode, in place of every text of the conversation."""
UNSEEN_TOOL: dict[str, object] = {
    "type": "function",
    "function": {"name": "none", "description": "None.", "parameters": {"type": "object", "properties": {}}},
}
"""What it is given in place of every tool: none cannot be sent, and descriptions are words, too."""
WORDS = frozenset({"text", "input_text", "output_text"})
"""Parts of a message whose text LiteLLM takes from `texts`; any other part would reach the model as it came."""

Id = str | int | None


class RequestData(msgspec.Struct, frozen=True):
    """What the proxy knows of the key that was used."""

    user_api_key_hash: Id = None
    user_api_key_user_id: Id = None
    user_api_key_end_user_id: Id = None
    user_api_key_team_id: Id = None


class Part(msgspec.Struct, frozen=True):
    type: str = ""


class Call(msgspec.Struct, frozen=True):
    """One hook call. Fields that decide nothing here are skipped unread, and unknown ones are none of our business."""

    input_type: Literal["request", "response"]
    request_data: RequestData = RequestData()
    texts: list[str] | None = None
    images: list[msgspec.Raw] | None = None
    tools: list[msgspec.Raw] | None = None
    tool_calls: list[msgspec.Raw] | None = None
    structured_messages: msgspec.Raw = msgspec.Raw(b"null")
    model: str | None = None
    litellm_trace_id: Id = None
    request_headers: dict[str, str] | None = None

    @property
    def carries_tools(self) -> bool:
        """A request's own history of tool calls is no new one; an answer's is."""
        return bool(self.tools if self.input_type == "request" else self.tool_calls)


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    action: Literal["NONE", "BLOCKED", "GUARDRAIL_INTERVENED"]
    blocked_reason: str | None = None
    texts: list[str] | None = None
    tools: list[dict[str, object]] | None = None


PASS = Reply("NONE")


class LiteLLM:
    def __init__(self, gate: Gate, token: Token, names: Names) -> None:
        self._gate, self._token, self._names = gate, token, names
        self._decode = msgspec.json.Decoder(Call)
        self._encode = msgspec.json.Encoder().encode
        self._pass = Answer(200, self._encode(PASS))

    async def __call__(self, asked: Asked) -> Answer:
        call = decode(self._decode, asked.body, EXAMPLE)
        verdict = await self._gate.decide(self._caller(call, asked))
        reply = _reply(call, verdict)
        return self._pass if reply is PASS else Answer(200, self._encode(reply))

    def _caller(self, call: Call, asked: Asked) -> Caller:
        """Headers come after what the proxy established itself: they may add an id, and never take one's place."""
        data = call.request_data
        inner = [
            (name.lower().encode(), value.encode())
            for name, value in (call.request_headers or {}).items()
            if value != HIDDEN
        ]
        established = targets_of(
            (kind, None if value is None else str(value))
            for kind, value in (
                (ScopeKind.USER, data.user_api_key_end_user_id),
                (ScopeKind.USER, data.user_api_key_user_id),
                (ScopeKind.API_KEY, data.user_api_key_hash),
                (ScopeKind.SESSION, call.litellm_trace_id),
                (ScopeKind.APPLICATION, data.user_api_key_team_id),
                (ScopeKind.ENDPOINT, call.model),
            )
        )
        named = self._names.targets((*asked.headers, *inner))
        return Caller(
            tuple(dict.fromkeys((*established, *named))) if named else established,
            Stage(call.input_type),
            call.carries_tools,
            probe=self._token.probe(asked.headers) or self._token.probe(inner),
            via="litellm",
        )


def _reply(call: Call, verdict: Verdict) -> Reply:
    if not verdict.allowed:
        return Reply("BLOCKED", verdict.message)
    if verdict.answer is None:
        return PASS
    if not _replaceable(call):
        return Reply("BLOCKED", f"{NEUTRAL} Reference: {verdict.reference}.")
    text = UNSEEN if call.input_type == "request" else verdict.answer
    tools = [UNSEEN_TOOL] if call.input_type == "request" and call.tools else None
    return Reply("GUARDRAIL_INTERVENED", texts=[text] * len(call.texts or ()), tools=tools)


def _replaceable(call: Call) -> bool:
    """Whether new texts replace all that the model, or the caller, would see."""
    if call.images or call.tool_calls:
        return False
    if call.input_type == "response":
        return True
    return _only_words(call.structured_messages) and _only_functions(call.tools or ())


def _only_functions(tools: Iterable[msgspec.Raw]) -> bool:
    """A provider's own tool (a search, an MCP server with its address) would be kept beside ours."""
    try:
        return all(msgspec.json.decode(tool, type=Part).type == "function" for tool in tools)
    except msgspec.DecodeError:
        return False


def _only_words(messages: msgspec.Raw) -> bool:
    """True where each message is a role and its words. A name, a file, a sound or reasoning would reach the model raw."""
    try:
        rows = msgspec.json.decode(messages, type=list[dict[str, msgspec.Raw]] | None) or []
        for row in rows:
            if any(bytes(value) != b"null" for key, value in row.items() if key not in ("role", "content")):
                return False
            content = bytes(row.get("content", b"null"))
            if content[:1] == b"[" and any(
                part.type not in WORDS for part in msgspec.json.decode(content, type=list[Part])
            ):
                return False
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
