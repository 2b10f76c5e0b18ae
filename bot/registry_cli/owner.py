"""`firsthour owner`: import, list, remove. Bad lines are named by their number, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.registry_cli.running import in_store, show, under_key

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.owners import Imported
    from bot.store.sealing import DetectionKey

owner = typer.Typer(help="Whose identifiers are whose, kept as keyed hashes.", no_args_is_help=True)


@owner.command("import")
def import_owners(
    file: Annotated[
        typer.FileText,
        typer.Argument(
            help="CSV: owner,kind,value; - for standard input.", encoding="utf-8-sig", errors="surrogateescape"
        ),
    ],
) -> None:
    """Take identifiers and their owners. Twice the same changes nothing; a bad line is named, and keeps no other out."""
    from bot.store import owners

    async def work(store: Store, key: DetectionKey) -> Imported:
        return await owners.take(store, key, file, bad=lambda line, why: typer.echo(f"line {line}: {why}", err=True))

    done = under_key(work)
    typer.echo(f"Identifiers taken: {done.taken:,}, of them new: {done.added:,}. Bad lines: {done.bad:,}.")
    if done.bad:
        raise typer.Exit(1)


@owner.command("list")
def list_owners() -> None:
    """How many identifiers there are of each kind."""
    from bot.store import owners

    async def work(store: Store) -> list[str]:
        async with store.read() as session:
            return [f"{kind}\t{count:,}" for kind, count in (await owners.by_kind(session)).items()]

    show(in_store(work), "No identifier is registered. `firsthour owner import FILE` takes them from a CSV file.")


@owner.command("remove")
def remove_owner(
    who: Annotated[str | None, typer.Argument(metavar="OWNER", help="The user id as it stood in the file.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Forget every identifier. Needs no key.")] = False,
) -> None:
    """Forget all identifiers of an owner, for example on their request."""
    from bot.store import owners

    if (who is None) is not everybody:
        raise typer.BadParameter("Name an owner, or say --all.")

    async def everything(store: Store) -> int:
        async with store.unit() as unit:
            return await owners.forget_everybody(unit)

    async def theirs(store: Store, key: DetectionKey) -> int:
        async with store.unit() as unit:
            return await owners.forget(unit, key, str(who))

    count = in_store(everything) if everybody else under_key(theirs)
    typer.echo(f"Identifiers removed: {count:,}.")
