"""What every command of `firsthour` does alike: one line and an exit code where it fails, files for their owner only.

Decides no words of any command.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import typer

from bot.incident.errors import FirsthourError, Invalid


def fail(error: FirsthourError, code: int = 1) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(code)


def number_of(incident: str) -> int:
    """Raises BadParameter, which ends the command with 2."""
    number = incident.strip().upper().removeprefix("INC-")
    if not (number.isascii() and number.isdigit()):
        raise typer.BadParameter("Name an incident, for example INC-1.")
    return int(number)


def write(path: Path, content: bytes) -> None:
    """A new file for its owner only: it tells of an incident. Raises Invalid."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror or error}. Name another place.") from None
