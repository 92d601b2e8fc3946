"""The benchmarks begin and tell: their figures are not looked at here, machines are too different for that."""

import asyncio
import json
import os
import sys

import pytest

from benchmarks.__main__ import BENCHMARKS


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: a process, a sandbox and both libraries")
async def test_the_smallest_one_runs() -> None:
    """As its own process, one line of JSON: what it checks is a count of calls, and holds everywhere."""
    assert "rescan" in BENCHMARKS
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "rescan", "--json", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    report = json.loads(out)
    assert process.returncode == 0
    assert (report["name"], report["unit"]) == ("rescan", "calls")
    assert all(entry["ok"] for entry in report["checks"])
