"""Payloads as PyRIT's seed prompts: a seed a turn, those of one conversation under one alias.

Shape: pyrit/models/seeds/seed_dataset.py. Its values are Jinja templates, so each is written as one that renders to the payload.
"""

from __future__ import annotations

from typing import Any

from bot.validation.exports.yaml_text import dumped
from bot.validation.literal import literal
from bot.validation.pack import Pack, Payload


def write(pack: Pack) -> str | None:
    if not pack.payloads:
        return None
    document = {
        "dataset_name": f"firsthour {pack.incident or pack.title}".strip(),
        "description": literal(pack.title) or "Payloads of an AI security incident.",
        "source": "firsthour",
        "data_type": "text",
        "seeds": [seed for payload in pack.payloads for seed in _seeds(payload)],
    }
    return dumped(document)


def _seeds(payload: Payload) -> list[dict[str, Any]]:
    several = len(payload.turns) > 1
    return [_seed(payload, turn, at if several else None) for at, turn in enumerate(payload.turns)]


def _seed(payload: Payload, turn: str, sequence: int | None) -> dict[str, Any]:
    seed: dict[str, Any] = {"value": literal(turn)}
    if sequence is not None:
        seed |= {"role": "user", "sequence": sequence, "prompt_group_alias": payload.id[:12]}
    if payload.name:
        seed["name"] = literal(payload.name)
    return {**seed, "metadata": {"id": payload.id, "placement": payload.placement.value}}
