"""PyRIT's seed prompts: YAML with `seeds:`, before version 1 `prompts:`.

Shape: pyrit/models/seeds/seed_dataset.py and its `.prompt` files: defaults at the top, `[{"value", "data_type", "seed_type",
"role", "sequence", "prompt_group_alias"}]`; entries with one alias are one conversation, parts with one `sequence` one turn.
Values are Jinja templates there, so text that only looks like one is wrapped by who writes the file: it is unwrapped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.validation.imports.found import SPOKEN, Item, Look, Problem
from bot.validation.imports.safe_yaml import NotSafe, load, looks_like
from bot.validation.literal import unwrapped

LISTS = ("seeds", "prompts")
ALIASES = ("prompt_group_alias", "prompt_group_id_alias")
LISTED = re.compile(r"^(?:seeds|prompts)[ \t]*:", re.MULTILINE)


def recognises(look: Look) -> bool:
    return look.whole is None and LISTED.search(look.text) is not None and looks_like(look.text)


def read(look: Look) -> Iterator[Item]:
    try:
        document = load(look.text)
    except NotSafe as error:
        yield look.problem(error.line, str(error))
        return
    if not isinstance(document, dict):
        document = {}
    listed = next((document[key] for key in LISTS if key in document), None)
    if not isinstance(listed, list) or not listed:
        yield look.problem(None, "its list of seeds is empty.")
        return
    groups: dict[object, list[tuple[int, dict[str, Any]]]] = {}
    for at, seed in enumerate(listed, 1):
        if not isinstance(seed, dict):
            yield look.problem(None, f"seed {at} is no seed: it needs a `value`.")
            continue
        alias = next((str(seed[key]) for key in ALIASES if seed.get(key)), None)
        groups.setdefault(alias or at, []).append((at, {**_defaults(document), **seed}))
    for group in groups.values():
        yield _conversation(look, group)


def _defaults(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document[key] for key in ("data_type", "seed_type", "dataset_name") if key in document}


def _conversation(look: Look, group: list[tuple[int, dict[str, Any]]]) -> Item:
    """One payload of the seeds that share an alias; mostly it is one seed."""
    first = group[0][0]
    prompts = [seed for _, seed in group if seed.get("seed_type") != "objective"] or [seed for _, seed in group]
    turns: dict[int, list[str]] = {}
    for seed in prompts:
        if str(seed.get("role") or "user").casefold() not in SPOKEN:
            continue
        if seed.get("data_type") not in (None, "text") or not isinstance(seed.get("value"), str):
            return look.problem(None, f"seed {first}: a part of it is no text; only text is replayed.")
        turns.setdefault(_sequence(seed), []).append(unwrapped(seed["value"]))
    said = ["\n".join(turns[sequence]) for sequence in sorted(turns)]
    found = look.payload(
        None, said, name=f"PyRIT {prompts[0].get('name') or prompts[0].get('dataset_name') or ''}".strip()[:200]
    )
    return look.problem(None, f"seed {first}: {found.why}") if isinstance(found, Problem) else found


def _sequence(seed: dict[str, Any]) -> int:
    sequence = seed.get("sequence")
    return sequence if isinstance(sequence, int) else 0
