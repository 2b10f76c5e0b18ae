"""The recipes that our pages give, taken out of the pages themselves: what a test runs is what a reader copies.

Decides what is put in the place of what a reader fills in: the address and the token.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADDRESS, TOKEN = "http://127.0.0.1:8080", "<token>"
BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def recipe(page: str, begins: str, *, holds: str = "", address: str, token: str) -> str:
    """The block of `page` that begins so and holds this, for the Firsthour at `address`. Raises ValueError for none or two."""
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    (found,) = [block for block in blocks if block.startswith(begins) and holds in block]
    assert ADDRESS in found, f"the recipe of {page} names another address"
    return found.replace(ADDRESS, address).replace(TOKEN, token)
