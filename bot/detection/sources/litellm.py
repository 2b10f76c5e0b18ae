"""LiteLLM's `generic_api` callback: one record of a call becomes the prompt, the answer and the tools that it asks for.

Decides what a record means, measured on LiteLLM 1.106.2; each trap has a test. Fields that decide nothing are skipped unread,
unknown ones are none of our business, and a field of another type than expected is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from bot.detection.event import Data, Event, Kind, Stage, Tool
from bot.detection.sources import litellm_verdicts, messages, pieces, times, turns, words
from bot.detection.sources.decoded import Decoded, Malformed, Rejected, Slices
from bot.detection.sources.fields import LONGEST_APP, digest, first, name, number, record, records, whole
from bot.detection.sources.litellm_call import Call, session_of, user_of
from bot.detection.sources.native import UNREADABLE, storable

SOURCE = "litellm"
EACH = 100
"""Records in one slice: each becomes two events and more."""
NO_RECORD = "the event is no record of LiteLLM's generic_api: it has no litellm_call_id, id or status"


ONE = msgspec.json.Decoder(Call)


def decode(body: bytes, now: float, *, by_line: bool = False) -> Slices:
    """An array, lines, or one record (`log_format`). Raises Malformed where the body as a whole is none of them."""
    form = pieces.form(body, by_line=by_line)
    if form is pieces.Form.ARRAY:
        yield from _array(body, now)
        return
    if form is pieces.Form.OBJECT:
        if not pieces.is_value(body):
            raise Malformed("The body is not JSON. Is this LiteLLM's generic_api callback?")
        yield from _each([body], 0, now)
        return
    index = 0
    for piece in pieces.lines(body):
        group = pieces.split_lines(piece)
        yield from _each(group, index, now)
        index += len(group)


def _array(body: bytes, now: float) -> Slices:
    for index, group in pieces.array(body):
        yield from [Decoded(rejected=[Rejected(index, group)])] if isinstance(group, str) else _each(group, index, now)


def _each(group: Sequence[bytes], first_index: int, now: float) -> Slices:
    for start in range(0, len(group), EACH):
        decoded = Decoded()
        for index, raw in enumerate(group[start : start + EACH], first_index + start):
            _one(decoded, index, raw, now)
        yield decoded


def _one(decoded: Decoded, index: int, raw: bytes, now: float) -> None:
    try:
        made = list(events(ONE.decode(storable(raw)), now))
    except UNREADABLE as error:
        decoded.rejected.append(Rejected(index, words.unreadable(raw, error)))
        return
    said = next((said for event in made if (said := times.wrong(event.at, now))), None)
    if not made:
        decoded.rejected.append(Rejected(index, NO_RECORD))
    elif said is not None:
        decoded.rejected.append(Rejected(index, f"`startTime` or `endTime` {said}"))
    else:
        decoded.events.extend(made)


def events(call: Call, now: float) -> Iterator[Event]:
    """The prompt, what the model answered, and what it wants done. Nothing where it is no record of a call.

    A call whose time is missing or has no zone is taken to be of now: it was posted within seconds.
    """
    call_id = first(call.litellm_call_id, call.id)
    if call_id is None and call.status is None:
        return
    started, ended = times.read(call.startTime), times.read(call.endTime)
    begun = started if started is not None else ended if ended is not None else now
    over = ended if ended is not None else begun
    before, after = litellm_verdicts.verdicts(call, ended if call.succeeded else None)
    said = messages.of_response(call.response)
    refused = messages.refused(said) if said else None
    shared = _shared(call, call_id) | {"refused": refused, "delivered": call.delivered}
    mark = f"{call_id}:{call.status or ''}:{call.startTime or ''}"
    if call.call_type == "call_mcp_tool":
        yield _tool_run(call, shared, f"{mark}:tool", over)
        return
    asked = turns.turns(turns.asked(call.messages, call.call_type))
    if asked.earlier is not None:
        yield turns.resent(asked.earlier, begun, name(f"{mark}:earlier"), shared)
    yield Event(
        kind=Kind.LLM_CALL, occurred_at=begun, source_event_id=name(f"{mark}:input"), stage=Stage.INPUT, text=asked.new,
        verdicts=before, **shared,
    )  # fmt: skip
    text = messages.answer(said)
    if call.succeeded or text or after:
        yield Event(
            kind=Kind.LLM_CALL, occurred_at=over, source_event_id=name(f"{mark}:output"), stage=Stage.OUTPUT, text=text,
            verdicts=after, tokens=whole(call.total_tokens), latency_ms=_milliseconds(call.response_time), **shared,
        )  # fmt: skip
    yield from _asked_for(said, shared, mark, over)
    yield from _retrievals(call, shared, mark, begun)


def _shared(call: Call, call_id: str | None) -> dict[str, Any]:
    """What all events of one call have in common."""
    meta = record(call.metadata)
    user, kind = user_of(call, meta)
    return {
        "source": SOURCE,
        "call_id": call_id,
        "trace_id": name(call.trace_id),
        "session_id": session_of(call, meta),
        "user_id": user,
        "user_kind": kind,
        "app": name(first(meta.get("user_api_key_team_id"), meta.get("team_id")), LONGEST_APP),
        "tenant": first(meta.get("user_api_key_org_id")),
        "endpoint": first(call.model_group, call.model),
        "model": first(call.model, call.model_group),
    }


def _tool_run(call: Call, shared: dict[str, Any], mark: str, at: float) -> Event:
    """A tool that LiteLLM itself ran, over MCP: its result, where the record holds one. That is MCP's `CallToolResult` as its
    SDK dumps it: its version 2 writes names with underscores, before that they were as on the wire."""
    run = record(record(call.metadata).get("mcp_tool_call_metadata"))
    tool = Tool(
        name=first(run.get("name"), call.model) or "unknown", call_id=shared["call_id"],
        args_sha256=digest(run.get("arguments")), completed=call.succeeded,
    )  # fmt: skip
    given = run.get("result") or call.response
    held = record(given)
    data = [part for key in ("content", "structured_content", "structuredContent") if (part := held.get(key))]
    found = digest(data or given)
    failed = held.get("is_error") or held.get("isError")
    return Event(
        kind=Kind.TOOL_CALL if found is None else Kind.TOOL_RESULT, occurred_at=at, source_event_id=name(mark),
        stage=Stage.TOOL, tool=tool, data=Data(result_sha256=found, ok=call.succeeded and not failed),
        text=messages.answer(messages.of_response(given)), **shared,
    )  # fmt: skip


def _asked_for(said: object, shared: dict[str, Any], mark: str, at: float) -> Iterator[Event]:
    """The tools that the model wants called. Whether anybody calls them is not known."""
    for place, asked in enumerate(messages.calls(said)):
        tool = Tool(name=name(asked.name) or "unknown", call_id=name(asked.id), args_sha256=digest(asked.arguments))
        identity = name(f"{mark}:tool:{place}")
        yield Event(
            kind=Kind.TOOL_CALL, occurred_at=at, source_event_id=identity, stage=Stage.TOOL, tool=tool, **shared
        )


def _retrievals(call: Call, shared: dict[str, Any], mark: str, at: float) -> Iterator[Event]:
    """Searches in vector stores that LiteLLM made for this call."""
    for place, search in enumerate(records(record(call.metadata).get("vector_store_request_metadata"))):
        found = search.get("vector_store_search_response")
        rows = record(found).get("data")
        data = Data(
            query_sha256=digest(search.get("query")), result_sha256=digest(rows),
            rows=len(rows) if isinstance(rows, list) else None, ok=found is not None,
        )  # fmt: skip
        identity = name(f"{mark}:retrieval:{place}")
        yield Event(kind=Kind.RETRIEVAL, occurred_at=at, source_event_id=identity, data=data, **shared)


def _milliseconds(seconds: object) -> float | None:
    found = number(seconds)
    return None if found is None else found * 1000
