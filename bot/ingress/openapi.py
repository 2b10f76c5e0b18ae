"""How the routes that read their own bodies describe them in /openapi.json."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic import BaseModel

from bot.detection.event import Event

PROTOBUF = "application/x-protobuf"
EVENTS: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "/events": (
        "Events", "A JSON array, or one event a line. Up to 8 MiB as sent; gzip and zstd.",
        ("application/json", "application/x-ndjson"), "202",
    ),
    "/events/litellm": (
        "Events from LiteLLM", "What LiteLLM's callback `generic_api` posts, in each of its log formats.",
        ("application/json", "application/x-ndjson"), "202",
    ),
    "/v1/traces": ("Spans", "OTLP/HTTP: ExportTraceServiceRequest.", (PROTOBUF, "application/json"), "200"),
    "/v1/logs": ("Log records", "OTLP/HTTP: ExportLogsServiceRequest.", (PROTOBUF, "application/json"), "200"),
}  # fmt: skip
"""Address → title, what it takes, its content types, the status of its answer."""
ANSWER = {
    "type": "object",
    "required": ["accepted", "duplicates", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "duplicates": {"type": "integer"},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"index": {"type": "integer"}, "error": {"type": "string"}},
            },
        },
        "rejected_more": {"type": "integer", "description": "Bad events beyond the first 1000."},
    },
}


def accepts(model: type[BaseModel]) -> dict[str, Any]:
    """FastAPI's `openapi_extra` for a JSON body of this model. References are written out: they have no place there."""
    schema = model.model_json_schema()
    content = {"application/json": {"schema": _written_out(schema, schema.pop("$defs", {}))}}
    return {"requestBody": {"required": True, "content": content}}


def _written_out(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_written_out(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _written_out(definitions[part["$ref"].rpartition("/")[2]], definitions)
    return {key: _written_out(value, definitions) for key, value in part.items()}


def tell_of_events(app: FastAPI) -> None:
    """The routes of events are answered before FastAPI: they are added to what it says of its own."""
    own = app.openapi

    def whole() -> dict[str, Any]:
        schema = own()
        if "/events" not in schema["paths"]:
            _, shapes = msgspec.json.schema_components([Event], ref_template="#/components/schemas/{name}")
            schema.setdefault("components", {}).setdefault("schemas", {}).update(shapes)
            schema["paths"] |= {path: {"post": _event_route(path)} for path in EVENTS}
        return schema

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way ("Extending OpenAPI")


def _event_route(path: str) -> dict[str, Any]:
    title, takes, types, status = EVENTS[path]
    one = {"$ref": "#/components/schemas/Event"} if path == "/events" else {"type": "object"}
    body = {kind: {"schema": {"type": "array", "items": one} if kind == "application/json" and status == "202" else one}
            for kind in types}  # fmt: skip
    answer = {"description": "Taken; bad ones are named by index"}
    if status == "202":
        answer |= {"content": {"application/json": {"schema": ANSWER}}}  # type: ignore[dict-item]
    return {
        "summary": title,
        "description": takes,
        "requestBody": {"required": True, "content": body},
        "responses": {status: answer},
    }
