"""The organisation's file (`FIRSTHOUR_CONFIG`): read as strictly as the playbook, and checked against it.

Decides that a mistyped key, role or source does not start. What the values mean is `bot.settings`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.playbook.playbook import Playbook
from bot.playbook.problem import PlaybookError, Problem, did_you_mean
from bot.playbook.read import explain
from bot.playbook.trigger import SINGLE_SUBJECTS
from bot.playbook.yaml_lines import Document, read_yaml
from bot.settings import Organisation


def load_organisation(path: Path | None, playbook: Playbook) -> Organisation:
    """The organisation as its file says; the defaults without one. Raises PlaybookError with file, line and fix."""
    if path is None:
        return Organisation()
    try:
        document = read_yaml(path.name, path.read_bytes())
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise PlaybookError([Problem(path.name, 1, f"cannot be read: {reason}", "correct FIRSTHOUR_CONFIG")]) from error
    if isinstance(document, Problem):
        raise PlaybookError([document])
    try:
        organisation = Organisation.model_validate(document.data)
    except ValidationError as error:
        raise PlaybookError(
            [p for detail in error.errors(include_url=False) for p in _explain(document, detail)]
        ) from error
    problems = list(_disagreements(document, organisation, playbook))
    if problems:
        raise PlaybookError(problems)
    return organisation


def _explain(document: Document, detail: ErrorDetails) -> list[Problem]:
    if detail["type"] != "extra_forbidden":
        return explain(document, detail)
    known = _known_beside(detail["loc"])
    key = str(detail["loc"][-1])
    return [document.problem(detail["loc"], f"unknown key “{key}”", did_you_mean(key, known, "remove it"))]


def _known_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that could stand where an unknown one does."""
    schema = Organisation.model_json_schema()
    here = schema
    for part in loc[:-1]:
        inner = here.get("properties", {}).get(part) or here.get("additionalProperties") or {}
        options = (*inner.get("allOf", []), *inner.get("anyOf", []))
        reference = inner.get("$ref") or next((option.get("$ref") for option in options), None)
        here = schema["$defs"][reference.rsplit("/", 1)[1]] if reference else inner
    return list(here.get("properties", {}))


def _disagreements(document: Document, organisation: Organisation, playbook: Playbook) -> Iterator[Problem]:
    for section, names, known in (
        ("roster", organisation.roster, playbook.roster_roles),
        ("sources", organisation.sources, playbook.sources),
        ("auto_contain_triggers", organisation.auto_contain_triggers, playbook.triggers),
    ):
        for name in names:
            if name not in known:
                fix = did_you_mean(name, known, "remove it")
                yield document.problem((section, name), f"the playbook has no such entry: “{name}”", fix)
    for name, alone in organisation.auto_contain_triggers.items():
        if alone and name in playbook.triggers and not set(playbook.triggers[name].subjects) & SINGLE_SUBJECTS:
            what, fix = f"“{name}” names no subject that can be contained alone", "remove it, or say false"
            yield document.problem(("auto_contain_triggers", name), what, fix)
    actions = {kind.value for kind in playbook.actions}
    for name, connector in organisation.connectors.items():
        for index, action in enumerate(connector.actions):
            if action not in actions:
                fix = did_you_mean(action, actions, "remove it")
                yield document.problem(("connectors", name, "actions", index), f"unknown action “{action}”", fix)
