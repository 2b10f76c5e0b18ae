"""The vault as a folder: each piece a file named by its SHA-256, two levels deep, readable by its owner alone.

Decides that a file under its digest is always whole: it is written under another name, flushed, and renamed. Every name is
made from a digest, so nothing that anybody called anything becomes a path. The blocking calls run in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path
from tempfile import mkstemp
from typing import ParamSpec, TypeVar

from bot.evidence import Checked, Stored
from bot.evidence.content import DAMAGED, MISSING, PART, Passing, digest
from bot.incident.errors import Misconfigured, Missing, VaultFailed, VaultFull

P = ParamSpec("P")
T = TypeVar("T")
INCOMING = "incoming"
ABANDONED = 24 * 3600.0
"""Seconds after which a half-written file is nobody's any more: whoever wrote it was killed."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderVault:
    """Any number of processes may share one folder: a rename within a file system happens wholly or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._incoming = folder, folder / INCOMING

    def open(self) -> None:
        """Make the folder where there is none, and clear what was left half-written. Raises Misconfigured."""
        try:
            for one in (self._folder, self._incoming):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            for left in self._incoming.iterdir():
                if time.time() - left.stat().st_mtime > ABANDONED:
                    left.unlink(missing_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"The vault of evidence, {self._folder}, cannot be used ({error.strerror}). Let Firsthour write there, or "
                "name another folder: `evidence: {folder: …}` in the organisation's file, or FIRSTHOUR_EVIDENCE."
            ) from error

    async def put(self, content: bytes | AsyncIterator[bytes], *, most: int) -> Stored:
        passing = Passing(content, most)
        handle, name = await _disk(mkstemp, dir=self._incoming)  # 0600, whatever the umask
        file = FileIO(
            handle, "wb"
        )  # a thread that outlives a cancelled call must not write into another file's descriptor
        try:
            async for part in passing.parts():
                await _disk(_write, file, part)
            await _disk(os.fsync, handle)
            stored = passing.stored
            await _disk(self._place, Path(name), stored.sha256)
            return stored
        finally:
            file.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def _place(self, written: Path, sha256: str) -> None:
        """Under its digest. What lies there already is replaced by the same bytes: that also mends a damaged one."""
        to = self._path(sha256)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        written.replace(to)
        for folder in (to.parent, to.parent.parent, self._folder):
            _flush(folder)

    async def read(self, sha256: str) -> bytes:
        content = await _disk(_read, self._path(sha256))
        if content is None:
            raise Missing(sha256)
        if (await asyncio.to_thread(hashlib.sha256, content)).hexdigest() != sha256:
            raise Missing(sha256, DAMAGED)
        return content

    async def check(self, sha256: str) -> Checked:
        found = await _disk(_hashed, self._path(sha256))
        if found is None:
            return Checked(False, MISSING)
        return Checked(True) if found == sha256 else Checked(False, DAMAGED)

    async def close(self) -> None:
        return None

    def _path(self, sha256: str) -> Path:
        name = digest(sha256)
        return self._folder / name[:2] / name[2:4] / name


async def _disk(call: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """In a thread. Raises VaultFull or VaultFailed for what the disk says."""
    try:
        return await asyncio.to_thread(call, *args, **named)
    except OSError as error:
        if error.errno in FULL:
            raise VaultFull from error
        raise VaultFailed(f"The vault of evidence does not answer ({error.strerror}). It is tried again.") from error


def _write(file: FileIO, part: bytes) -> None:
    """All of it: a disk that fills up may take a part of a write and say nothing."""
    left = memoryview(part)
    while left:
        left = left[file.write(left) :]


def _flush(folder: Path) -> None:
    """A rename is only safe from a power cut once the folder was flushed too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _hashed(path: Path) -> str | None:
    seen = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(PART):
                seen.update(part)
    except FileNotFoundError:
        return None
    return seen.hexdigest()
