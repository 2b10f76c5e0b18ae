"""Run as a process: has imported the bot, and forks one for each line that it is told; what it never does is run one.

Decides only how a bot begins: with everything imported, else as `python -m bot …` begins. Two of the three seconds of a
start are imports, and a killed process leaves nothing of those behind. Parent's side: `tests.process.Forked`.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import sys
import threading
from typing import Any


def main() -> None:
    """Each line of standard input is an order, and each is answered by one number on standard output."""
    __import__("bot.app")
    assert threading.active_count() == 1, "a thread would not be there after the fork"
    gc.freeze()
    while line := sys.stdin.readline():
        order: dict[str, Any] = json.loads(line)
        if "ended" in order:
            _, status = os.waitpid(order["ended"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        child = os.fork()
        if child == 0:
            _live(**order)
            return  # the interpreter ends as it always does
        print(child, flush=True)


def _live(arguments: list[str], env: dict[str, str], folder: str, log: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(given, standard)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["bot", *arguments]
    runpy.run_module("bot", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
