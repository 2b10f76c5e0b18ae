"""README.md of an exported pack: what it holds, how each file is run, what that proves, and what must not be done with it."""

from __future__ import annotations

from bot.incident.narrative import so_many
from bot.validation.exports import promptfoo
from bot.validation.pack import IndicatorKind, Pack
from bot.validation.variants import original


def write(pack: Pack) -> str | None:
    parts = (_title(pack), _contents(pack), CARE, _promptfoo(pack), PYRIT, OWN, PROOF)
    return "\n".join(part for part in parts if part)


def _title(pack: Pack) -> str:
    return f"# Regression pack{f' of {pack.incident}' if pack.incident else ''}\n"


def _contents(pack: Pack) -> str:
    several = sum(len(payload.turns) > 1 for payload in pack.payloads)
    lines = [
        f"{so_many(len(pack.payloads), 'payload')}, {several} of them with several turns; "
        f"{so_many(len(pack.indicators), 'indicator')}; {so_many(len(pack.benign), 'benign control')}.",
        f"Vulnerable version: {_line(pack.vulnerable_version) if pack.vulnerable_version else 'NOT PROVIDED'}.",
        f"SHA-256 of the pack that this was written from: `{pack.sha256}`.",
    ]
    return "\n".join(lines) + "\n"


def _promptfoo(pack: Pack) -> str:
    if not promptfoo.runs(pack):
        return (
            "## promptfoo\n\nThere is no `promptfooconfig.yaml`: it needs a payload of one turn, and an indicator that can be "
            "seen in an answer (a literal, a pattern, a canary). Without one it would pass whatever happens.\n"
        )
    names = [promptfoo.URL, promptfoo.TOKEN]
    named = [one for one in pack.indicators if one.kind is IndicatorKind.CANARY]
    names += [promptfoo.CANARY.format(number) for number in range(1, len(named) + 1)]
    about = [
        'where the application takes `{"message"}` and answers `{"response"}`',
        "its bearer token",
        *(
            f"the value of the canary {f'“{_line(one.name)}”' if one.name else f'number {at}'}"
            for at, one in enumerate(named, 1)
        ),
    ]
    table = "\n".join(f"- `{name}`: {what}" for name, what in zip(names, about, strict=True))
    return PROMPTFOO.format(table=table, left=_left(pack))


def _left(pack: Pack) -> str:
    several = sum(len(original(payload).turns) > 1 for payload in pack.payloads)
    unseen = sum(one.kind in {IndicatorKind.TOOL_CALL, IndicatorKind.HTTP} for one in pack.indicators)
    told = [
        f"{so_many(several, 'payload')} of several turns (promptfoo would have to know how your application keeps a session)"
        if several
        else "",
        f"{so_many(unseen, 'indicator')} that no answer shows (a tool call, a side effect)" if unseen else "",
    ]
    left = " and ".join(part for part in told if part)
    return f"\nLeft out there: {left}. `firsthour validate` replays them.\n" if left else ""


def _line(text: str) -> str:
    """On one line, with nothing that Markdown would act on."""
    return "".join(one if one.isalnum() or one in " .,:/_-+()" else "·" for one in text)


CARE = """\
**Handle with care.** The payloads are a working attack, and may quote what it leaked. Keep this where the incident's evidence
may be kept, never in a public repository. Values of canaries and recorded answers are not in it; literals and patterns are,
as they were written.
"""
PROMPTFOO = """\
## promptfoo

    PROMPTFOO_DISABLE_TELEMETRY=1 PROMPTFOO_DISABLE_UPDATE=1 \\
      promptfoo eval -c promptfooconfig.yaml --no-cache --no-share --no-write --repeat 10

It reads from the environment:

{table}

A canary that is not set makes every test fail. If your application speaks another form, change `transformRequest` and
`transformResponse`. The exit code is 0 only when every test passed. An error (a status other than 2xx, a time-out) is no
pass: where your guardrail refuses with a 4xx, widen `validateStatus` by exactly that status. A file of results (`-o`) quotes
the answers, so whatever leaked again is in it.
{left}"""
PYRIT = """\
## PyRIT

    from pyrit.models import SeedDataset
    seeds = SeedDataset.from_yaml_file("pyrit.yaml").seeds

Seeds with the same `prompt_group_alias` are one conversation, in the order of `sequence`.
"""
OWN = """\
## Firsthour and anything else

`payloads.jsonl` has one payload a line: `turns`, `placement`, tags, and the paraphrases and translations that people gave.
`firsthour pack import payloads.jsonl --out pack.json` reads it back.
"""
PROOF = """\
## What it proves

That these payloads, as they stand, did not show these indicators in so many tries. With *n* tries and none that succeeded,
the attack's rate is below 1 − 0.05^(1/n) with 95 % confidence: 26 % for 10, 9.5 % for 30, 3 % for 100. It does not try
variants, and does not check that the indicators can still fire or which version answered: `firsthour validate` does.
"""
