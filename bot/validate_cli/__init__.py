"""`firsthour validate`: files and options in, a replay, lines and an exit code out (design §8).

Decides names of options, where progress goes, and that 0 means VERIFIED and nothing else: 3 for INCOMPLETE, 4 for
INCONCLUSIVE and for verified under containment only, 2 for wrong usage, 130 where it was stopped. What is replayed, and what
it proves, is `bot.validation`'s.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.incident.errors import FirsthourError
from bot.validate_cli.given import TOKEN, Given, Parts, pack_of, target_of

if TYPE_CHECKING:
    from bot.validation.report import Report


def mount(app: typer.Typer) -> None:
    """Give the command line its part."""
    app.command()(validate)


def validate(
    target: Annotated[str | None, typer.Option(metavar="URL", help="Posted to as `{“message”: …}`.")] = None,
    targets: Annotated[str | None, typer.Option(metavar="NAME", help="A target of the organisation's file.")] = None,
    payloads: Annotated[
        Path | None, typer.Option(help="The attack: one payload a line, or any format of `pack import`.")
    ] = None,
    indicators: Annotated[
        Path | None, typer.Option(help="What shows that it worked: KIND:VALUE a line, or a literal alone.")
    ] = None,
    benign: Annotated[Path | None, typer.Option(help="Innocent requests that must be answered, one a line.")] = None,
    recorded: Annotated[Path | None, typer.Option(help="Answers from when the attack worked, one a line.")] = None,
    pack: Annotated[Path | None, typer.Option(help="All of these in one file, as `pack import` writes it.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Of each payload; 30 rule out more than 9.5 % at 95 %.")] = 30,
    variant_trials: Annotated[int | None, typer.Option(min=1, help="Of each variant; a fifth by default.")] = None,
    version: Annotated[str | None, typer.Option(help="What is deployed.")] = None,
    vulnerable_version: Annotated[str | None, typer.Option(help="What was deployed when the attack worked.")] = None,
    token_env: Annotated[str, typer.Option(metavar="VARIABLE", help="Holds the bearer token for --target.")] = TOKEN,
    seed: Annotated[int, typer.Option(help="Of the order and the variants.")] = 1,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Conversations at once; 4 by default.")
    ] = None,
    per_second: Annotated[float | None, typer.Option(min=0.001, help="Calls a second at most.")] = None,
    most_calls: Annotated[int | None, typer.Option(min=1, help="Calls altogether at most.")] = None,
    contained: Annotated[
        bool, typer.Option("--contained", help="Containment of the test's identity is in force.")
    ] = False,
    state: Annotated[
        Path | None, typer.Option(help="Keep trials here: Ctrl-C stops, the same command goes on.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Replay an attack against a target that was mended, and say what that proves. Exits 0 only when VERIFIED."""
    from bot.validate_cli.replay import Job, replayed
    from bot.validation.plan import Plan

    try:
        whole = pack_of(pack, Parts(payloads, indicators, benign, recorded), vulnerable_version)
        given = Given(target, targets, version, token_env, concurrency, per_second)
        name, settings = target_of(given)
        plan = Plan(
            trials=trials,
            seed=seed,
            variant_trials=variant_trials,
            concurrency=concurrency,
            per_second=per_second,
            most_calls=most_calls,
        )
        report = replayed(Job(whole, name, settings, plan, state, contained), quiet=as_json)
    except FirsthourError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if report is None:
        kept = (
            f"What was tried is in {state}; the same command goes on." if state else "Nothing of it is kept (--state)."
        )
        typer.echo(f"Stopped. {kept}", err=True)
        raise typer.Exit(130)
    _tell(report, as_json=as_json)


def _tell(report: Report, *, as_json: bool) -> None:
    from bot.incident.words import Verdict
    from bot.validation.told import lines

    if as_json:
        typer.echo(json.dumps(report.as_json(most=len(report.payloads)), indent=2, ensure_ascii=False))
    else:
        for line in lines(report):
            typer.echo(line)
    if not report.proves_fix:
        raise typer.Exit(3 if report.verdict is Verdict.INCOMPLETE else 4)
