"""The stream of `detection`: NDJSON of 300 bytes a line, users by Zipf's law (exponent 1.1), no text.

Of ten events four are model calls, two verdicts (a quarter blocks, a twentieth flags), two and a half queries with a result of
their own, one a tool call, half a one probing.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import accumulate

import msgspec

from bot.detection.event import Data, Event, Kind, Outcome, Seen, Signal, Stage, Tool, Verdict

BEGIN = 1_790_000_000.0
BATCH = 500
SECONDS = 1800.0
"""Over which the events are spread, in their own time."""
PROBES = ("role_play", "encoding", "prompt_extraction")

Lines = list[bytes]
"""Batches of NDJSON."""


def ndjson(count: int, users: int, apps: Sequence[str] = ("support-chat",)) -> Lines:
    chance = random.Random(5)
    shares = list(accumulate(1 / rank**1.1 for rank in range(1, users + 1)))
    made = []
    for n in range(count):
        user = bisect(shares, chance.random() * shares[-1])
        made.append(msgspec.json.encode(_event(chance, BEGIN + n * SECONDS / count, user, apps[n % len(apps)])))
    return [b"\n".join(made[n : n + BATCH]) for n in range(0, count, BATCH)]


def _event(chance: random.Random, at: float, user: int, app: str) -> Event:
    """Of ten events four are calls, two verdicts (three of ten no pass), two and a half queries, one a tool, half a probe."""
    told = {
        "occurred_at": at, "source": "gateway", "source_event_id": f"{chance.getrandbits(64):016x}", "app": app,
        "user_id": f"user-{user:07}", "session_id": f"session-{user:07}",
        "call_id": f"{chance.getrandbits(64):016x}",
    }  # fmt: skip
    kind = chance.random()
    if kind < 0.4:
        return Event(
            kind=Kind.LLM_CALL,
            model="gpt-5-mini",
            delivered=True,
            stage=Stage.OUTPUT,
            tokens=412,
            latency_ms=812.5,
            **told,
        )
    if kind < 0.6:
        outcome = chance.choices([Outcome.ALLOW, Outcome.BLOCK, Outcome.FLAG], [70, 25, 5])[0]
        verdicts = (Verdict("content-filter", outcome, score=0.5),)
        return Event(
            kind=Kind.GUARDRAIL, delivered=outcome is not Outcome.BLOCK, verdicts=verdicts, stage=Stage.INPUT, **told
        )
    if kind < 0.85:
        data = Data(result_sha256=f"{chance.getrandbits(256):064x}", rows=1, ok=True)
        return Event(kind=Kind.DATA_QUERY, data=data, **told)
    if kind < 0.95:
        tool = Tool("lookup_order", told["call_id"], authorized=True, completed=True, side_effect=False)
        return Event(kind=Kind.TOOL_CALL, tool=tool, **told)
    return Event(kind=Kind.LLM_CALL, stage=Stage.INPUT, signals=(Signal(chance.choice(PROBES)),), **told)


def batches(lines: Lines) -> Iterator[list[Seen]]:
    """One after the other, each decoded when it is asked for: as they come, and not cold from memory."""
    decode = msgspec.json.Decoder(Event).decode_lines
    for batch in lines:
        yield [Seen(event=event, arrived=event.at) for event in decode(batch)]


def decoded(lines: Lines) -> list[list[Seen]]:
    return list(batches(lines))
