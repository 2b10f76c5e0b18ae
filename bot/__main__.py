"""The command line. Parses arguments, calls one function, turns what it says into lines and an exit code."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from bot import logs, pack_cli, proof_cli, validate_cli
from bot.incident.errors import FirsthourError
from bot.registry_cli import mount
from bot.terminal import fail, number_of
from bot.tuning import cli as tuning

app = typer.Typer(
    name="firsthour",
    help="Runs the first hour of an AI security incident, in Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
mount(app)
tuning.mount(app)
pack_cli.mount(app)
validate_cli.mount(app)
proof_cli.mount(app)


@app.command()
def run() -> None:
    """Start the bot. Everything it needs is in the environment; `firsthour doctor` checks it."""
    import uvloop

    from bot.app import run as run_app
    from bot.environment import read_settings

    try:
        settings = read_settings()
        logs.configure(settings.log_format)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_app(settings))
    except FirsthourError as error:
        fail(error)


@app.command()
def demo(
    fast: Annotated[bool, typer.Option(help="Run the first hour in a minute.")] = False,
    port: Annotated[int, typer.Option(help="Port of the practice workspace; 0 takes a free one.")] = 0,
    scenario: Annotated[str, typer.Option(help="Which attack the practice AI app suffers.")] = "credential_leak",
) -> None:
    """A practice Slack workspace, the bot and an AI app under attack, on this machine. Needs no account."""
    from bot.demo import PROXIES
    from bot.demo import demo as run_demo
    from bot.practice.ai_scenarios import SCENARIOS

    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"There are: {', '.join(SCENARIOS)}.", param_hint="--scenario")
    for name in PROXIES:
        os.environ.pop(name, None)
    logs.configure("console", level=logging.WARNING)
    try:
        asyncio.run(run_demo(fast=fast, port=port, scenario=scenario, say=typer.echo))
    except FirsthourError as error:
        fail(error)


@app.command()
def gate() -> None:
    """The inline policy point in a process of its own. Needs the store and FIRSTHOUR_GATE_TOKEN; Slack is never touched."""
    import uvloop

    from bot.environment import read_settings
    from bot.gate.process import run as run_gate
    from bot.playbook import DEFAULT_PATH, load
    from bot.playbook.organisation import load_organisation

    try:
        settings = read_settings()
        logs.configure(settings.log_format)
        organisation = load_organisation(settings.config, load(DEFAULT_PATH))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run_gate(settings, organisation.gate))
    except FirsthourError as error:
        fail(error)


@app.command()
def doctor(
    migrate: Annotated[bool, typer.Option(help="Bring the database to this version first.")] = False,
    resync: Annotated[
        str | None, typer.Option(metavar="INC-12", help="Only have everything of this incident shown again.")
    ] = None,
) -> None:
    """Check tokens, scopes, channels, database and playbooks, and say how to mend each."""
    from bot.doctor import examine, show_again

    if resync is not None:
        number = number_of(resync)
        try:
            count = asyncio.run(show_again(number))
        except FirsthourError as error:
            fail(error)
        typer.echo(f"INC-{number}: {count} messages are rendered and sent again by the bot that runs.")
        return

    async def all_of_it() -> bool:
        well = True
        async for finding in examine(migrate=migrate):
            well = well and finding.well
            typer.echo(f"{'✓' if finding.well else '✗'} {finding.name}: {finding.detail}")
            if not finding.well:
                typer.echo(f"    → {finding.mend}")
        return well

    logs.configure("console")
    if not asyncio.run(all_of_it()):
        raise typer.Exit(1)


@app.command()
def lint(
    folder: Annotated[
        Path | None, typer.Argument(help="The playbooks; those that came with Firsthour by default.")
    ] = None,
) -> None:
    """Load the playbooks as the bot does, and say what is wrong with file, line and fix."""
    from bot.playbook import DEFAULT_PATH, load

    try:
        playbook = load(folder or DEFAULT_PATH)
    except FirsthourError as error:
        fail(error)
    typer.echo(
        f"Well: {len(playbook.triggers)} triggers, {len(playbook.actions)} actions, {len(playbook.scenarios)} scenarios, "
        f"{len(playbook.all_steps)} steps. Digest {playbook.digest[:12]}."
    )


@app.command()
def manifest(
    url: Annotated[str | None, typer.Option(help="Public address for HTTP mode; Socket Mode without it.")] = None,
) -> None:
    """Print the Slack app manifest, made from the registered handlers."""
    from bot.environment import read_settings
    from bot.playbook import DEFAULT_PATH, load
    from bot.playbook.organisation import load_organisation
    from bot.slack.manifest import manifest as app_manifest
    from commands import FEATURES

    try:
        organisation = load_organisation(read_settings().config, load(DEFAULT_PATH))
    except FirsthourError as error:
        fail(error)
    made = app_manifest(FEATURES, private_rooms=organisation.private_rooms, url=url)
    typer.echo(json.dumps(made, indent=2, ensure_ascii=False))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
