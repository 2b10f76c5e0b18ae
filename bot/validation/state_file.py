"""A run on the terminal that can be stopped: its trials, one a line, in a file for its owner only.

Decides when a file is of another run. It holds excerpts of answers, and nothing of payloads but their SHA-256.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from bot.incident.errors import Invalid
from bot.incident.words import TrialOutcome
from bot.validation.pack import Pack
from bot.validation.plan import Plan, Tried

FORMAT = "firsthour-validation/1"


@dataclass(frozen=True)
class StateFile:
    path: Path
    version: str | None
    """What the target said when the run began."""

    @classmethod
    def open(cls, path: Path, *, pack: Pack, plan: Plan, target: str, version: str | None) -> Self:
        """Made where there is none. Raises Invalid where it is of another run, or cannot be used."""
        asked = replace(plan, most_calls=None).as_json()  # more may be granted when a run goes on
        head = json.loads(json.dumps({"format": FORMAT, "pack": pack.sha256, "plan": asked, "target": target}))
        try:
            with path.open("rb") as file:
                found = _parsed(file.readline())
        except FileNotFoundError:
            found = head | {"version": version}
            _append(path, [found])
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}. Name another file.") from None
        if {key: found.get(key) for key in head} != head:
            raise Invalid(f"{path} is of another run: another pack, plan or target. Name another file, or remove it.")
        return cls(path, found.get("version"))

    def trials(self) -> Iterator[Tried]:
        """What was kept before. A last line that broke off was not."""
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                found = _parsed(line)
                if found and line.endswith(b"\n"):
                    yield Tried(
                        **found | {"outcome": TrialOutcome(found["outcome"]), "at": datetime.fromisoformat(found["at"])}
                    )

    async def keep(self, batch: Sequence[Tried]) -> None:
        _append(self.path, [asdict(tried) | {"at": tried.at.isoformat()} for tried in batch])


def _append(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """On a line of its own, whatever the last one ends with. Raises Invalid where the disk does not take it."""
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size and file.seek(size - 1) >= 0 and file.read(1) != b"\n":
                file.write(b"\n")
            file.seek(0, os.SEEK_END)
            file.write(text.encode())
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}. What was tried since is not kept.") from None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
