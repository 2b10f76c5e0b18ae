"""promptfoo, from npm: its own command, offline, with everything that it writes in a folder of the test."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.systems.installed import node, node_package
from tests.integration.systems.process import STARTS_WITHIN, Missing

QUIET = {
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_DISABLE_SHARING": "1",
    "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1",
}


@dataclass(frozen=True)
class Outcome:
    code: int
    """0 where every test passed, 100 where one did not."""
    successes: int
    failures: int
    errors: int
    results: bytes
    """The file that it wrote, as `firsthour pack import` reads it."""


@dataclass(frozen=True)
class Promptfoo:
    command: tuple[str, ...]
    home: Path

    def evaluate(self, folder: Path, **env: str) -> Outcome:
        """Run the configuration in `folder` with these variables in its environment, and none of this process's."""
        results = folder / "results.json"
        results.unlink(missing_ok=True)
        options = ("--no-cache", "--no-share", "--no-write", "--no-table", "--no-progress-bar", "-o", str(results))
        done = self.run("eval", "-c", "promptfooconfig.yaml", *options, folder=folder, env=env)
        assert results.exists(), done.stdout[-3000:]
        stats: dict[str, Any] = json.loads(results.read_bytes())["results"]["stats"]
        return Outcome(done.returncode, stats["successes"], stats["failures"], stats["errors"], results.read_bytes())

    def run(self, *arguments: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Its home and its folder of settings are the test's, and no proxy is known to it."""
        own = QUIET | {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "PROMPTFOO_CONFIG_DIR": str(self.home / "settings"),
        }
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=folder,
            env=own | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=STARTS_WITHIN,
            check=False,
        )
        with (self.home / "promptfoo.log").open("a") as log:
            log.write(done.stdout)
        return done


@contextlib.contextmanager
def running(home: Path) -> Iterator[Promptfoo]:
    """Started anew for each run; here it only says its version, which it cannot without its database's binding."""
    program = node_package("promptfoo", "promptfoo") / "dist/src/main.js"
    home.mkdir(parents=True, exist_ok=True)
    found = Promptfoo((str(node()), str(program)), home)
    done = found.run("--version", folder=home, env={})
    if done.returncode:
        raise Missing(f"promptfoo does not start here: {' '.join(done.stdout.split())[:300]}")
    yield found
