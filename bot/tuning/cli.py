"""`firsthour tune` and `firsthour events tail`: arguments in, lines and an exit code out.

Decides names of options and what goes to standard error. What is said is `report`'s and `tail`'s.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.incident.errors import FirsthourError
from bot.terminal import fail

if TYPE_CHECKING:
    from bot.playbook import Playbook
    from bot.settings import Settings
    from bot.store import Store
    from bot.tuning.report import Report
    from bot.tuning.tune import Asked

Json = Annotated[bool, typer.Option("--json", help="For machines.")]
Folder = Annotated[
    Path | None, typer.Option(help="The folder of the log; the one that `firsthour run` writes by default.")
]


def mount(app: typer.Typer) -> None:
    """Give the command line its part."""
    events = typer.Typer(help="What the AI systems sent.", no_args_is_help=True)
    events.command("tail")(tail)
    app.add_typer(events, name="events")
    app.command()(tune)


def tune(
    trigger: Annotated[str, typer.Argument(help="The trigger's id, for example bulk_data_extraction.")],
    days: Annotated[float, typer.Option(help="How far back.")] = 7,
    threshold: Annotated[
        list[float] | None,
        typer.Option(help="Try this one; may be given several times. Without it, some around today's."),
    ] = None,
    app: Annotated[str | None, typer.Option(help="Only this application.")] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """What a trigger would have done with other thresholds, beside what it really did. Changes nothing."""
    from rich.console import Console

    from bot.tuning.report import as_json as for_machines
    from bot.tuning.table import as_text
    from bot.tuning.tune import Asked

    asked = Asked(trigger, days, tuple(threshold or ()), app)
    try:
        playbook, store, kept = _given(folder)
        with _progress(quiet=as_json) as progress:
            report = asyncio.run(_tuned(playbook, kept, store, asked, progress))
    except FirsthourError as error:
        fail(error)
    if as_json:
        typer.echo(json.dumps(for_machines(report), indent=2))
    else:
        Console(highlight=False).print(as_text(report))


def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes from now on.")] = False,
    trigger: Annotated[str | None, typer.Option(help="Only what this trigger reads, and its findings.")] = None,
    user: Annotated[str | None, typer.Option(help="Only of this user, session, key or address.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the past.")] = 20,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """What came in, what was found in it and what fired: from the log on disk, no server is needed."""
    from bot.tuning.tail import Readers, Wanted, as_data, in_words
    from bot.tuning.tail import tail as lines_of
    from bot.tuning.tune import trigger_of

    try:
        playbook, _, kept = _given(folder)
        only = trigger_of(playbook, trigger).id if trigger is not None else None
    except FirsthourError as error:
        fail(error)
    if not kept.is_dir():
        typer.echo(f"There is no log at {kept} yet: `firsthour run` makes it with the first event.", err=True)
    readers = Readers(playbook.rules)
    try:
        for line in lines_of(kept, Wanted(readers, user, only), last=lines, follow=follow):
            typer.echo(json.dumps(as_data(line, readers)) if as_json else in_words(line, readers))
            if follow:
                sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _given(folder: Path | None) -> tuple[Playbook, Store, Path]:
    """The playbook, the store and the folder of the log, as the bot that runs has them. Raises FirsthourError."""
    from bot.environment import read_settings
    from bot.playbook import DEFAULT_PATH, load
    from bot.playbook.organisation import load_organisation
    from bot.store import Store
    from bot.watch.process import folder_of

    settings: Settings = read_settings()
    playbook = load(DEFAULT_PATH)
    organisation = load_organisation(settings.config, playbook)
    store = Store(settings.database_url)
    return playbook, store, folder or folder_of(settings, organisation.detection.folder, store)


async def _tuned(
    playbook: Playbook, folder: Path, store: Store, asked: Asked, progress: Callable[[float], None]
) -> Report:
    from bot.store.engine import utc_now
    from bot.tuning.tune import tune as tune_trigger

    try:
        return await tune_trigger(playbook, folder, store, asked, utc_now(), progress=progress)
    finally:
        await store.close()


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[float], None]]:
    """A bar on standard error where somebody watches."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("Reading the log", total=1.0)
        yield lambda done: progress.update(task, completed=done)
