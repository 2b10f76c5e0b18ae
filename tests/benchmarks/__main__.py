"""`make bench`: every benchmark, each printing ratios measured in one run. Names on the command line choose some.

`make bench ARGS="opening ack"` runs two; `make bench ARGS="soak 60"` soaks for an hour.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial

from tests.benchmarks import (
    ack,
    burst,
    clock,
    detection,
    events_http,
    finding,
    gate,
    gateway,
    history,
    latecomer,
    opening,
    scan,
    soak,
    states,
    validation,
)

ALL = {
    "opening": opening.measure,
    "ack": ack.measure,
    "burst": burst.measure,
    "clock": clock.measure,
    "detection": detection.measure,
    "finding": finding.measure,
    "events_http": events_http.measure,
    "gate": gate.measure,
    "gateway": gateway.measure,
    "history": history.measure,
    "latecomer": latecomer.measure,
    "scan": scan.measure,
    "soak": soak.measure,
    "states": states.measure,
    "validation": validation.measure,
}


def main() -> None:
    names = [name for name in sys.argv[1:] if name in ALL]
    minutes = [float(number) for number in sys.argv[1:] if number not in ALL]
    for name in names or ALL:
        print(f"\n{name}", flush=True)
        measure = partial(soak.measure, minutes[0]) if name == "soak" and minutes else ALL[name]
        for line in asyncio.run(measure()):
            print(f"  {line}", flush=True)


main()
