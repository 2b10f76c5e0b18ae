"""The kinds of connectors that are installed, ours and anybody's: entry points of the group `firsthour.connectors`.

Decides how a kind is found, loaded and given its part of the file. A kind is imported only where the file names it, so
that a library which one kind needs is nobody else's. What its keys mean is the kind's.
"""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.connectors.contract import ConnectorSettings
from bot.incident.errors import Misconfigured
from bot.settings import ConnectorEntry

GROUP = "firsthour.connectors"


def settings_of(name: str, entry: ConnectorEntry) -> ConnectorSettings:
    """What `connectors.<name>` says, checked by its kind. Raises Misconfigured naming the key and what may stand there."""
    kind = load(name, entry.kind)
    try:
        return kind.model_validate(entry.model_dump(exclude_unset=True))
    except ValidationError as error:
        problems = [_explain(name, entry.kind, kind, detail) for detail in error.errors(include_url=False)]
    raise Misconfigured("\n".join(problems))  # outside the `except`: the values of the file stay out of any trace


def load(name: str, kind: str) -> type[ConnectorSettings]:
    """The settings of a kind. Raises Misconfigured where none or two have that name, or where a library is missing."""
    installed = entry_points(group=GROUP)
    found = {point.value: point for point in installed.select(name=kind)}  # once each, however often it is on the path
    if not found:
        known = ", ".join(sorted(installed.names))
        raise Misconfigured(f"connectors.{name}: there is no kind “{kind[:40]}”. Kinds are: {known}.")
    if len(found) > 1:
        raise Misconfigured(
            f"connectors.{name}: several packages bring a kind “{kind}” ({', '.join(sorted(found))}). Remove all but one."
        )
    return _imported(name, next(iter(found.values())))


def _imported(name: str, point: EntryPoint) -> type[ConnectorSettings]:
    settings: object = None
    try:
        settings = point.load()
    except AttributeError:  # its module has no such name
        pass
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == point.module.partition(".")[0]:
            raise Misconfigured(f"connectors.{name}: the kind “{point.name}” is not in this version.") from error
        raise Misconfigured(
            f"connectors.{name}: the kind “{point.name}” needs the library {missing}, which is not installed: "
            f"`pip install {_extra(point, missing) or missing}`."
        ) from error
    if not (isinstance(settings, type) and issubclass(settings, ConnectorSettings)):
        raise Misconfigured(f"connectors.{name}: {point.value} is no ConnectorSettings. See docs/connectors.md.")
    return settings


def _extra(point: EntryPoint, library: str) -> str | None:
    """`firsthour[aws]`: the extra of the kind's own package that brings the library."""
    if point.dist is None:
        return None
    for line in point.dist.requires or ():
        wanted = re.match(r"([\w.-]+).*extra\s*==\s*['\"]([\w.-]+)", line)
        if wanted and wanted[1].replace("-", "_").casefold() == library.casefold():
            return f"{point.dist.name}[{wanted[2]}]"
    return None


def _explain(name: str, word: str, kind: type[ConnectorSettings], detail: ErrorDetails) -> str:
    """One problem in words. The value is never shown: a secret may stand there by mistake."""
    key = ".".join(str(part) for part in detail["loc"])
    allowed = ", ".join(sorted(kind.model_fields))
    match detail["type"]:
        case "extra_forbidden":
            return f"connectors.{name}.{key}: a {word} connector has no such key. Its keys are: {allowed}."
        case "missing":
            return f"connectors.{name}.{key}: a {word} connector needs this key."
        case _:
            return f"connectors.{name}.{key}: {detail['msg'].removeprefix('Value error, ')}."
