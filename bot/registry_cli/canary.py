"""`firsthour canary`: add, list, remove. A value is printed when it is made, and never again."""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.incident.canary_value import NOISE, SENTENCES, made
from bot.incident.words import CanaryKind
from bot.registry_cli.running import App, Name, in_store, remove, show, under_key

if TYPE_CHECKING:
    from bot.store import Store
    from bot.store.sealing import DetectionKey

canary = typer.Typer(
    help="Canaries: values that stand in one place only, and prove a leak elsewhere.", no_args_is_help=True
)


@canary.command("add")
def add_canary(
    name: Name,
    kind: Annotated[CanaryKind, typer.Option(help="Where it is put.")] = CanaryKind.UNKNOWN,
    app: App = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the value, one line, instead of making one.")] = False,
) -> None:
    """Register a canary. Without --stdin a good value is made, and printed this once."""
    from bot.store import registered

    value = _one_line() if stdin else made(kind, secrets.token_bytes(NOISE))

    async def work(store: Store, key: DetectionKey) -> None:
        async with store.unit() as unit:
            await registered.add_canary(unit, key, name=name, kind=kind, app=app, value=value)

    under_key(work)
    typer.echo(f"{name} is registered, kind {kind.value}. Whatever runs knows it within seconds.", err=True)
    if not stdin:
        _hand_over(kind, value)


def _hand_over(kind: CanaryKind, value: str) -> None:
    typer.echo("This is its value. It cannot be shown again:", err=True)
    typer.echo(value)
    if kind in SENTENCES:
        typer.echo(f"Put it there in a sentence of its own, for example: “Internal reference: {value}.”", err=True)


@canary.command("list")
def list_canaries() -> None:
    """Names, kinds and applications; never a value."""
    from bot.store import registered

    async def work(store: Store) -> list[str]:
        async with store.read() as session:
            found = await registered.canaries(session)
        return [f"{one.name}\t{one.kind.value}\t{one.app or '-'}\t{one.added_at:%Y-%m-%d %H:%M} UTC" for one in found]

    show(in_store(work), "No canary is registered. `firsthour canary add NAME` makes one.")


@canary.command("remove")
def remove_canary(name: Name) -> None:
    """Forget a canary. Needs no key."""
    from bot.incident.registered import Canary

    remove(Canary, name)


def _one_line() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Value", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")
