"""Alert sources: how somebody else's webhook becomes our native alert, as JMESPath, and how it proves who sent it.

Decides the mapping's shape and that every expression compiles. Leaves receiving, checking and deduplicating to ingress.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.incident.words import Severity
from bot.playbook.model import Id, Model, Text, Title, one_of

FIELDS = (
    "trigger",
    "title",
    "severity",
    "subject_kind",
    "subject_id",
    "app",
    "session_id",
    "external_id",
    "started_at",
    "summary",
)
FieldName = Annotated[str, BeforeValidator(one_of(FIELDS))]


def _compiles(expression: str) -> str:
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {' '.join(str(error).split())}") from error
    return expression


Expression = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_compiles)]


class Auth(Model):
    """How a delivery proves its sender. The secret itself is never here: the organisation's file names it."""

    kind: Literal["bearer", "hmac"]
    header: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    algorithm: Literal["sha256"] | None = None
    encoding: Literal["hex", "base64"] | None = None
    prefix: str = ""
    """Before each signature, e.g. `v1=`."""
    separator: str | None = None
    """Between several signatures in one header, during a rotation."""
    timestamp_header: str | None = None
    """Where set, the signature is over `timestamp:body`."""

    @model_validator(mode="after")
    def _hmac_is_whole(self) -> Self:
        whole = self.algorithm is not None and self.encoding is not None
        if (self.kind == "hmac") != whole:
            raise ValueError("`kind: hmac` needs `algorithm` and `encoding`; `bearer` has neither")
        return self


class Source(Model):
    name: Id
    title: Title
    note: Text
    auth: Auth
    items: Expression
    """The list of alerts in the body; each field is then read from one item."""
    fields: Mapping[FieldName, Expression]
    dedup: tuple[Expression, ...] = Field(min_length=1)
    """Together they name one alert: a second delivery with the same values counts once."""
    ignore_when: Expression | None = None
    """True of an item that is not taken at all."""
    resolved: Expression | None = None
    """True of an item saying that the outside considers it over: it is noted in the open incident and never closes it."""
    severities: Mapping[str, Severity] = Field(default_factory=dict)
    """The outside's words for severity; a word not listed leaves it to the trigger."""
    triggers: Mapping[str, Id] = Field(default_factory=dict)
    """The outside's alert names for our triggers; a name not listed is taken as it stands."""

    @model_validator(mode="after")
    def _names_itself(self) -> Self:
        missing = {"title", "external_id"} - set(self.fields)
        if missing:
            raise ValueError(f"`fields` needs {', '.join(sorted(missing))}")
        return self
