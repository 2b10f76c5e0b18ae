"""Who sends is proven here: a bearer token, or a signature over the raw body (design law 7: fail closed).

Decides what counts as proof and what a sender without it is told. Which secret belongs to which source is handed in.
All comparisons take constant time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import NoReturn

from fastapi import HTTPException
from starlette.datastructures import Headers

from bot.playbook.source import Auth, Source

STALE = 300.0
"""Seconds: a signed delivery whose timestamp is further away than this is a replay."""


def require_token(headers: Headers, token: str | None) -> None:
    """The native routes' bearer token. Raises HTTPException 503 where none is configured, 401 where it is not sent."""
    if not token:
        raise HTTPException(
            503, "Alerts are not taken here: FIRSTHOUR_INGEST_TOKEN is not set. Set it and start Firsthour again."
        )
    _require_bearer(headers.get("authorization", ""), token)


def require_configured(source: Source, token: str | None, secret: str | None) -> str:
    """The secret that this source's deliveries are checked with: its own, or for bearer sources the ingest token."""
    found = secret or (token if source.auth.kind == "bearer" else None)
    if found:
        return found
    ingest = " or set FIRSTHOUR_INGEST_TOKEN" if source.auth.kind == "bearer" else ""
    raise HTTPException(
        503,
        f"Alerts of the source {source.name} are not taken here: it has no secret. "
        f"Name one under `sources:` in the file of FIRSTHOUR_CONFIG{ingest}, and start Firsthour again.",
    )


def require_bearer(headers: Headers, auth: Auth, secret: str) -> None:
    """Raises HTTPException 401. In `Authorization` the token follows `Bearer`; another header holds it alone."""
    sent = headers.get(auth.header, "")
    if auth.header.casefold() == "authorization":
        _require_bearer(sent, secret)
    elif not _same(sent.removeprefix(auth.prefix), secret):
        _refuse(f"Send the token of this source in the header {auth.header}.")


def require_signature(headers: Headers, body: bytes, auth: Auth, secret: str, *, now: datetime) -> None:
    """Raises HTTPException 401 unless one of the signatures in the header is over exactly this body."""
    signed = body
    if auth.timestamp_header is not None:
        stamp = headers.get(auth.timestamp_header, "")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(now.timestamp() - int(stamp)) > STALE:
            _refuse(f"The header {auth.timestamp_header} must hold the time of this delivery in Unix seconds.")
        signed = f"{stamp}:".encode() + body
    expected = _signature(auth, secret, signed)
    sent = headers.get(auth.header, "")
    candidates = [part.strip() for part in (sent.split(auth.separator) if auth.separator else [sent])]
    good = [
        _same(_normal(auth, candidate[len(auth.prefix) :]), expected)
        for candidate in candidates
        if candidate.startswith(auth.prefix)
    ]
    if not any(good):
        _refuse(f"The signature in the header {auth.header} does not match the body. Check the secret on both sides.")


def _signature(auth: Auth, secret: str, signed: bytes) -> str:
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return digest.hex() if auth.encoding == "hex" else base64.b64encode(digest).decode()


def _normal(auth: Auth, signature: str) -> str:
    return signature.lower() if auth.encoding == "hex" else signature


def _require_bearer(header: str, token: str) -> None:
    scheme, _, sent = header.partition(" ")
    if scheme.casefold() != "bearer" or not _same(sent.strip(), token):
        _refuse("Send the header `Authorization: Bearer <token>` with the token of this route.")


def _same(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode(), expected.encode())


def _refuse(words: str) -> NoReturn:
    raise HTTPException(401, words, headers={"WWW-Authenticate": "Bearer"})
