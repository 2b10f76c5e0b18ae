"""Data as YAML text that every reader takes for the same data.

Decides that text with a line break that is none in most languages (NEL, LINE SEPARATOR, …) is escaped: YAML 1.1 folds it.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

FOLDED = re.compile("[\r\x85\u2028\u2029\ufeff]")
DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The one on libyaml where it was built in: ten times as fast."""


class _Exact(DUMPER):  # type: ignore[misc, unused-ignore]
    pass


def _text(dumper: Any, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if FOLDED.search(text) else None)


_Exact.add_representer(str, _text)


def dumped(data: object) -> str:
    return str(yaml.dump(data, Dumper=_Exact, sort_keys=False, allow_unicode=True, width=120))
