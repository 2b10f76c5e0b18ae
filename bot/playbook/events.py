"""The mapping of OpenTelemetry's GenAI names (`playbooks/events/otlp.yaml`).

Decides the file's shape: a field that no event has, or a word that is no kind, outcome or stage, is refused with its line.
Leaves what a span means to `bot.detection.sources.otlp`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from bot.detection.event import Kind, Outcome, Stage
from bot.detection.sources.otlp_names import FIELDS, Carries, Names
from bot.playbook.model import Model, one_of

Attribute = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=200)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100)]
FieldName = Annotated[str, BeforeValidator(one_of(FIELDS))]
Attributes = Annotated[tuple[Attribute, ...], Field(min_length=1)]


class OtlpFile(Model):
    kinds: Mapping[Attribute, Mapping[Word, Kind]] = Field(min_length=1)
    marked: Mapping[Attribute, Kind] = Field(default_factory=dict)
    events: Mapping[Attribute, Carries] = Field(default_factory=dict)
    gateway: tuple[Attribute, ...] = ()
    fields_: Mapping[FieldName, Attributes] = Field(alias="fields")
    flat: Mapping[Literal["input", "output"], Attributes] = Field(default_factory=dict)
    outcomes: Mapping[Word, Outcome]
    stages: Mapping[Word, Stage]

    @field_validator("outcomes", "stages")
    @classmethod
    def _in_lower_case(cls, words: Mapping[str, object]) -> Mapping[str, object]:
        if shouted := [word for word in words if word != word.lower()]:
            raise ValueError(f"“{shouted[0]}” is never found: write it in lower case")
        return words

    @property
    def names(self) -> Names:
        """As the decoder wants it: a field that the file leaves out has no names."""
        return Names(
            kinds=self.kinds, marked=self.marked, events=self.events, gateway=self.gateway,
            fields={name: self.fields_.get(name, ()) for name in FIELDS},
            flat={side: self.flat.get(side, ()) for side in ("input", "output")},
            outcomes=self.outcomes, stages=self.stages,
        )  # fmt: skip
