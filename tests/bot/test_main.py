"""What the start path does with what happens beside an import."""

import asyncio
import threading
from pathlib import Path

import pytest

from bot.__main__ import StoppedEarly, load

GO_ON = threading.Event()
"""Read by the module that the first test writes."""


@pytest.mark.timeout(60)
async def test_an_import_is_not_waited_for_by_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "takes_long.py").write_text(f"from {__name__} import GO_ON\nGO_ON.wait()\n")
    monkeypatch.syspath_prepend(tmp_path)
    stop = asyncio.Event()
    loading = asyncio.create_task(load("takes_long", stop))
    await asyncio.sleep(0.05)
    assert not loading.done()
    stop.set()
    try:
        with pytest.raises(StoppedEarly):
            await loading
    finally:
        GO_ON.set()


async def test_a_module_that_cannot_be_imported_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "is_broken.py").write_text("raise RuntimeError('broken')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match="broken"):
        await load("is_broken", asyncio.Event())
