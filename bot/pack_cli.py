"""`firsthour pack import` and `firsthour pack export`: files in, one file out, and every line that could not be used is named.

Decides names of options and what goes to standard error. What a pack is, is `bot.validation.pack`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.incident.errors import FirsthourError, Invalid
from bot.terminal import fail, write

if TYPE_CHECKING:
    from bot.validation.imports import Imported
    from bot.validation.pack import Pack

T = TypeVar("T")
NAMED = 20
"""Problems of one file that are told one by one."""
ORIGINS = "original, red_team or imported"

pack = typer.Typer(help="Packs: the attack's payloads, and what shows that it worked.", no_args_is_help=True)


def mount(app: typer.Typer) -> None:
    """Give the command line its part."""
    app.add_typer(pack, name="pack")


@pack.command("import")
def import_pack(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Text, CSV, JSONL, a garak hit log, PyRIT seeds, promptfoo results, deepteam cases, packs."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The pack to write.")],
    origin: Annotated[
        str | None,
        typer.Option(help=f"Where the payloads come from: {ORIGINS}. `original` for what the attacker sent."),
    ] = None,
    incident: Annotated[str | None, typer.Option(metavar="INC-12", help="The incident that it belongs to.")] = None,
    title: Annotated[str | None, typer.Option(help="What the attack is called.")] = None,
    indicators: Annotated[
        Path | None, typer.Option(help="What shows that it worked: KIND:VALUE a line, or a literal alone.")
    ] = None,
    benign: Annotated[Path | None, typer.Option(help="Innocent requests that must be answered, one a line.")] = None,
    recorded: Annotated[Path | None, typer.Option(help="Answers from when the attack worked, one a line.")] = None,
    vulnerable_version: Annotated[str | None, typer.Option(help="What was deployed when the attack worked.")] = None,
) -> None:
    """Make one pack of files of any of these formats, known by their content. Nothing is unpacked."""
    from bot.validation import lists
    from bot.validation.pack import made, merge

    try:
        named = made(
            incident=incident or "",
            title=title or "",
            vulnerable_version=vulnerable_version,
            indicators=_of(indicators, lists.indicators),
            benign=_of(benign, lists.lines),
            positive=_of(recorded, lists.lines),
        )
        read = [_read(path, origin) for path in files]
        whole = merge([named, *(one.pack or made(payloads=one.payloads) for one in read)])
        if not whole.payloads:
            raise Invalid("None of the files holds a payload, so no pack was written.")
        write(out, whole.to_bytes())
    except FirsthourError as error:
        fail(error)
    typer.echo(f"{out} is written: {_counted(whole)}. SHA-256 {whole.sha256}.")


@pack.command("export")
def export_pack(
    source: Annotated[Path, typer.Argument(metavar="PACK", help="The pack, as `pack import` wrote it.")],
    out: Annotated[Path, typer.Option(help="The zip to write.")],
) -> None:
    """Write a regression pack for promptfoo, PyRIT and others. It holds the attack: keep it as you keep evidence."""
    from bot.validation.exports import export
    from bot.validation.pack import Pack

    try:
        whole = Pack.from_bytes(_bytes(source))
        write(out, export(whole))
    except FirsthourError as error:
        fail(error)
    typer.echo(f"{out} is written: {_counted(whole)}. Its README.md says how it is run and kept.")


def _of(path: Path | None, parse: Callable[[str, bytes], Sequence[T]]) -> Sequence[T]:
    return () if path is None else parse(path.name, _bytes(path))


def _read(path: Path, origin: str | None) -> Imported:
    """One file, with what could not be used of it told on standard error."""
    from bot.validation.imports import read
    from bot.validation.pack import Origin

    if origin is not None and origin not in set(Origin):
        raise Invalid(f"There is no origin “{origin}”: it is {ORIGINS}.", example="--origin original")
    found = read(path.name, _bytes(path), Origin(origin) if origin is not None else None)
    for problem in found.problems[:NAMED]:
        typer.echo(str(problem), err=True)
    if len(found.problems) > NAMED:
        typer.echo(f"{path.name}: {len(found.problems) - NAMED:,} more entries could not be used.", err=True)
    repeated = f", {found.repeated:,} repeated and kept once" if found.repeated else ""
    if found.format:
        typer.echo(f"{path.name}: {found.format}, {len(found.payloads):,} payloads{repeated}.", err=True)
    return found


def _bytes(path: Path) -> bytes:
    """Not more than is read of any file: what is larger is refused by its size. Raises Invalid."""
    from bot.validation.imports.decode import LARGEST

    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror or error}. Name a file that can.") from None


def _counted(whole: Pack) -> str:
    return (
        f"{len(whole.payloads):,} payloads, {len(whole.indicators):,} indicators, {len(whole.benign):,} benign controls"
    )
