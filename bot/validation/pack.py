"""A pack: what one validation replays, and how it knows that the attack worked. One JSON document, `firsthour-pack/1`.

Decides what a pack may hold, its limits and its one way of being written, so that the same content has the same SHA-256. How
other tools' files become packs is `imports`', how an attack is dressed differently is `variants`', and what an answer means
is the verdict's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from bot.detection.strict import Model
from bot.incident.errors import Invalid
from bot.validation.pack_parts import Indicator, IndicatorKind, Origin, Payload, Placement, Text, told

__all__ = ["Indicator", "IndicatorKind", "Origin", "Pack", "Payload", "Placement", "made", "merge", "parse_indicator"]

FORMAT: Literal["firsthour-pack/1"] = "firsthour-pack/1"
MOST_PAYLOADS, MOST_INDICATORS, MOST_CONTROLS = 10_000, 200, 1_000
PACK_BYTES = 32 * 1024 * 1024
"""Of a whole pack as it is written."""


class Pack(Model):
    format: Literal["firsthour-pack/1"] = FORMAT
    incident: str = Field(default="", pattern=r"^(INC-\d{1,9})?$")
    title: str = Field(default="", max_length=200)
    vulnerable_version: str | None = Field(default=None, min_length=1, max_length=200)
    """Of the target, when the attack worked."""
    payloads: tuple[Payload, ...] = Field(default=(), max_length=MOST_PAYLOADS)
    indicators: tuple[Indicator, ...] = Field(default=(), max_length=MOST_INDICATORS)
    benign: tuple[Text, ...] = Field(default=(), max_length=MOST_CONTROLS)
    """Innocent requests that must still be answered."""
    positive: tuple[Text, ...] = Field(default=(), max_length=MOST_CONTROLS)
    """Answers recorded when the attack worked: the indicators must fire on them."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: dict[str, int] = {}
        for at, payload in enumerate(self.payloads):
            if (first := seen.setdefault(payload.id, at)) != at:
                raise ValueError(f"payloads[{at}] is the same as payloads[{first}]. Take one of them out.")
        return self

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The one way of writing it: UTF-8 JSON, fields in their order. Raises Invalid where it is too large."""
        raw = f"{json.dumps(self.model_dump(mode='json'), ensure_ascii=False, indent=1)}\n".encode()
        _check_size(raw)
        return raw

    @classmethod
    def from_bytes(cls, raw: bytes) -> Pack:
        """Raises Invalid, which names the place and the fix and repeats no payload."""
        _check_size(raw)
        try:
            return cls.model_validate_json(raw.removeprefix(b"\xef\xbb\xbf"))
        except ValidationError as error:
            raise Invalid(told(error.errors(include_url=False))) from None


def merge(packs: Sequence[Pack]) -> Pack:
    """One pack of several, the first naming it. Equal payloads, indicators and controls are kept once.

    A payload that any of them has as the incident's own stays the incident's own. Raises Invalid where the packs name
    different vulnerable versions, or are too many together.
    """
    versions = sorted({pack.vulnerable_version for pack in packs if pack.vulnerable_version is not None})
    if len(versions) > 1:
        raise Invalid(
            f"The packs are of different vulnerable versions: {' and '.join(versions)}. Merge those of one version."
        )
    payloads: dict[str, Payload] = {}
    for payload in (payload for pack in packs for payload in pack.payloads):
        kept = payloads.setdefault(payload.id, payload)
        if payload.origin is Origin.ORIGINAL and kept.origin is not Origin.ORIGINAL:
            payloads[payload.id] = payload
    indicators = {(one.kind, one.value): one for pack in reversed(packs) for one in reversed(pack.indicators)}
    return made(
        incident=next((pack.incident for pack in packs if pack.incident), ""),
        title=next((pack.title for pack in packs if pack.title), ""),
        vulnerable_version=versions[0] if versions else None,
        payloads=payloads.values(),
        indicators=reversed(indicators.values()),
        benign=dict.fromkeys(text for pack in packs for text in pack.benign),
        positive=dict.fromkeys(text for pack in packs for text in pack.positive),
    )


def made(
    *,
    payloads: Iterable[Payload] = (),
    indicators: Iterable[Indicator] = (),
    benign: Iterable[str] = (),
    positive: Iterable[str] = (),
    incident: str = "",
    title: str = "",
    vulnerable_version: str | None = None,
) -> Pack:
    """A pack of these parts. Raises Invalid with the place and the fix."""
    try:
        return Pack(
            incident=incident,
            title=title,
            vulnerable_version=vulnerable_version,
            payloads=tuple(payloads),
            indicators=tuple(indicators),
            benign=tuple(benign),
            positive=tuple(positive),
        )
    except ValidationError as error:
        raise Invalid(told(error.errors(include_url=False))) from None


def parse_indicator(kind: IndicatorKind, value: str, name: str = "") -> Indicator:
    """Raises Invalid in words for who wrote it."""
    try:
        return Indicator(kind=kind, value=value, name=name)
    except ValidationError as error:
        raise Invalid(told(error.errors(include_url=False), "The indicator")) from None


def _check_size(raw: bytes) -> None:
    if len(raw) > PACK_BYTES:
        raise Invalid(
            f"The pack has {len(raw):,} bytes, and at most {PACK_BYTES:,} are taken. Split it into several packs."
        )
