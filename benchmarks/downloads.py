"""How fast files come home: Porter's engine beside `download_media` of both libraries, on the same line.

Porter stores rows, hashes every part and the whole, syncs and renames; the libraries write the bytes and no more.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import cryptg
import tgcrypto

from benchmarks.process import peak_rss
from benchmarks.report import Report, check
from benchmarks.yard import RTT_MS, Porter, Yard, open_yard

MIB = 1024 * 1024


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    """Seconds."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def by_telethon(yard: Yard, channel: int, ids: list[int]) -> float:
    """Seconds for these files one after the other, each to the disk."""
    async with yard.telethon() as client:
        messages = await client.get_messages(channel, ids=ids)
        return await _by_library(yard, messages, client.download_media)


async def by_kurigram(yard: Yard, channel: int, ids: list[int]) -> float:
    async with yard.kurigram() as client:
        messages = [await client.get_messages(channel, each) for each in ids]
        return await _by_library(yard, messages, client.download_media)


async def _by_library(yard: Yard, messages: list[Any], download: Callable[[Any, str], Awaitable[Any]]) -> float:
    """Seconds. What came home is proven to be whole; then its place is free again."""
    directory = yard.home / "library"
    directory.mkdir(exist_ok=True)
    paths: dict[int, Path] = {}

    async def fetch() -> None:
        for message in messages:
            paths[message.id] = Path(await download(message, str(directory / str(message.id))))

    seconds = await timed(fetch)
    wanted = {each["message"]: each["sha256"] for each in await yard.driver.documents()}
    for message_id, path in paths.items():
        assert await asyncio.to_thread(sha256, path) == wanted[message_id], f"{path.name} is not what was sent"
        path.unlink()
    return seconds


async def by_porter(yard: Yard, porter: Porter, name: str, channel: int, count: int) -> float:
    """Seconds of a whole run: the walk, the rows, the files."""
    source = await porter.save(name, channel)
    await porter.connect()
    seconds = await timed(lambda: porter.scrape(source))
    tally = await porter.files.tally(source.id)
    assert (tally.done, tally.waiting, tally.failed) == (count, 0, 0)
    wanted = {each["sha256"] for each in await yard.driver.documents() if each["channel"] == channel}
    for path in (porter.downloads / name.lower()).iterdir():
        assert await asyncio.to_thread(sha256, path) in wanted
        path.unlink()
    return seconds


async def large() -> Report:
    """One file of 256 MiB. The libraries do it once each, Porter with three windows."""
    size = 256 * MIB
    async with open_yard() as yard:
        channel = await yard.channel(private=False)
        post = await yard.driver.post(channel, file={"name": "film.mkv", "size": size})
        await yard.driver.network(rtt_ms=RTT_MS)
        figures, speed, calls = {}, 0.0, {}
        for mib in (2, 8, 4):
            async with yard.porter(f"window-{mib}", window_bytes=mib * MIB) as porter:
                # Its connection to the files' DC is there, as it is for all files but the first one of an account.
                await porter.scrape(await porter.save("Before", await yard.channel(private=True)))
                await yard.driver.reset_calls()
                speed = size / MIB / await by_porter(yard, porter, f"Window {mib}", channel, 1)
                calls = await getting(yard)
                figures[f"window_{mib}_mib"] = round(speed, 1)
        peers = {
            "telethon": size / MIB / await by_telethon(yard, channel, [post["id"]]),
            "pyrogram": size / MIB / await by_kurigram(yard, channel, [post["id"]]),
        }
        line = 4 / (RTT_MS / 1000)
        figures["line_mib_s"] = line
        return Report(
            "download-large", "MiB/s", round(speed, 1), {name: round(each, 1) for name, each in peers.items()},
            calls, figures,
            [
                check("over Telethon's download_media", speed / peers["telethon"], ">=", 10),
                check("over kurigram's download_media", speed / peers["pyrogram"], ">=", 4),
                check("of window / RTT", speed / line, ">=", 0.75),
                check("upload.getFile calls", calls["upload.getFile"], "<=", 264),
            ],
        )  # fmt: skip


async def small() -> Report:
    """500 files between 64 KiB and 1 MiB."""
    count = 500
    async with open_yard() as yard:
        channel = await yard.channel(private=False)
        ids = []
        for number in range(count):
            size = 64 * 1024 + (MIB - 64 * 1024) * number // (count - 1)
            post = await yard.driver.post(channel, file={"name": f"page-{number:03d}.pdf", "size": size})
            ids.append(post["id"])
        await yard.driver.network(rtt_ms=RTT_MS)
        async with yard.porter() as porter:
            ours = await by_porter(yard, porter, "Small", channel, count)
        calls = await getting(yard)
        peers = {
            "telethon": round(await by_telethon(yard, channel, ids), 2),
            "pyrogram": round(await by_kurigram(yard, channel, ids), 2),
        }
        faster = min(peers.values())
        return Report(
            "download-small", "s", round(ours, 2), peers, calls,
            {"ms_a_file": round(ours / count * 1000, 1)},
            [check("over the faster library in a plain loop", faster / ours, ">=", 3)],
        )  # fmt: skip


async def loopback() -> Report:
    """512 MiB without a line between: what the CPU gives. `aes_mib_s`: decrypting alone, by each library's own code.

    Three rounds, each of all in turn, and the median of each: machines have moods."""
    size = 512 * MIB
    async with open_yard() as yard:
        channel = await yard.channel(private=False)
        post = await yard.driver.post(channel, file={"name": "film.mkv", "size": size})
        seconds: dict[str, list[float]] = {"ours": [], "telethon": [], "pyrogram": []}
        for number in range(3):
            await yard.driver.reset_calls()
            async with yard.porter(f"round-{number}") as porter:
                seconds["ours"].append(await by_porter(yard, porter, "Loopback", channel, 1))
            calls = await getting(yard)
            seconds["telethon"].append(await by_telethon(yard, channel, [post["id"]]))
            seconds["pyrogram"].append(await by_kurigram(yard, channel, [post["id"]]))
        speeds = {name: round(size / MIB / median(taken), 1) for name, taken in seconds.items()}
        ours = speeds.pop("ours")
        return Report(
            "download-loopback", "MiB/s", ours, speeds, calls, aes_limits(),
            [check("over the faster library", ours / max(speeds.values()), ">=", 1)],
        )  # fmt: skip


async def memory() -> Report:
    """2 GiB in four files, at 50 ms: how far the process grows over a connected client."""
    size, count = 512 * MIB, 4
    async with open_yard() as yard:
        channel = await yard.channel(private=False)
        for number in range(count):
            await yard.driver.post(channel, file={"name": f"film-{number}.mkv", "size": size})
        await yard.driver.network(rtt_ms=RTT_MS)
        async with yard.porter() as porter:
            source = await porter.save("Memory", channel)
            await porter.connect()
            async with peak_rss() as peak:
                seconds = await timed(lambda: porter.scrape(source))
            assert (await porter.files.tally(source.id)).done == count
        grown = peak.mib
        return Report(
            "memory", "MiB", round(grown, 1), {}, await getting(yard),
            {"connected_mib": round(peak.before_mib, 1), "mib_s": round(size * count / MIB / seconds, 1)},
            [check("MiB over the connected client", grown, "<=", 32)],
        )  # fmt: skip


def aes_limits() -> dict[str, float]:
    """MiB/s of AES-256-IGE on one core, in blocks as large as a part."""
    block, key, iv = bytes(MIB), bytes(range(32)), bytes(32)
    limits = {}
    for name, decrypt in (("cryptg", cryptg.decrypt_ige), ("tgcrypto", tgcrypto.ige256_decrypt)):
        started = time.perf_counter()
        for _ in range(64):
            decrypt(block, key, iv)
        limits[f"aes_{name}_mib_s"] = round(64 / (time.perf_counter() - started), 1)
    return limits


async def getting(yard: Yard) -> dict[str, int]:
    """The calls that fetch, of all so far."""
    return {method: await yard.driver.call_count(method) for method in ("upload.getFile", "channels.getMessages")}
