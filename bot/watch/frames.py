"""The form of the watch's files: frames one after the other, each with its length, a checksum and a number.

Decides how a torn tail is told from a whole frame. What the frames of a file mean is the log's and the snapshot's.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO, NamedTuple

HEAD = struct.Struct("<IIQB")
"""Length of the payload, CRC-32 of number, kind and payload, number, kind."""
NUMBERED = struct.Struct("<QB")
LARGEST = 64 * 1024 * 1024
"""Bytes of a payload. A length above it is damage: nothing of ours writes one."""


class FrameKind(IntEnum):
    SEEN = 1
    FINDINGS = 2
    HEADER = 3
    STATES = 4
    END = 5
    OWED = 6
    """Events that were accepted and are not counted yet (`owed`): nobody but a start reads them."""
    PAID = 7
    """The number of the frame of which that is no longer so."""


KINDS = frozenset(int(kind) for kind in FrameKind)


class Frame(NamedTuple):
    number: int
    kind: FrameKind
    payload: bytes


def framed(number: int, kind: FrameKind, payload: bytes) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(NUMBERED.pack(number, kind)))
    return HEAD.pack(len(payload), checksum, number, kind) + payload


def frames(file: BinaryIO) -> Iterator[Frame]:
    """The whole frames from the file's position on, ending without an error where one is torn or damaged.

    The file's position is then at the end of the last whole frame: what is written later can be read on from there.
    """
    good = file.tell()
    while (frame := _next(file)) is not None:
        good = file.tell()
        yield frame
    file.seek(good)


def _next(file: BinaryIO) -> Frame | None:
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length, checksum, number, kind = HEAD.unpack(head)
    if length > LARGEST or kind not in KINDS:
        return None
    payload = file.read(length)
    if len(payload) < length or zlib.crc32(payload, zlib.crc32(NUMBERED.pack(number, kind))) != checksum:
        return None
    return Frame(number, FrameKind(kind), payload)
