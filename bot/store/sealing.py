"""The detection key: where it lies, what is derived from it, and whether it is the one that all was registered under.

Decides that it is never in the database: it comes from FIRSTHOUR_DETECTION_KEY, or lies in a file beside the SQLite one.
From it come four keys, one each for sealing canaries, for hashing, for signing exports, and for telling a wrong key from the
right one.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from bot.incident.errors import Misconfigured
from bot.store.engine import Store

VARIABLE = "FIRSTHOUR_DETECTION_KEY"
MAKE_ONE = f"Make one with `openssl rand -base64 32` and set {VARIABLE} to it wherever Firsthour runs."
KEY_BYTES = 32
NONCE_BYTES = 12
"""Of AES-GCM, drawn anew for each value (NIST SP 800-38D §8.2.2)."""
WORLD_MAY = 0o007


class DetectionKey:
    """Never prints what it holds."""

    def __init__(self, secret: bytes, *, origin: str = VARIABLE) -> None:
        self.origin = origin
        """Where it came from, for people."""
        self.hashing = _derived(secret, b"hash")
        """The key of every keyed hash: what the scanner is handed."""
        self.proof = _derived(secret, b"proof").hex()
        """The same for the same key, and of no other use: kept in the database to recognise it by."""
        self._sealing = AESGCM(_derived(secret, b"seal"))
        self.signing = Ed25519PrivateKey.from_private_bytes(_derived(secret, b"sign"))
        """What this deployment exports is signed with it."""

    def __repr__(self) -> str:
        return "DetectionKey(…)"

    def seal(self, value: str, *bound: str | None) -> bytes:
        """The value so that only this key opens it, together with the very words it is bound to."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, value.encode(), _words(bound))

    def unseal(self, sealed: bytes, *bound: str | None) -> str:
        """Raises Misconfigured where another key sealed it, or where it or its words were changed."""
        try:
            return self._sealing.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _words(bound)).decode()
        except (InvalidTag, ValueError):
            raise Misconfigured(
                f"“{bound[0]}” cannot be opened: its row in the database was changed by hand, or is damaged. Remove it "
                "and register it again."
            ) from None


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"firsthour/detection/" + use).derive(secret)


def _words(bound: tuple[str | None, ...]) -> bytes:
    return json.dumps(bound).encode()


async def detection_key(store: Store, given: SecretStr | None, *, make: bool = True) -> DetectionKey:
    """The key of this deployment. `given`: FIRSTHOUR_DETECTION_KEY. `make`: a missing key file may be made.

    Raises Misconfigured where there is none, where it cannot be used, and what to do.
    """
    if given is not None:
        return DetectionKey(_decoded(given.get_secret_value(), VARIABLE))
    if not store.sqlite:
        raise Misconfigured(
            f"{VARIABLE} is not set. With PostgreSQL every process needs the same key, and it is never kept in the "
            f"database. {MAKE_ONE}"
        )
    if store.url.database in {None, "", ":memory:"}:
        return DetectionKey(secrets.token_bytes(KEY_BYTES), origin="memory")
    path = key_file(store)
    return await asyncio.to_thread(_from_file, path, make=make)


def key_file(store: Store) -> Path:
    """`<database>.key`, beside the SQLite file."""
    database = Path(store.url.database or "")
    return database.with_name(f"{database.name}.key")


def _from_file(path: Path, *, make: bool) -> DetectionKey:
    try:
        if not path.exists():
            if not make:
                raise Misconfigured(
                    f"The detection key {path} is gone, and canaries, prompts or identifiers are registered under it. "
                    f"Nothing is lost: put the file back from your backup, or set {VARIABLE} to what stood in it."
                )
            _make(path)
        if path.stat().st_mode & WORLD_MAY:
            raise Misconfigured(f"Everybody on this machine may read {path}. Run `chmod 600 {path}`.")
        return DetectionKey(_decoded(path.read_text(encoding="ascii"), str(path)), origin=str(path))
    except UnicodeDecodeError:
        raise _unusable(str(path)) from None
    except OSError as error:
        raise Misconfigured(f"The detection key {path} cannot be read or made: {error.strerror}.") from error


def _make(path: Path) -> None:
    """Written whole before it has its name: of two processes that start at once one makes it, and both read the same."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # what is sealed under it must not outlive it
    finally:
        os.close(folder)


def _decoded(text: str, origin: str) -> bytes:
    """Base64 of at least 32 bytes, in either alphabet. What was given is never repeated."""
    plain = "".join(text.split()).replace("-", "+").replace("_", "/")
    try:
        secret = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _unusable(origin) from None
    if len(secret) < KEY_BYTES:
        raise _unusable(origin)
    return secret


def _unusable(origin: str) -> Misconfigured:
    return Misconfigured(f"{origin} holds no key: it must be base64 of at least {KEY_BYTES} random bytes. {MAKE_ONE}")
