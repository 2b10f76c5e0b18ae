"""Bytes of an imported file to text, or why not.

Decides sizes, encodings, and that nothing is unpacked: a small archive can hold any amount, so people unpack it themselves.
"""

from __future__ import annotations

import codecs

LARGEST = 32 * 1024 * 1024
"""Bytes of one file."""
LOOKED_AT = 8 * 1024
"""Bytes at the beginning, by which binary content is known."""
ARCHIVES = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7z", b"\x28\xb5\x2f\xfd": "zstd",
}  # fmt: skip
MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
"""Byte order marks; UTF-32's begins with UTF-16's."""


class Unreadable(Exception):
    """The whole file is refused; the message says why and what to do."""


def decode(raw: bytes) -> str:
    """The text, without its byte order mark. What is no UTF-8 stays as lone surrogates, so that only its entry is refused.

    Raises Unreadable.
    """
    if len(raw) > LARGEST:
        raise Unreadable(f"it has {len(raw):,} bytes, and at most {LARGEST:,} are read. Split it.")
    if kind := next((kind for magic, kind in ARCHIVES.items() if raw.startswith(magic)), None):
        raise Unreadable(
            f"it is a {kind} archive, and archives are not unpacked here. Unpack it, and import what it holds."
        )
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return _marked(raw[len(mark) :], encoding)
    text = raw.decode("utf-8", "surrogateescape")
    if _binary(text[:LOOKED_AT]):
        raise Unreadable("it is binary, or in an encoding that cannot be told. Save it as UTF-8 text.")
    return text


def _marked(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "surrogateescape" if encoding == "utf-8" else "surrogatepass")
    except UnicodeDecodeError:
        raise Unreadable(f"it begins as {encoding.upper()} and is not. Save it as UTF-8 text.") from None


def _binary(text: str) -> bool:
    """A tenth of it is no text: control characters, and bytes that are no UTF-8."""
    odd = sum((one < " " and one not in "\t\n\r\x0b\x0c\x1b") or "\udc80" <= one <= "\udcff" for one in text)
    return odd * 10 > len(text)
