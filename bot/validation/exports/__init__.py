"""A regression pack: one zip that other tools replay the attack from, and that says what it proves.

Decides what is in it, and that the same pack gives the same bytes. It leaves the vault only by a person's act, so it holds as
few of the incident's secrets as it can: no value of a canary, and none of the recorded answers.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

from bot.validation.exports import jsonl, promptfoo, pyrit, readme
from bot.validation.pack import Pack

__all__ = ["export"]

FILES: dict[str, Callable[[Pack], str | None]] = {
    "README.md": readme.write,
    "payloads.jsonl": jsonl.write,
    "promptfooconfig.yaml": promptfoo.write,
    "pyrit.yaml": pyrit.write,
}
"""None where a pack has nothing for that file; README.md says so."""
DATE = (1980, 1, 1, 0, 0, 0)
"""The first that zip knows: a pack has no other than its content."""


def export(pack: Pack) -> bytes:
    """The zip. The same pack gives the same bytes, with one version of zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as folder:
        for name, write in FILES.items():
            if (text := write(pack)) is not None:
                info = zipfile.ZipInfo(name, DATE)
                info.create_system, info.external_attr, info.compress_type = 3, 0o600 << 16, zipfile.ZIP_DEFLATED
                folder.writestr(info, text.encode())
    return buffer.getvalue()
