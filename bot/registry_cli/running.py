"""One command on the store: opened, made ready, closed, its errors told. The library is imported only where it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.incident.errors import FirsthourError

if TYPE_CHECKING:
    from bot.incident.registered import Canary, Prompt
    from bot.store import Store
    from bot.store.sealing import DetectionKey

T = TypeVar("T")
Name = Annotated[str, typer.Argument(help="Lower-case letters, digits, dots, dashes and underscores.")]
App = Annotated[str | None, typer.Option(help="The application that it belongs to.")]


def under_key(work: Callable[[Store, DetectionKey], Awaitable[T]]) -> T:
    from bot.environment import read_settings
    from bot.store.knowledge import find_key

    async def with_key(store: Store) -> T:
        return await work(store, await find_key(store, read_settings().detection_key))

    return in_store(with_key)


def in_store(work: Callable[[Store], Awaitable[T]]) -> T:
    """Run it on the store, which is made ready where nothing is there yet, as the bot's first start would."""
    from bot.environment import read_settings
    from bot.store import Store, schema

    async def opened() -> T:
        store = Store(read_settings().database_url)
        try:
            if await schema.empty(store):
                await schema.upgrade(store)
            await schema.check(store)
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(opened())
    except FirsthourError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def remove(noun: type[Canary] | type[Prompt], name: str) -> None:
    from bot.store import registered

    async def work(store: Store) -> None:
        async with store.unit() as unit:
            await registered.remove(unit, noun, name)

    in_store(work)
    typer.echo(f"{name} is removed.")


def show(lines: list[str], otherwise: str) -> None:
    for line in lines or [otherwise]:
        typer.echo(line)
