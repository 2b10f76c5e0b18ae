"""The replay itself on a terminal: Ctrl-C stops it, a file keeps what was tried, a bar or lines say how far it is.

Decides where trials are kept and when a line is written. What is sent is `bot.validation.engine`'s.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress as Bar

from bot.settings_targets import TargetSettings
from bot.validation.engine import run
from bot.validation.pack import Pack
from bot.validation.plan import Plan, Progress, Tried
from bot.validation.report import Report
from bot.validation.state_file import StateFile
from bot.validation.targets import open_target
from bot.validation.told import standing

EVERY = 5.0
"""Seconds between lines of progress where nobody watches a bar."""


@dataclass(frozen=True)
class Job:
    pack: Pack
    name: str
    settings: TargetSettings
    plan: Plan
    state: Path | None
    contained: bool


def replayed(job: Job, *, quiet: bool) -> Report | None:
    """The report, or None where it was stopped. Raises FirsthourError. `quiet` leaves out the lines, not the bar."""
    with _progress(quiet=quiet) as progress, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_replayed(job, progress))


async def _replayed(job: Job, progress: Callable[[Progress], None]) -> Report | None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with open_target(job.name, job.settings, os.environ) as target:
        state = None
        if job.state is not None:
            where = f"{job.name} {job.settings.url}"
            version = await target.version()
            state = StateFile.open(job.state, pack=job.pack, plan=job.plan, target=where, version=version)
        return await run(
            job.pack,
            target,
            job.plan,
            now=lambda: datetime.now(UTC),
            keep=state.keep if state is not None else _forget,
            done=state.trials() if state is not None else (),
            progress=progress,
            stop=stop,
            contained=_always if job.contained else None,
            version_before=state.version if state is not None else None,
        )


async def _always() -> bool:
    return True


async def _forget(batch: Sequence[Tried]) -> None:
    """Without a state file the report is all that is left."""


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error where somebody watches, lines where nobody does."""
    console, last = Console(stderr=True), time.monotonic()

    def line(progress: Progress) -> None:
        nonlocal last
        if not quiet and time.monotonic() - last >= EVERY:
            last = time.monotonic()
            typer.echo(standing(progress), err=True)

    if not console.is_terminal:
        yield line
        return
    with Bar(console=console, transient=True) as bar:
        task = bar.add_task("Replaying", total=None)
        yield lambda now: bar.update(
            task, completed=now.payloads_done, total=now.payloads, description=standing(now).replace("[", "\\[")
        )
