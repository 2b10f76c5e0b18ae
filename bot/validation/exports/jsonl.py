"""Payloads as JSONL, one a line, as `bot.validation.imports.lines` reads them."""

from __future__ import annotations

import json

from bot.validation.pack import Pack


def write(pack: Pack) -> str | None:
    lines = (
        {"id": payload.id, "incident": pack.incident, **payload.model_dump(mode="json")} for payload in pack.payloads
    )
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines) or None
