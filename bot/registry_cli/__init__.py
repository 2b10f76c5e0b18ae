"""`firsthour canary`, `prompt` and `owner`: what detection is told to look for, from the shell of whoever runs the bot.

Decides arguments, lines and exit codes. A secret never stands among the arguments, where everybody on the machine could
read it: it comes from standard input, or is made here and printed once. A bot that runs knows a change within seconds.
"""

from __future__ import annotations

import typer

from bot.registry_cli.canary import canary
from bot.registry_cli.owner import owner
from bot.registry_cli.prompt import prompt


def mount(app: typer.Typer) -> None:
    """Give the command line these groups."""
    for name, group in (("canary", canary), ("prompt", prompt), ("owner", owner)):
        app.add_typer(group, name=name)
