"""One span as events.

Decides what each kind of span tells. A span of the gateway that answers the user says by its success that the answer was
delivered; of any other span that is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.detection.event import Data, Event, Kind, Outcome, Stage, Tool, Verdict
from bot.detection.sources import messages, turns
from bot.detection.sources.fields import digest, name, number, parsed, storable, text, whole
from bot.detection.sources.guardrails import counted
from bot.detection.sources.otlp_context import Context, delivered, found, kind, truth
from bot.detection.sources.otlp_names import Names
from bot.detection.sources.otlp_told import Told

NANO = 1e9
MESSAGES = 200
"""Of a conversation that is spread over attributes."""


def of_span(told: Told, context: Context, names: Names) -> Iterator[Event]:
    match kind(told, names):
        case Kind.LLM_CALL:
            yield from _call(told, context, names)
        case Kind.TOOL_CALL:
            yield from _tool(told, context, names)
        case Kind.RETRIEVAL:
            yield _retrieval(told, context, names)
        case Kind.GUARDRAIL:
            yield from verdict(told, context, names)
        case _:
            return


def common(told: Told, context: Context, names: Names) -> dict[str, Any]:
    return context.who(told, names) | {
        "source": "otlp",
        "trace_id": name(told.trace),
        "environment": name(found(told, "environment", names)),
    }


def _call(told: Told, context: Context, names: Names) -> Iterator[Event]:
    said = spoken(told, "output", names)
    shared = common(told, context, names) | {
        "kind": Kind.LLM_CALL,
        "model_version": name(found(told, "model_version", names)),
        "delivered": delivered(told, names),
        "refused": _refused(said, parsed(found(told, "finish_reasons", names))),
    }
    asked = turns.turns(spoken(told, "input", names))
    if asked.earlier is not None:
        yield turns.resent(asked.earlier, started(told), _id(told, "earlier"), shared)
    yield Event(
        occurred_at=started(told), source_event_id=_id(told, "input"), stage=Stage.INPUT, text=asked.new, **shared
    )
    answer = messages.answer(said)
    if answer is None and told.failed:
        return
    yield Event(
        occurred_at=ended(told), source_event_id=_id(told, "output"), stage=Stage.OUTPUT, text=answer,
        tokens=_tokens(told, names), latency_ms=_milliseconds(told), **shared,
    )  # fmt: skip


def _tool(told: Told, context: Context, names: Names) -> Iterator[Event]:
    """The call, and its result where the span carries one."""
    shared = common(told, context, names) | {"stage": Stage.TOOL}
    tool_name = name(found(told, "tool_name", names)) or name(told.name) or "unknown"
    call_id = name(found(told, "tool_call_id", names)) or name(told.span)
    yield Event(
        kind=Kind.TOOL_CALL, occurred_at=ended(told), source_event_id=_id(told, "tool"), **shared,
        tool=Tool(
            name=tool_name, call_id=call_id, args_sha256=digest(parsed(found(told, "tool_arguments", names))),
            authorized=truth(found(told, "tool_authorized", names)), completed=not told.failed,
            side_effect=truth(found(told, "tool_side_effect", names)),
        ),
    )  # fmt: skip
    result = found(told, "tool_result", names)
    if result is not None:
        yield Event(
            kind=Kind.TOOL_RESULT, occurred_at=ended(told), source_event_id=_id(told, "result"), **shared,
            tool=Tool(name=tool_name, call_id=call_id), data=Data(result_sha256=digest(parsed(result)), ok=not told.failed),
            text=text(result) if isinstance(result, str) else None,
        )  # fmt: skip


def _retrieval(told: Told, context: Context, names: Names) -> Event:
    documents = parsed(found(told, "documents", names))
    data = Data(
        query_sha256=digest(found(told, "query", names)), result_sha256=digest(documents),
        rows=len(documents) if isinstance(documents, list) else None, ok=not told.failed,
    )  # fmt: skip
    return Event(
        kind=Kind.RETRIEVAL, occurred_at=ended(told), source_event_id=_id(told, "retrieval"), data=data,
        **common(told, context, names),
    )  # fmt: skip


def verdict(told: Told, context: Context, names: Names) -> Iterator[Event]:
    """A guardrail's. LiteLLM exports one and the same twice, under two parents: its trace, name and start tell."""
    guardrail = name(found(told, "guardrail_name", names)) or name(told.name) or "unknown"
    outcome = names.outcomes.get(str(found(told, "guardrail_outcome", names)).lower())
    if outcome is None:
        return
    call = context.around(told)
    masked = counted(parsed(found(told, "guardrail_masked", names)))
    if (outcome is Outcome.ALLOW and masked) or (outcome is Outcome.BLOCK and masked and call and not call.failed):
        outcome = Outcome.MASK
    judged = Verdict(
        guardrail=guardrail, outcome=outcome, score=number(found(told, "guardrail_score", names)),
        categories=_categories(parsed(found(told, "guardrail_categories", names))),
    )  # fmt: skip
    at = f"{told.trace}:{guardrail}:{told.started}" if told.started else _id(told, "verdict")
    yield Event(
        kind=Kind.GUARDRAIL, occurred_at=started(told), source_event_id=name(at), verdicts=(judged,),
        stage=names.stages.get(str(found(told, "guardrail_stage", names)).lower(), Stage.UNKNOWN),
        delivered=context.delivered(told, names), **common(told, context, names),
    )  # fmt: skip


def spoken(told: Told, side: str, names: Names) -> object:
    """The messages of one side: in one attribute, spread over several, or in events of the span."""
    whole_ = found(told, side, names)
    if whole_ is not None:
        return parsed(whole_)
    for prefix in names.flat[side]:
        if listed := _flat(told.attributes, prefix):
            return listed
    wanted = (side, "both", "answered") if side == "input" else (side, "both")
    carried = [event for event in told.inner if names.events.get(event.name) in wanted]
    return [said for event in carried if (said := carried_by(event, side, names)) is not None] or None


def carried_by(event: Told, side: str, names: Names) -> object:
    """What an event of a span, or a log record, carries of one side."""
    body = event.body if isinstance(event.body, dict) else event.attributes
    if names.events.get(event.name) == "answered":
        return {"role": "assistant"}
    said = found(event, side, names)
    if said is not None:
        role = body.get("role") or ("user" if side == "input" else "assistant")
        return said if isinstance(parsed(said), list) else {"role": role, "content": said}
    return body.get("message") or body


def _flat(attributes: Mapping[str, object], prefix: str) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for index in range(MESSAGES):
        for between in ("", "message."):
            at = f"{prefix}.{index}.{between}"
            if (content := attributes.get(f"{at}content")) is not None or f"{at}role" in attributes:
                listed.append({"role": attributes.get(f"{at}role"), "content": content})
                break
        else:
            return listed
    return listed


def started(told: Told) -> float:
    """Unix seconds; 0 where the span says no time."""
    return (told.started or told.ended) / NANO


def ended(told: Told) -> float:
    return (told.ended or told.started) / NANO


def _id(told: Told, what: str) -> str | None:
    return f"{told.trace}:{told.span}:{what}" if told.span else None


def _tokens(told: Told, names: Names) -> int | None:
    total = whole(found(told, "tokens", names))
    parts = [whole(found(told, side, names)) for side in ("input_tokens", "output_tokens")]
    known = [part for part in parts if part is not None]
    return total if total is not None else sum(known) if known else None


def _milliseconds(told: Told) -> float | None:
    return (told.ended - told.started) / 1e6 if told.started and told.ended >= told.started else None


def _refused(said: object, reasons: object) -> bool | None:
    """None where nothing is known of the answer."""
    if not said and not reasons:
        return None
    listed = reasons if isinstance(reasons, list) else [reasons]
    return messages.refused(said) or any(reason in messages.REFUSALS for reason in listed if isinstance(reason, str))


def _categories(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return tuple(storable(known) for each in listed if (known := name(each)) is not None)[:10]
