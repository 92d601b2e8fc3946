"""What the kernel tells of a process: its CPU time and its memory (proc(5))."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024
SAMPLE_SECONDS = 0.02


def cpu_ms(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def rss_mib() -> float:
    """Memory of this process that is in RAM now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


@dataclass(frozen=True)
class Memory:
    """In RAM now: all that is mapped, the same with what others map too shared out, what is this process's alone."""

    rss_mib: float
    pss_mib: float
    uss_mib: float


def memory_of(pid: int) -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines)}
    private = kib["Private_Clean"] + kib["Private_Dirty"]
    return Memory(kib["Rss"] / 1024, kib["Pss"] / 1024, private / 1024)


@dataclass
class Peak:
    """`mib`: the most by which the process was larger than `before_mib`."""

    before_mib: float
    mib: float = 0.0


@asynccontextmanager
async def peak_rss() -> AsyncIterator[Peak]:
    """Looks 50 times a second while the block runs."""
    gc.collect()
    peak = Peak(rss_mib())

    async def look() -> None:
        while True:
            peak.mib = max(peak.mib, rss_mib() - peak.before_mib)
            await asyncio.sleep(SAMPLE_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield peak
    finally:
        looking.cancel()
