"""YAML from outside: plain data, without what makes a small file large.

Decides the limits: size, depth, and no anchors. Everything is looked at as a stream of events before anything is built.
"""

from __future__ import annotations

import yaml

LARGEST = 8 * 1024 * 1024
"""Characters."""
DEEPEST = 20
LOADER: type[yaml.CSafeLoader | yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one on libyaml where it was built in: ten times as fast."""


class NotSafe(Exception):
    """The file is refused; the message says why and what to do."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


def looks_like(text: str) -> bool:
    """Whether the first line that says something could begin such a file: a key, a comment, a marker."""
    line = next((line for line in text.split("\n", 200) if line.strip()), "")
    return line.startswith(("#", "---", "%")) or ":" in line


def load(text: str) -> object:
    """Raises NotSafe."""
    if len(text) > LARGEST:
        raise NotSafe(f"it has {len(text):,} characters, and at most {LARGEST:,} of YAML are read. Split it.")
    try:
        _check(text)
        return yaml.load(text, Loader=LOADER)  # noqa: S506 — both are safe loaders
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else None
        raise NotSafe(f"it is not YAML: {error.problem}. Mend it.", line) from None
    except yaml.YAMLError:
        raise NotSafe("it holds characters that YAML does not allow. Save it as UTF-8 text.") from None
    except ValueError:
        raise NotSafe("it holds a date or a number that there is not. Put it into quotes.") from None


def _check(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise NotSafe("it uses an alias (`*name`). Write the text out.", _line(event))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise NotSafe(f"it nests deeper than {DEEPEST} levels.", _line(event))


def _line(event: yaml.Event) -> int | None:
    return event.start_mark.line + 1 if event.start_mark is not None else None
