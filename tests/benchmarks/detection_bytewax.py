"""The distinct rule in Bytewax, for `detection`: run by a Python of its own that has bytewax and msgspec. Prints CPU seconds.

`python detection_bytewax.py events.ndjson`. The same algorithm as in the engine, as one writes it there: per user the 101
results seen last. Of the bot it uses the shape of an event only.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from pathlib import Path

import bytewax.operators as op
import msgspec
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.testing import TestingSink, TestingSource, run_main

from bot.detection.event import Event

MORE_THAN, WINDOW, BATCH = 100, 3600.0, 500


class Distinct(StatefulBatchLogic):  # type: ignore[misc]
    def __init__(self) -> None:
        self.values: OrderedDict[str, float] = OrderedDict()

    def on_batch(self, batch: list[Event]) -> tuple[list[str], bool]:
        fired = []
        values = self.values
        for event in batch:
            result = event.data.result_sha256
            values[result] = event.occurred_at
            values.move_to_end(result)
            if len(values) > MORE_THAN + 1:
                values.popitem(last=False)
            if len(values) > MORE_THAN and next(iter(values.values())) >= event.occurred_at - WINDOW:
                fired.append(result)
        return fired, StatefulBatchLogic.RETAIN

    def snapshot(self) -> object:
        return dict(self.values)


def main(file: Path) -> None:
    lines = file.read_bytes().split(b"\n")
    batches = [b"\n".join(lines[n : n + BATCH]) for n in range(0, len(lines), BATCH)]
    decode = msgspec.json.Decoder(Event).decode_lines
    found: list[tuple[str, str]] = []
    flow = Dataflow("distinct")
    events = op.flat_map("decode", op.input("in", flow, TestingSource(batches)), decode)
    queries = op.filter("queries", events, lambda event: event.kind == "data_query" and event.data.ok is True)
    keyed = op.key_on("user", queries, lambda event: f"{event.app} {event.user_id}")
    op.output("out", op.stateful_batch("distinct", keyed, lambda _: Distinct()), TestingSink(found))
    began = time.process_time()
    run_main(flow)
    print(time.process_time() - began)


main(Path(sys.argv[1]))
