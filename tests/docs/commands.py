"""`python -m tests.docs.commands` writes the table of commands into the README."""

from __future__ import annotations

import re
from pathlib import Path

from commands import FEATURES
from commands.help import table

README = Path(__file__).resolve().parents[2] / "README.md"
text = README.read_text(encoding="utf-8")
made = f"<!-- commands -->\n{table(FEATURES)}\n<!-- /commands -->"
README.write_text(
    re.sub(r"<!-- commands -->.*<!-- /commands -->", lambda _: made, text, flags=re.DOTALL), encoding="utf-8"
)
