"""Detection in this process: the nine triggers over NDJSON of 300 bytes a line, decoded and counted, on one core.

Beside it, over the same events in the same run: three of the nine as Lua in Valkey and the same three here (and what all nine
cost here for the same events), the distinct rule in Bytewax (where BENCH_BYTEWAX names a Python that has it), and what more
keys and more triggers cost. Everything is in CPU seconds, so that
what else the machine does matters less. The bars of the detection issue stand in brackets.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bot.detection.engine import Engine
from bot.detection.event import Event, Seen
from bot.detection.rule import Rule, TriggerRule
from bot.playbook import load
from tests.benchmarks.detection_stream import BATCH, BEGIN, SECONDS, Lines, batches, decoded, ndjson
from tests.benchmarks.detection_valkey import PLAIN, SAME, counted, in_valkey
from tests.process import ROOT

NINE = (
    "unauthorized_tool_execution", "credential_leakage_confirmed", "bulk_data_extraction", "sustained_injection_campaign",
    "system_prompt_exposure", "cross_user_data_leakage", "jailbreak_success", "partial_prompt_extraction", "anomalous_probing",
)  # fmt: skip
THREE = ("bulk_data_extraction", "sustained_injection_campaign", "anomalous_probing")
"""Those that the Lua scripts carry out."""
EVENTS, USERS, ROUNDS = 400_000, 100_000, 5
LUA_ROUNDS = 3
MOST_KEYS = 4_000_000


async def measure() -> list[str]:
    return await asyncio.to_thread(lambda: list(_measure()))


def _measure() -> Iterator[str]:
    nine = [TriggerRule(name, load().triggers[name].rule) for name in NINE]
    lines = ndjson(EVENTS, USERS)
    size = sum(map(len, lines)) / EVENTS
    decode, whole = (each / EVENTS for each in _in_turns(([], lines), (nine, lines)))
    yield (
        f"nine triggers, {USERS:,} users  {1 / whole:9,.0f} events/s  (≥ 400,000), of which decoding {decode / whole:.0%}; "
        f"{size:.0f} bytes a line"
    )
    yield from _memory(nine, lines)
    yield from _valkey(nine, lines)
    yield _bytewax(nine[2].rule)
    yield from _growth(nine)


def _in_turns(*runs: tuple[Sequence[TriggerRule], Lines]) -> list[float]:
    """The best of some rounds for each, so that whatever else the machine does meets all of them alike."""
    rounds = [[_seconds(rules, lines) for rules, lines in runs] for _ in range(ROUNDS)]
    return [min(each) for each in zip(*rounds, strict=True)]


def _seconds(rules: Sequence[TriggerRule], lines: Lines) -> float:
    """CPU seconds to decode all, and, where there are rules, to count it in a new engine."""
    engine = Engine(rules, most_keys=MOST_KEYS)
    decode = msgspec.json.Decoder(Event).decode_lines
    gc.collect()
    began = time.process_time()
    for batch in lines:
        seen = [Seen(event=event, arrived=BEGIN + SECONDS) for event in decode(batch)]
        if rules:
            engine.take(seen)
    return time.process_time() - began


def _memory(rules: Sequence[TriggerRule], lines: Lines) -> Iterator[str]:
    gc.collect()
    tracemalloc.start()
    engine = Engine(rules, most_keys=MOST_KEYS)
    before = tracemalloc.get_traced_memory()[0]
    for batch in lines:
        for seen in decoded([batch]):
            engine.take(seen)
    del seen  # the last batch is no state
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    began = time.process_time()
    entries = list(engine.dump())
    dumped = time.process_time() - began
    Engine(rules, most_keys=MOST_KEYS).load(entries)
    loaded = time.process_time() - began - dumped
    size = sum(len(packed) for _, _, packed in entries)
    active = len({seen.event.user_id for batch in decoded(lines) for seen in batch})
    families = sum(bool(room.states) for room in engine._rooms.values())
    each = used / active / families
    yield f"memory                          {each:9,.0f} bytes an active user and rule family  (≤ 600): {active:,} users"
    yield f"                                {used / engine.keys:9,.0f} bytes a state that is kept, {engine.keys:,} of them"
    yield f"dump                            {size / 1e6:9,.1f} MB in {dumped:.2f} s, loaded in {loaded:.2f} s"


def _valkey(nine: Sequence[TriggerRule], lines: Lines) -> Iterator[str]:
    """The same three rules on both sides, over the same events: those that one of the three counts, decoded just before, which
    is not timed. What each costs here, and there: the client's share and the server's together, since both are somebody's
    core. Beside it all nine here, of which six find nothing in these events."""
    three = [rule for rule in nine if rule.trigger in THREE]
    few = lines[: len(lines) // 20]
    for words, scripts, pipelined, some in (
        ("the same rules, pipelined", SAME, True, lines),
        ("the same, a round trip each", SAME, False, few),
        ("only counted, pipelined", PLAIN, True, lines),
        ("only counted, a round trip each", PLAIN, False, few),
    ):
        here, all_nine, there = [], [], []
        for _ in range(LUA_ROUNDS):
            here.append(_counting(three, some))
            all_nine.append(_counting(nine, some))
            there.append(in_valkey(scripts, map(counted, batches(some)), pipelined=pipelined))
        ours, both = min(cost for cost, _ in here), min(cost.client + cost.server for cost in there)
        if scripts is SAME and here[0][1] != sum(there[0].findings.values()):
            raise AssertionError(f"{here[0][1]} findings here, {sum(there[0].findings.values())} there")
        yield (
            f"three triggers in Lua, {words:31} {1 / both:9,.0f} counted events/s; the same here {1 / ours:,.0f}, "
            f"{both / ours:4.1f} ×{'  (≥ 10)' if scripts is SAME and pipelined else ''}; "
            f"{min(cost.server for cost in there) / ours:.1f} × the server alone; "
            f"all nine here {both / min(cost for cost, _ in all_nine):.1f} ×; {here[0][1]} findings"
        )


def _counting(rules: Sequence[TriggerRule], lines: Lines) -> tuple[float, int]:
    """CPU seconds for each event that one of the three counts, without its decoding; and how many findings there were."""
    engine, seconds, events, findings = Engine(rules, most_keys=MOST_KEYS), 0.0, 0, 0
    gc.collect()
    for batch in map(counted, batches(lines)):
        began = time.process_time()
        found = engine.take(batch)
        seconds += time.process_time() - began
        events += len(batch)
        findings += len(found)
    return seconds / events, findings


def _bytewax(rule: Rule) -> str:
    python = os.environ.get("BENCH_BYTEWAX")
    if python is None:
        return "Bytewax                         BENCH_BYTEWAX names no Python that has it: not measured"
    lines = [line for batch in ndjson(EVENTS, USERS) for line in batch.split(b"\n") if b'"data_query"' in line]
    batches = [b"\n".join(lines[n : n + BATCH]) for n in range(0, len(lines), BATCH)]
    script = Path(__file__).with_name("detection_bytewax.py")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "events.ndjson"
        file.write_bytes(b"\n".join(lines))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(_seconds([TriggerRule("bulk", rule)], batches))
            told = subprocess.run(
                [python, script, file], capture_output=True, check=True, env={"PYTHONPATH": str(ROOT)}
            )
            theirs.append(float(told.stdout))
    here, there = len(lines) / min(ours), len(lines) / min(theirs)
    return (
        f"the distinct rule in Bytewax    {there:9,.0f} queries/s, decoded and counted; here {here:,.0f}, "
        f"{here / there:4.1f} ×  (≥ 1.4)"
    )


def _growth(nine: Sequence[TriggerRule]) -> Iterator[str]:
    few, many = _in_turns((nine, ndjson(EVENTS, 10_000)), (nine, ndjson(EVENTS, 1_000_000)))
    yield f"10,000 → 1,000,000 users        {many / few:9.2f} × the CPU  (≤ 1.2)"
    apps = [f"application {n}" for n in range(191)]
    lines = ndjson(EVENTS, USERS, ["support-chat", *apps])
    alone = [TriggerRule(name, rule.model_copy(update={"apps": ("support-chat",)})) for name, rule in nine]
    one = [TriggerRule("one", nine[2].rule.model_copy(update={"apps": tuple(apps)}))]
    each = [TriggerRule(f"of {app}", nine[2].rule.model_copy(update={"apps": (app,)})) for app in apps]
    few, many = _in_turns(([*alone, *one], lines), ([*alone, *each], lines))
    yield f"10 → 200 triggers, disjoint     {many / few:9.2f} × the CPU  (≤ 1.2)"
