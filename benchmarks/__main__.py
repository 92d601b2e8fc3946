"""python -m benchmarks NAME [--json]; `all` runs every one. Exit code 1 when a check fails."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks import (
    burst,
    cold_start,
    deciding,
    downloads,
    history,
    latency,
    loading,
    requests_page,
    sandbox_cost,
    schedules,
)
from benchmarks.report import Report

BENCHMARKS: dict[str, Callable[[], Coroutine[Any, Any, Report]]] = {
    "sandbox-cost": sandbox_cost.measure,
    "download-large": downloads.large,
    "download-small": downloads.small,
    "download-loopback": downloads.loopback,
    "history": history.walk,
    "history-loopback": history.loopback,
    "rescan": history.rescan,
    "memory": downloads.memory,
    "schedule": schedules.idle,
    "requests-page": requests_page.measure,
    "bot-latency": latency.measure,
    "cold-start": cold_start.measure,
    "approve-all": deciding.approve_all,
    "burst": burst.arrive,
    "load-requests": loading.load,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=[*BENCHMARKS, "all"])
    parser.add_argument("--json", action="store_true", help="one line of JSON a benchmark")
    options = parser.parse_args()
    names = list(BENCHMARKS) if options.name == "all" else [options.name]
    ok = True
    for name in names:
        report = asyncio.run(BENCHMARKS[name]())
        print(report.as_json() if options.json else report.as_text(), flush=True)
        ok = ok and report.ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
