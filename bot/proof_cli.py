"""`firsthour verify` and `firsthour export`: an incident to a file that proves itself, and the proof of either.

Decides names of options, which of the forms is written, and that 2 means a broken chain or evidence that is not what it was.
What is in a file and what proves it is `bot.review`'s, `bot.store.export`'s and `bot.verifying`'s.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.incident.errors import ChainBroken, FirsthourError, Invalid
from bot.metrics.form import Form
from bot.terminal import fail, number_of, write

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

T = TypeVar("T")


def mount(app: typer.Typer) -> None:
    """Give the command line its part."""
    app.command()(verify)
    app.command()(export)


def verify(
    incident: Annotated[str, typer.Argument(help="The incident, for example INC-1; or a file that `export` wrote.")],
    key: Annotated[str | None, typer.Option(help="Fingerprint of the key that must have signed the file.")] = None,
) -> None:
    """Prove that an incident's timeline is unbroken, or name the first broken link. A file needs no store.

    Of an incident in the store also every piece of evidence in the vault; of a signed export also its seal, every file and
    piece of evidence in it, and the approvals.
    """
    try:
        if Path(incident).is_file():
            if _zip(Path(incident)):
                _verify_bundle(Path(incident), key)
                return
            if key is not None:
                raise Invalid("Only a signed export has a key: the JSON form carries no signature.", field="key")
            count = _proven(Path(incident))
        else:
            _verify_stored(incident, number_of(incident))
            return
    except ChainBroken as error:
        fail(error, 2)
    except FirsthourError as error:
        fail(error)
    typer.echo(f"{incident}: {count} entries, the chain is unbroken.")


def export(
    incident: Annotated[str | None, typer.Argument(help="The incident, for example INC-1.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write: `inc-1.zip` without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Unsigned JSON, without evidence and review.")] = False,
    metrics: Annotated[Form | None, typer.Option(help="The metrics of all incidents instead, no drills.")] = None,
    since: Annotated[str | None, typer.Option(help="With --metrics: from when on, as 90d, 12w or 2026-01-01.")] = None,
    until: Annotated[str | None, typer.Option(help="With --metrics: until when; without it until now.")] = None,
    table: Annotated[
        str | None, typer.Option(metavar="items|risks", help="All action items or risks instead, as CSV.")
    ] = None,
) -> None:
    """Write all that is known of an incident into one signed file: timeline, approvals, evidence, review, replays.

    With --json, or a file that ends in .json: the facts alone, printed where no file is named.
    With --metrics csv or json: the metrics of all incidents instead, without drills.
    """
    if metrics is not None:
        _export_metrics(metrics, since, until, out)
        return
    if table is not None:
        _export_table(table, out)
        return
    if incident is None:
        fail(Invalid("Name the incident, or ask for metrics with --metrics csv.", example="firsthour export INC-1"))
    number = number_of(incident)
    if as_json or (out is not None and out.suffix == ".json"):
        _export_json(number, out)
    else:
        _export_bundle(number, out or Path(f"inc-{number}.zip"))


def _export_bundle(number: int, out: Path) -> None:
    from bot.review.cli import export as export_bundle
    from bot.review.cli import told

    try:
        written = asyncio.run(export_bundle(number, out))
    except ChainBroken as error:
        fail(error, 2)
    except FirsthourError as error:
        fail(error)
    except OSError as error:
        fail(Invalid(f"{out} cannot be written: {error.strerror}."))
    for line in told(written):
        typer.echo(line)


def _verify_bundle(path: Path, key: str | None) -> None:
    """Raises Tampered and ChainBroken."""
    from bot.review.cli import said
    from bot.review.verify import verify as verify_bundle

    for line in said(verify_bundle(path, key=key), pinned=key is not None):
        typer.echo(line)


def _zip(path: Path) -> bool:
    """By how it begins, or is called: a file of an export whose beginning was cut off is one still."""
    with path.open("rb") as file:
        return file.read(2) == b"PK" or path.suffix == ".zip"


def _export_json(number: int, out: Path | None) -> None:
    from bot.store.engine import utc_now
    from bot.store.export import export as export_incident

    try:
        document = asyncio.run(_reading(lambda session: export_incident(session, number, utc_now())))
        text = json.dumps(document, indent=2, ensure_ascii=False)
        if out is not None:
            write(out, text.encode())
            text = f"{out} is written: {len(document['timeline'])} entries. `firsthour verify {out}` proves them."
    except ChainBroken as error:
        fail(error, 2)
    except FirsthourError as error:
        fail(error)
    typer.echo(text)


def _export_metrics(form: Form, since: str | None, until: str | None, out: Path | None) -> None:
    from bot.metrics.cli import metrics

    try:
        _tell(asyncio.run(metrics(form, since, until)), out)
    except FirsthourError as error:
        fail(error)


def _export_table(name: str, out: Path | None) -> None:
    from bot.store.engine import utc_now
    from bot.store.item_table import TABLES

    if name not in TABLES:
        raise typer.BadParameter(f"There are: {', '.join(TABLES)}.", param_hint="--table")
    try:
        _tell(asyncio.run(_reading(lambda session: TABLES[name](session, utc_now()))), out)
    except FirsthourError as error:
        fail(error)


def _tell(text: str, out: Path | None) -> None:
    """Raises Invalid where it cannot be written."""
    if out is None:
        typer.echo(text, nl=False)
        return
    write(out, text.encode())
    typer.echo(f"{out} is written.")


async def _reading(ask: Callable[[AsyncSession], Awaitable[T]]) -> T:
    from bot.environment import read_settings
    from bot.store import Store

    store = Store(read_settings().database_url)
    try:
        async with store.read() as session:
            return await ask(session)
    finally:
        await store.close()


def _verify_stored(name: str, number: int) -> None:
    """Ends with 2 where evidence is missing or damaged, as where the chain is broken."""
    from bot.verifying import said, verified

    custody = asyncio.run(verified(number))
    for line in said(name, custody):
        typer.echo(line)
    for wrong in custody.wrong:
        typer.secho(f"{name}: {wrong}.", fg="red", err=True)
    if custody.wrong:
        raise typer.Exit(2)


def _proven(path: Path) -> int:
    from bot.store.export import EXAMPLE, proven

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise Invalid(f"{path.name} is not JSON.", example=EXAMPLE) from None
    return proven(document)
