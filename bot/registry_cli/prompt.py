"""`firsthour prompt`: add, list, remove. Of a prompt's text nothing is kept that could be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.incident.errors import Invalid
from bot.registry_cli.running import App, Name, in_store, remove, show, under_key

if TYPE_CHECKING:
    from bot.incident.registered import Prompt
    from bot.store import Store
    from bot.store.sealing import DetectionKey

SLOW = ", of an earlier version: found, but every text is slow to scan until it is registered again"

prompt = typer.Typer(help="System prompts, kept as keyed hashes and sealed pieces.", no_args_is_help=True)


@prompt.command("add")
def add_prompt(
    name: Name,
    file: Annotated[typer.FileText, typer.Argument(help="The prompt's text; - for standard input.", encoding="utf-8")],
    app: App = None,
    public: Annotated[
        list[typer.FileText] | None, typer.Option(help="A text that everybody may see; what stands there is no secret.")
    ] = None,
) -> None:
    """Register a system prompt, or its new text under the same name."""
    from bot.detection.scan import shingles_of
    from bot.store import registered
    from bot.store.knowledge import prompt_row

    text, known = _text(file), [_text(one) for one in public or ()]

    async def work(store: Store, key: DetectionKey) -> Prompt:
        try:
            found = shingles_of(text, key.hashing, public=known)
        except ValueError as error:
            raise Invalid(str(error)) from None
        async with store.unit() as unit:
            row = prompt_row(key, name=name, app=app, found=found, at=unit.now)
            return await registered.put_prompt(unit, key, row)

    kept = under_key(work)
    typer.echo(f"{name} is registered: {_fragments(kept)}. Its text is kept nowhere in the clear.")


@prompt.command("list")
def list_prompts() -> None:
    """Names, applications and how much of each can be found."""
    from bot.store import registered

    async def work(store: Store) -> list[str]:
        async with store.read() as session:
            found = await registered.prompts(session)
        return [f"{one.name}\t{one.app or '-'}\t{_fragments(one)}\t{one.added_at:%Y-%m-%d %H:%M} UTC" for one in found]

    show(in_store(work), "No prompt is registered. `firsthour prompt add NAME FILE` registers one.")


@prompt.command("remove")
def remove_prompt(name: Name) -> None:
    """Forget a prompt. Needs no key."""
    from bot.incident.registered import Prompt

    remove(Prompt, name)


def _fragments(row: Prompt) -> str:
    from bot.incident.registered import SHORT_DIGEST

    count = len(row.shingles) // SHORT_DIGEST - row.left_out
    public = f", {row.left_out} more are public" if row.left_out else ""
    return f"{count} shingles{public}{'' if row.anchors else SLOW}"


def _text(file: typer.FileText) -> str:
    """Raises typer's BadParameter where it is no text."""
    try:
        return file.read()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file.name} is not UTF-8 text.") from None
