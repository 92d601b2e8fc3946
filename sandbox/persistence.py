"""The world on disk, so that a sandbox that is started again is the same Telegram: logins hold, chats are there.

`world.json` holds everything but the bytes of uploaded files, which lie beside it, each written once. A changed world
is written at most once a second, and at the end. Both files and bytes are made up, yet kept as private as real ones.
"""

import asyncio
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from sandbox import scenarios
from sandbox.world import World

log = logging.getLogger(__name__)

WORLD_FILE = "world.json"
BLOBS = "blobs"
MIN_INTERVAL_S = 1.0
SHARE_OF_TIME = 0.02
"""How much of the loop's time turning the world into JSON may take (8 ms a time for `harbour`)."""


@dataclass
class Snapshot:
    """What the file holds."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    world: World


@cache
def _format() -> TypeAdapter[Snapshot]:
    return TypeAdapter(Snapshot)


def dump(world: World) -> bytes:
    """The world as JSON, without the uploaded bytes. To be called where the world changes: in the event loop."""
    return _format().dump_json(Snapshot(world), exclude={"world": {"blobs"}})


def save(world: World, data_dir: Path) -> None:
    """Write it now."""
    _write(dump(world), dict(world.blobs), data_dir)


def load(data_dir: Path) -> World | None:
    """The world that was saved; None if there is none, or none that this version can read."""
    path = data_dir / WORLD_FILE
    try:
        world = _format().validate_json(path.read_bytes()).world
    except FileNotFoundError:
        return None
    except ValidationError as error:
        log.warning("%s cannot be read (%d errors): the scenario starts anew", path, error.error_count())
        return None
    blobs = data_dir / BLOBS
    world.blobs = {int(blob.name): blob.read_bytes() for blob in blobs.iterdir()} if blobs.is_dir() else {}
    return world


def load_or_build(data_dir: Path, scenario: str) -> World:
    """What `data_dir` holds, if it is that scenario; else the scenario anew. Raises KeyError for an unknown name."""
    world = load(data_dir)
    if world is not None and world.scenario == scenario:
        return world
    world = scenarios.build(scenario)
    shutil.rmtree(data_dir / BLOBS, ignore_errors=True)  # of another world, whose ids begin where ours do
    return world


@asynccontextmanager
async def saved_world(data_dir: Path, scenario: str) -> AsyncIterator[World]:
    """The world, written back whenever it has changed, and at the end."""
    world = load_or_build(data_dir, scenario)
    stop = asyncio.Event()
    saver = asyncio.create_task(_keep_saved(world, data_dir, stop))
    try:
        yield world
    finally:
        stop.set()
        await saver


async def _keep_saved(world: World, data_dir: Path, stop: asyncio.Event) -> None:
    saved: tuple[int, ...] | None = None
    interval_s = MIN_INTERVAL_S
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), interval_s)
        except TimeoutError:
            if _stamp(world) == saved:
                continue
        saved = _stamp(world)
        began = time.perf_counter()
        content = dump(world)
        interval_s = max(MIN_INTERVAL_S, (time.perf_counter() - began) / SHARE_OF_TIME)
        try:
            await asyncio.to_thread(_write, content, dict(world.blobs), data_dir)
        except OSError:
            log.exception("the world could not be saved in %s", data_dir)
            saved = None


def _stamp(world: World) -> tuple[int, ...]:
    """Differs whenever there is something to save. A handshake adds a key and touches nothing else."""
    return world.version, len(world.auth_keys), world.clock_offset_s


def _write(content: bytes, blobs: dict[int, bytes], data_dir: Path) -> None:
    """Uploaded bytes first: a world never names a file that is not there."""
    (data_dir / BLOBS).mkdir(mode=0o700, parents=True, exist_ok=True)
    for document_id, blob in blobs.items():
        path = data_dir / BLOBS / str(document_id)
        if not path.exists():
            _replace(path, blob, data_dir / ".draft")
    _replace(data_dir / WORLD_FILE, content, data_dir / ".draft")


def _replace(path: Path, content: bytes, draft: Path) -> None:
    """Write whole or not at all."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
