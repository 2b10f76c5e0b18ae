"""The command line. Parses arguments, calls one function, turns what it says into lines and an exit code."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from bot import logs, pack_cli, validate_cli
from bot.incident.errors import ChainBroken, FirsthourError, Invalid
from bot.metrics.form import Form
from bot.registry_cli import mount
from bot.tuning import cli as tuning

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

T = TypeVar("T")
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


def _fail(error: FirsthourError, code: int = 1) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(code)


def _number(incident: str) -> int:
    number = incident.strip().upper().removeprefix("INC-")
    if not (number.isascii() and number.isdigit()):
        raise typer.BadParameter("Name an incident, for example INC-1.")
    return int(number)


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
        _fail(error)


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
        _fail(error)


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
        _fail(error)


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
        number = _number(resync)
        try:
            count = asyncio.run(show_again(number))
        except FirsthourError as error:
            _fail(error)
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
        _fail(error)
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
        _fail(error)
    made = app_manifest(FEATURES, private_rooms=organisation.private_rooms, url=url)
    typer.echo(json.dumps(made, indent=2, ensure_ascii=False))


@app.command()
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
            _verify_stored(incident, _number(incident))
            return
    except ChainBroken as error:
        _fail(error, 2)
    except FirsthourError as error:
        _fail(error)
    typer.echo(f"{incident}: {count} entries, the chain is unbroken.")


@app.command()
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
        _fail(Invalid("Name the incident, or ask for metrics with --metrics csv.", example="firsthour export INC-1"))
    number = _number(incident)
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
        _fail(error, 2)
    except FirsthourError as error:
        _fail(error)
    except OSError as error:
        _fail(Invalid(f"{out} cannot be written: {error.strerror}."))
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
    except ChainBroken as error:
        _fail(error, 2)
    except FirsthourError as error:
        _fail(error)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if out is None:
        typer.echo(text)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    typer.echo(f"{out} is written: {len(document['timeline'])} entries. `firsthour verify {out}` proves them.")


def _export_metrics(form: Form, since: str | None, until: str | None, out: Path | None) -> None:
    from bot.metrics.cli import metrics

    try:
        text = asyncio.run(metrics(form, since, until))
    except FirsthourError as error:
        _fail(error)
    if out is None:
        typer.echo(text, nl=False)
        return
    made = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(made, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    typer.echo(f"{out} is written.")


def _export_table(name: str, out: Path | None) -> None:
    from bot.store.engine import utc_now
    from bot.store.item_table import TABLES

    if name not in TABLES:
        raise typer.BadParameter(f"There are: {', '.join(TABLES)}.", param_hint="--table")
    try:
        text = asyncio.run(_reading(lambda session: TABLES[name](session, utc_now())))
    except FirsthourError as error:
        _fail(error)
    if out is None:
        typer.echo(text, nl=False)
        return
    made = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(made, "w", encoding="utf-8", newline="") as file:
        file.write(text)
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


def main() -> None:
    app()


if __name__ == "__main__":
    main()
