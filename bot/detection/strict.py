"""The base of every model that people write as data: frozen, strict about keys, and the few small types that rules share.

Decides how an id looks and that an unknown key is refused with the known ones at hand. It lies down here because the rules
of detection are such models; the playbook room builds on the same base.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Minutes = Annotated[int, Field(strict=True, ge=0, le=60 * 24 * 365)]
Count = Annotated[int, Field(strict=True, ge=0)]
SomeMinutes = Annotated[int, Field(strict=True, ge=1, le=60 * 24 * 365)]
SomeCount = Annotated[int, Field(strict=True, ge=1)]
"""At least one. Types of their own: of `Count = Field(ge=1)` pydantic takes the bound that lies inside, which is the 0."""


class Model(BaseModel):
    """Base of all models that are written as YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        """Before pydantic's own check, so that the known keys are at hand for “did you mean”."""
        if isinstance(data, dict):
            known = {info.alias or name for name, info in cls.model_fields.items()}
            unknown = [key for key in data if key not in known]
            if unknown:
                raise PydanticCustomError("unknown_keys", "unknown keys", {"keys": unknown, "known": sorted(known)})
        return data
