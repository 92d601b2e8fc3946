"""What a crash of the machine may find: bytes are on the disk before the name, the name before the row.

A kill cannot show that, since the kernel keeps what was written. So the calls themselves are looked at, once as the
module makes them and once as the kernel gets them.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from services.clients.pool import ClientPool
from services.downloads import Downloader
from services.lanes import Lanes
from services.targets import disk, incoming, local
from storage.files import FileRepository
from tests.services.conftest import Store
from tests.services.test_downloads import content, open_pier

SIZES = {"a single part": 0.5, "several parts": 3.5}
BELOW = "{date:%Y}/{id} {name}"


class Recorder:
    """Takes the place of `os` in the module under test."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if name not in {"pwrite", "fsync", "rename", "ftruncate"}:
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            what = name
            if name == "fsync":
                place = self._real.readlink(f"/proc/self/fd/{arguments[0]}")
                what = "fsync file" if place.endswith(".part") else "fsync folder"
            answer = value(*arguments, **named)
            self.calls.append(what)
            return answer

        return call


@pytest.mark.parametrize("template", [None, BELOW])
@pytest.mark.parametrize("parts", SIZES.values(), ids=SIZES)
async def test_bytes_then_name_then_row(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: float, template: str | None
) -> None:
    """All writes, fsync of the file, rename, fsync of the folder, row; as the target's rooms make the calls."""
    pier = await open_pier(store, tmp_path / "downloads")
    await pier.sources.set_name_template(pier.source.id, template)
    pier.source = cast("Any", await pier.sources.get(pier.source.id))
    recorder = Recorder(os)
    for room in (disk, incoming, local):
        monkeypatch.setattr(room, "os", recorder)

    class Rows(FileRepository):
        async def done(self, *arguments: Any) -> None:
            recorder.calls.append("row")
            await super().done(*arguments)

    await pier.want(m1=content(parts))
    await pier.fetch(Downloader(Rows(store.database), cast("ClientPool", pier.telegram), Lanes()))
    begun = recorder.calls.index("ftruncate")  # folders are made, and synced, before and after
    calls = recorder.calls[begun + 1 :]
    last_write = max(n for n, call in enumerate(calls) if call == "pwrite")
    assert calls.count("pwrite") == -(-parts // 1)
    rest = calls[last_write + 1 :]
    if template:
        assert rest[1] == "fsync folder"  # of the new folder's name
        rest.pop(1)
    assert rest == ["fsync file", "rename", "fsync folder", "row"]


SCRIPT = """
import asyncio, sys
from pathlib import Path
from tests.services.conftest import open_store
from tests.services.test_downloads import content, open_pier

async def main():
    async with open_store(Path(sys.argv[1]) / "data") as store:
        pier = await open_pier(store, Path(sys.argv[1]) / "downloads")
        await pier.want(m1=content(float(sys.argv[2])))
        await pier.fetch()

asyncio.run(main())
"""


@pytest.mark.parametrize("parts", SIZES.values(), ids=SIZES)
def test_the_kernel_sees_the_same(tmp_path: Path, parts: float) -> None:
    """The same by strace, with the database's own writes: the row's comes after the folder's fsync."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = tmp_path / "trace"
    watched = "trace=pwrite64,fsync,rename,renameat,renameat2"
    (tmp_path / "data").mkdir()
    ran = subprocess.run(
        [strace, "-f", "-y", "-qq", "-e", watched, "-o", trace, sys.executable, "-c", SCRIPT, tmp_path, str(parts)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if "PTRACE" in ran.stderr or "Operation not permitted" in ran.stderr:
        pytest.skip("tracing is not permitted here")
    assert ran.returncode == 0, ran.stderr
    told = [word for line in trace.read_text().splitlines() if (word := told_of(line))]
    last_write = max(n for n, word in enumerate(told) if word == "write part")
    order = [word for word in told[last_write + 1 :] if word != "write row"]
    assert order == ["fsync part", "rename", "fsync folder"]
    synced = len(told) - 1 - told[::-1].index("fsync folder")
    assert "write row" in told[synced:]
    assert "write row" not in told[told.index("fsync part") : synced]


def told_of(line: str) -> str | None:
    """What a line of strace says about the file on its way, its folder, or the database's log."""
    if "resumed>" in line:
        return None  # its beginning has been told
    if "pwrite64(" in line:
        return "write part" if ".part>" in line else "write row" if "porter.db-wal>" in line else None
    if "fsync(" in line:
        return "fsync part" if ".part>" in line else "fsync folder" if re.search(r"downloads/news>\)", line) else None
    return "rename" if re.search(r"rename\w*\(", line) and ".part" in line else None


def test_lines_are_read() -> None:
    """The reader of traces tells the calls apart."""
    assert told_of('7 pwrite64(9</x/downloads/news/.porter-1.part>, ""..., 9, 0) = 9') == "write part"
    assert told_of('7 pwrite64(9</x/data/porter.db-wal>, ""..., 9, 0) = 9') == "write row"
    assert told_of("7 fsync(8</x/downloads/news>) = 0") == "fsync folder"
    assert told_of("7 fsync(8</x/downloads>) = 0") is None
    assert told_of('7 renameat2(8</x>, ".porter-1.part", 8</x>, "1 a.bin", 0) = 0') == "rename"
