"""How the routes that read their own bodies describe them in /openapi.json."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


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
