"""`make bench`: every benchmark, each printing ratios measured in one run. Names on the command line choose some."""

from __future__ import annotations

import asyncio
import sys

from tests.benchmarks import ack, opening

ALL = {"opening": opening.measure, "ack": ack.measure}


def main() -> None:
    for name in sys.argv[1:] or ALL:
        print(f"\n{name}")
        for line in asyncio.run(ALL[name]()):
            print(f"  {line}")


main()
