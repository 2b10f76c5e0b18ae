"""The text of `/incident …` becomes a verb and the model that the verb reads.

Decides how a line is taken apart: only `"` quotes, fields in the order of `feature.positional`,
`--name value` for any field, booleans as bare `--name`, the last text takes the rest of the line. Raises nothing but
Invalid, which says what was wrong and shows a line that works. What a value may be is the model's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bot.incident.errors import Invalid
from bot.incident.visible import visible
from bot.slack.feature import Feature
from bot.slack.fields import convert, explain, is_flag, is_text, nearest
from bot.slack.text import escape
from bot.slack.typed import prose, repaired, word

C = TypeVar("C")
COMMAND = "/incident"
TOKEN = re.compile(r'"[^"]*"(?!\S)|<[^<>\s][^<>]*>|\S+')
FLAG = re.compile(r"--([A-Za-z][A-Za-z-]*)$")
INCIDENT = re.compile(r"inc-\d+$", re.IGNORECASE)


def about(features: Sequence[Feature[Any]], verb: str) -> Feature[Any]:
    """The feature of this verb. Raises Invalid."""
    return choose(features, verb)[0]


def choose(features: Sequence[Feature[C]], text: str) -> tuple[Feature[C], str]:
    """The feature whose verb begins the line, and what follows it. The longest verb wins. Raises Invalid."""
    line = text.strip()
    words = line.split(maxsplit=2)
    verbs = {feature.verb: feature for feature in features}
    for count in (2, 1):
        found = verbs.get(" ".join(words[:count]).casefold())
        if found is not None and len(words) >= count:
            return found, _after(line, count)
    said = words[0] if words else ""
    longer = [verb for verb in verbs if verb.startswith(f"{said.casefold()} ")]
    if longer:
        raise Invalid(f"Say more: {', '.join(f'`{COMMAND} {verb}`' for verb in longer)}.")
    meant = nearest(said, list(verbs))
    hint = f"Did you mean `{COMMAND} {meant}`? " if meant else ""
    raise Invalid(f"There is no verb “{_safe(said)}”. {hint}`{COMMAND} help` lists them all.")


def _after(line: str, words: int) -> str:
    rest = line.split(maxsplit=words)
    return rest[words] if len(rest) > words else ""


def names_only_an_incident(text: str) -> int | None:
    """`INC-12` and nothing else: the number, so that a bare verb can open its form for that incident."""
    word = text.strip()
    return int(word[4:]) if INCIDENT.fullmatch(word) and word.isascii() and len(word) < 14 else None


def parse(feature: Feature[Any], text: str) -> BaseModel:
    """The verb's model. Raises Invalid, and nothing else, whatever was typed."""
    line = repaired(text)
    given = _Line(feature, line).read()
    values: dict[str, object] = {}
    for name, value in given.items():
        try:
            values[name] = True if value is True else convert(feature.model.model_fields[name], str(value))
        except ValueError as error:
            raise _wrong(feature, escape(visible(str(error))), line, name) from None
    try:
        return feature.model.model_validate(values)
    except ValidationError as error:
        name, message = next(iter(explain(error, feature.model).items()))
        raise _wrong(feature, escape(visible(message)), line, name or None) from None


def usage(feature: Feature[Any]) -> str:
    """One line made from the model: `/incident sev <severity> [reason …] [--incident INC-12]`."""
    fields, parts = feature.model.model_fields, [COMMAND, feature.verb]
    for name in feature.positional:
        more = " …" if name == feature.positional[-1] and is_text(fields[name]) else ""
        shown = "INC-12" if name == "incident" else f"{name.replace('_', '-')}{more}"
        parts.append(f"<{shown}>" if fields[name].is_required() else f"[{shown}]")
    for name, info in fields.items():
        if name not in feature.positional:
            flag = f"--{name.replace('_', '-')}"
            takes = "" if is_flag(info) else " INC-12" if name == "incident" else " …"
            parts.append(f"[{flag}{takes}]")
    return " ".join(parts)


@dataclass
class _Line:
    """One line while it is read: what is still expected, and the text that takes the rest."""

    feature: Feature[Any]
    text: str
    found: dict[str, str | bool] = field(default_factory=dict)
    runs: list[list[re.Match[str]]] = field(default_factory=list)
    """Unbroken stretches of the text that takes the rest of the line."""

    def __post_init__(self) -> None:
        self.fields = self.feature.model.model_fields
        self.expected = list(self.feature.positional)
        self.tokens = list(TOKEN.finditer(self.text))

    def read(self) -> dict[str, str | bool]:
        while self.tokens:
            token = self.tokens.pop(0)
            flag = self._flag(token)
            if flag is not None:
                self._take_flag(flag)
            elif self.runs:
                self.runs[-1].append(token)
            else:
                self._take_word(token)
        if any(self.runs):
            self._put(self.expected[0], self._rest())
        return self.found

    def _flag(self, token: re.Match[str]) -> str | None:
        """The field that `--name` names. Raises Invalid on a name that no field has, outside of running text."""
        flag = FLAG.match(token[0])
        if flag is None:
            return None
        name = flag[1].casefold().replace("-", "_")
        if name in self.fields:
            return name
        if self.runs:
            return None
        known = [known.replace("_", "-") for known in self.fields]
        meant = nearest(flag[1], known)
        hint = f" Did you mean `--{meant}`?" if meant else ""
        raise _wrong(self.feature, f"`{_safe(token[0])}` is not known here.{hint}", self.text)

    def _take_flag(self, name: str) -> None:
        if is_flag(self.fields[name]):
            self._put(name, True)
        elif not self.tokens or self._flag(self.tokens[0]) is not None:
            raise _wrong(self.feature, f"`--{name.replace('_', '-')}` needs a value after it.", self.text, name)
        else:
            self._put(name, word(self.tokens.pop(0)[0]))
        if self.runs:
            self.runs.append([])

    def _take_word(self, token: re.Match[str]) -> None:
        unnamed = "incident" in self.fields and "incident" not in self.found
        if unnamed and INCIDENT.fullmatch(token[0]):
            self._put("incident", token[0])
            return
        while self.expected and self.expected[0] in self.found:
            self.expected.pop(0)
        if not self.expected:
            raise _wrong(self.feature, f"“{_safe(token[0])}” is more than this verb takes.", self.text)
        if len(self.expected) == 1 and is_text(self.fields[self.expected[0]]):
            self.runs.append([token])
        else:
            self._put(self.expected.pop(0), word(token[0]))

    def _put(self, name: str, value: str | bool) -> None:
        if name in self.found:
            raise _wrong(self.feature, f"The {name.replace('_', ' ')} is given twice.", self.text, name)
        self.found[name] = value

    def _rest(self) -> str:
        runs = [run for run in self.runs if run]
        if len(runs) == 1 and len(runs[0]) == 1:
            return word(runs[0][0][0])
        return prose(" ".join(self.text[run[0].start() : run[-1].end()] for run in runs))


def _safe(text: str) -> str:
    """Something that was typed, in an error message: short, and unable to mention or to end its code span."""
    return escape(visible(prose(text)[:40]).replace("`", "'"))


def _wrong(feature: Feature[Any], message: str, line: str, name: str | None = None) -> Invalid:
    """The error (mrkdwn that is safe), with the example of the verb that is most like what was typed."""
    typed = set(line.casefold().split())
    example = max(feature.examples, key=lambda one: len(typed & set(one.casefold().split())), default=usage(feature))
    return Invalid(message, example=example, field=name)
