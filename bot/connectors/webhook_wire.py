"""A webhook's request and answers on the wire.

Every request is signed: `X-Firsthour-Signature: t=<unix>,v1=<hex>`, the HMAC-SHA256 of `t.body` (of `t.query` for a
verification by GET). The body holds ids only. Users' receivers depend on this: `docs/connectors.md` says it to them.
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import BaseModel, NonNegativeInt, SecretStr

from bot.connectors.contract import Order


class Radius(BaseModel):
    """What a receiver answers to a plan. Anything else in it is not looked at."""

    calls: NonNegativeInt | None = None
    subjects: NonNegativeInt | None = None
    source: str = ""


def sign(secret: SecretStr, at: int, content: bytes) -> str:
    """The value of `X-Firsthour-Signature`. The receiver recomputes it and refuses an old `t`."""
    mac = hmac.new(secret.get_secret_value().encode(), f"{at}.".encode() + content, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def said(order: Order, do: str) -> dict[str, object]:
    """The whole body: ids, and what is asked (`plan`, `apply`, `verify` or `revert`)."""
    return {
        "do": do,
        "incident": order.incident,
        "key": order.key,
        "action": order.kind.value,
        "scope": {"kind": order.scope_kind.value, "id": order.scope_id},
    }
