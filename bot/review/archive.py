"""The file of an export: a zip whose every byte is signed. What is written, and what is believed when it is read.

Decides the form `firsthour-bundle/1`: nothing is compressed, names are plain, and the archive's comment holds the public key and
an Ed25519 signature over all bytes before it. Nothing is ever unpacked to disk. What is in it is `bundle`'s.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bot.incident.errors import Tampered

FORMAT = "firsthour-bundle/1"
SEAL = re.compile(rb"firsthour-bundle/1 ([A-Za-z0-9+/]{43}=) ([A-Za-z0-9+/]{86}==)")
SEAL_BYTES = len(FORMAT) + 2 + 44 + 88
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,99})?")
"""Of a member: no path that leads anywhere."""
MEMBERS = 50_000
PIECE = 1 << 20
EPOCH = (1980, 1, 1, 0, 0, 0)
"""No member has a time of its own: when it was exported is in the manifest."""


class Writer:
    """A new file, for its owner alone; it takes the place of `path` once it is whole and signed."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        self.path, self._key = path, key
        self._draft = path.with_name(f".{path.name}.{os.getpid()}")

    def __enter__(self) -> Writer:
        descriptor = os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        return self

    def add(self, name: str, content: bytes) -> str:
        """Returns its SHA-256."""
        assert NAME.fullmatch(name), "our own names are plain"
        self._zip.writestr(zipfile.ZipInfo(name, EPOCH), content)
        return hashlib.sha256(content).hexdigest()

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._file.close()
            self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        self._zip.comment = b"-" * SEAL_BYTES
        self._zip.close()
        self._file.flush()
        end = self._file.seek(-SEAL_BYTES, os.SEEK_END)
        public = self._key.public_key().public_bytes_raw()
        signature = self._key.sign(_signed(self._file, end))
        self._file.seek(end)
        self._file.write(b" ".join([FORMAT.encode(), base64.b64encode(public), base64.b64encode(signature)]))
        self._file.flush()
        os.fsync(self._file.fileno())
        os.replace(self._draft, self.path)


def _signed(file: BinaryIO, end: int) -> bytes:
    """What the signature is over: the form's name, and the SHA-512 of every byte before the seal."""
    hashed, left = hashlib.sha512(), end
    file.seek(0)
    while left and (piece := file.read(min(PIECE, left))):
        hashed.update(piece)
        left -= len(piece)
    return FORMAT.encode() + hashed.digest()


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, in hexadecimal: what people compare."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


class Reader:
    """A file that claims to be an export. Nothing of it counts until `check_seal` has returned."""

    def __init__(self, path: Path) -> None:
        """Raises Tampered for what is no such file."""
        self.name = path.name
        self._file = path.open("rb")
        try:
            self.key, self._signature = self._seal()
            self._zip = zipfile.ZipFile(self._file)
            self.members = self._members()
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            self._file.close()
            raise self.wrong("it is no export of Firsthour, or it was cut") from error
        except Tampered:
            self._file.close()
            raise

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def wrong(self, why: str) -> Tampered:
        return Tampered(self.name, why)

    def check_seal(self) -> str:
        """The fingerprint of whoever signed all of it. Raises Tampered."""
        try:
            self.key.verify(self._signature, _signed(self._file, self._end))
        except InvalidSignature:
            raise self.wrong("bytes of it were changed after it was signed") from None
        return fingerprint(self.key)

    def read(self, name: str, *, size: int) -> bytes:
        """Exactly `size` bytes. Raises Tampered where the member has another size or is damaged."""
        return b"".join(self._pieces(name, size))

    def digest(self, name: str, *, size: int) -> str:
        """SHA-256, without holding it in memory."""
        hashed = hashlib.sha256()
        for piece in self._pieces(name, size):
            hashed.update(piece)
        return hashed.hexdigest()

    def _pieces(self, name: str, size: int) -> Iterator[bytes]:
        info = self.members.get(name)
        if info is None:
            raise self.wrong(f"{name} is missing")
        if info.file_size != size:
            raise self.wrong(f"{name} has {info.file_size} bytes, and {size} were exported")
        try:
            with self._zip.open(info) as member:
                while piece := member.read(PIECE):
                    yield piece
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
            raise self.wrong(f"{name} is damaged") from error

    def _seal(self) -> tuple[Ed25519PublicKey, bytes]:
        self._end = self._file.seek(-SEAL_BYTES, os.SEEK_END)
        found = SEAL.fullmatch(self._file.read(SEAL_BYTES))
        if found is None:
            raise self.wrong("it carries no signature at its end")
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(found[1])), base64.b64decode(found[2])

    def _members(self) -> dict[str, zipfile.ZipInfo]:
        """By name. Nothing in an export is compressed, so that none can be larger than the file itself."""
        infos = self._zip.infolist()
        if len(infos) > MEMBERS:
            raise self.wrong(f"it has {len(infos)} members")
        for info in infos:
            if not NAME.fullmatch(info.filename):
                raise self.wrong("a member has a name that no export gives")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
                raise self.wrong(f"{info.filename} is compressed or encrypted, which nothing in an export is")
        if sum(info.file_size for info in infos) > self._end:
            raise self.wrong("its members are larger than the file itself")
        members = {info.filename: info for info in infos}
        if len(members) < len(infos):
            raise self.wrong("two members have the same name")
        return members
