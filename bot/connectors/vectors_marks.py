"""How documents are marked: `quarantined: true`, which the application's filter looks at, and beside it whose mark it is.

Decides what is merged into the metadata and what is taken out of it again. Several orders may want one document out: it is
let back in, exactly as it was, when the last of them is reverted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from bot.connectors.contract import Order
from bot.connectors.vectors import BEFORE, OURS, Change, Document

ABSENT = "absent"
"""Kept as what stood in the application's field where it had none."""


def mark_of(order: Order) -> str:
    """The metadata key that says that this order wants it so."""
    return OURS + hashlib.sha256(order.key.encode()).hexdigest()[:12]


def marking(documents: Iterable[Document], field: str, mark: str) -> list[Change]:
    """The changes that take documents out of what the application's filter lets through."""
    groups: dict[tuple[str, str | None], list[str | int]] = {}
    for document in documents:
        before = None if BEFORE in document.fields else json.dumps(document.fields.get(field, ABSENT))
        groups.setdefault((document.collection, before), []).append(document.id)
    return [
        Change(collection, tuple(ids), {field: True, mark: True} | ({BEFORE: before} if before is not None else {}))
        for (collection, before), ids in groups.items()
    ]


def unmarking(documents: Iterable[Document], field: str, mark: str) -> list[Change]:
    """The changes that put back what stood there. Where another order wants it so too, only this order's mark goes."""
    groups: dict[tuple[str, str | None], list[str | int]] = {}
    for document in documents:
        before = None if document.others_marks(mark) else str(document.fields.get(BEFORE))
        groups.setdefault((document.collection, before), []).append(document.id)
    changes = []
    for (collection, before), ids in groups.items():
        if before is None:
            change = Change(collection, tuple(ids), {}, (mark,))
        elif before == json.dumps(ABSENT):
            change = Change(collection, tuple(ids), {}, (field, mark, BEFORE))
        else:
            change = Change(collection, tuple(ids), {field: json.loads(before)}, (mark, BEFORE))
        changes.append(change)
    return changes
