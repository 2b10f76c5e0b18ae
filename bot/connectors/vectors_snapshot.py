"""What is kept of documents before they are marked: every id with a digest, and some metadata as evidence. Never texts.

Decides what of a document may stand in a snapshot. It tells a revert whether somebody changed the document since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from bot.connectors.vectors import Document
from bot.incident.columns import Json
from bot.incident.redact import redact

SHOWN = 20
"""Documents whose metadata is shown. Ids and digests of all of them are kept."""
LONGEST = 120
"""Characters of one value of the metadata: more is a text, of which the digest is enough."""


def taken(found: Sequence[Document], field: str) -> Json:
    return {
        "documents": [
            [one.collection, one.id, one.digest(field)]
            for one in found
            if redact(str(one.id)) == str(one.id)  # an id that is a secret is not kept
        ],
        "count": len(found),
        "metadata": [{"id": redact(str(one.id)), "metadata": _shown(one.fields)} for one in found[:SHOWN]],
    }


def digests(snapshot: Json | None) -> dict[tuple[str, str | int], str]:
    """Collection and id of each document, with the digest that it had."""
    return {(str(collection), one): str(digest) for collection, one, digest in (snapshot or {}).get("documents", ())}


def _shown(fields: Json) -> Json:
    return {redact(key): _clipped(value) for key, value in fields.items()}


def _clipped(value: object) -> object:
    """A short value redacted; of a long or nested one the digest."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    if isinstance(value, str) and len(text) <= LONGEST:
        return redact(text)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "characters": len(text)}
