"""The download engine with a made-up Telegram, so that each moment can be chosen; real database, real disk."""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from services.clients.base import PART_BYTES, ApiCredentials, Credential, FileLocation, Peer, Post, RangeHash
from services.clients.pool import ClientPool
from services.downloads import Downloader
from services.errors import FileReferenceExpired, FloodWait, TelegramRefused, Unreachable
from services.lanes import LARGE_BYTES, SMALL_AT_ONCE, Lanes
from services.targets import Targets
from storage.files import FileRepository
from storage.models import (
    Channel,
    ChannelKind,
    Duplicates,
    File,
    FileKind,
    FileState,
    Filters,
    NewFile,
    NewMessage,
    NewSource,
    Source,
    TargetKind,
)
from storage.schema import files
from storage.sources import SourceRepository
from storage.types import utc_now
from tests.services.conftest import Store

CHANNEL = -1001


@dataclass
class Telegram:
    """Documents by message id. Implements what the engine asks of a ReadingClient, and of the pool that lends it."""

    documents: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # message id -> document id, content
    reads: Counter[tuple[int, int]] = field(default_factory=Counter)  # (document id, part)
    posts_asked: int = 0
    fresh: bytes = b"1"
    in_flight: int = 0
    most_in_flight: int = 0
    before_read: Callable[[int, int], Awaitable[None]] | None = None
    hashes: Callable[[int, bytes], list[RangeHash]] | None = None  # (offset, content); None: refuses
    hashes_asked: list[int] = field(default_factory=list)
    damaged: Counter[tuple[int, int]] = field(default_factory=Counter)  # parts that come wrong so often

    @asynccontextmanager
    async def reading(self, _: int) -> AsyncIterator["Telegram"]:
        yield self

    async def posts(self, _: Peer, message_ids: list[int]) -> list[Post]:
        self.posts_asked += 1
        return [
            Post(
                NewMessage(message_id, utc_now(), None, ""),
                None,
                FileLocation(document_id, 0, self.fresh, 2, len(content)),
            )
            for message_id, (document_id, content) in self.documents.items()
            if message_id in message_ids
        ]

    async def read_part(self, location: FileLocation, number: int) -> bytes:
        self.reads[location.document_id, number] += 1
        content = next(
            content for document_id, content in self.documents.values() if document_id == location.document_id
        )
        part = content[number * PART_BYTES : (number + 1) * PART_BYTES]
        if self.damaged[location.document_id, number]:
            self.damaged[location.document_id, number] -= 1
            part = bytes(len(part))
        self.in_flight += len(part)
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            if self.before_read is not None:
                await self.before_read(location.document_id, number)
            if location.file_reference != self.fresh:
                raise FileReferenceExpired
            return part
        finally:
            self.in_flight -= len(part)

    async def range_hashes(self, location: FileLocation, offset: int) -> list[RangeHash]:
        self.hashes_asked.append(offset)
        if self.hashes is None:
            raise TelegramRefused("METHOD_INVALID")
        [content] = [each for document_id, each in self.documents.values() if document_id == location.document_id]
        return self.hashes(offset, content)


@dataclass
class Tally:
    """Implements downloads.Report."""

    bytes: int = 0
    finished: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    left_out: list[int] = field(default_factory=list)

    def part(self, file: File, size_bytes: int) -> None:
        self.bytes += size_bytes

    def done(self, file: File) -> None:
        self.finished.append(file.message_id)

    def failed(self, file: File) -> None:
        self.given_up.append(file.message_id)

    def skipped(self, file: File) -> None:
        self.left_out.append(file.message_id)


@dataclass
class Pier:
    telegram: Telegram
    files: FileRepository
    sources: SourceRepository
    source: Source
    root: Path

    async def want(self, **contents: bytes) -> None:
        """m1=b"...": message 1 carries that. Its document's id is the message's times ten."""
        wanted = []
        for name, content in contents.items():
            message_id = int(name[1:])
            self.telegram.documents[message_id] = (message_id * 10, content)
            wanted.append(self.new_file(message_id, message_id * 10, content))
        await self.sources.store_page(self.source.id, [], wanted, 0)

    def new_file(self, message_id: int, document_id: int, content: bytes) -> NewFile:
        kind, now = FileKind.DOCUMENT, utc_now()
        return NewFile(message_id, document_id, kind, "a.bin", "application/octet-stream", len(content), now)

    async def fetch(self, downloader: Downloader | None = None) -> Tally:
        tally = Tally()
        engine = downloader or Downloader(self.files, cast("ClientPool", self.telegram), Lanes())
        await engine.fetch_pending(self.source, Peer(CHANNEL, 1), Targets(self.root), tally)
        return tally

    async def causes(self) -> dict[int, str]:
        """Of the files that failed, by message."""
        failed = select(files.c.message_id, files.c.cause).where(files.c.state == FileState.FAILED)
        async with self.files._database.read() as connection:
            return {row.message_id: row.cause for row in await connection.execute(failed)}

    async def pending(self) -> list[File]:
        return await self.files.pending(self.source.id)

    def disk(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.root / "news").iterdir()}


async def open_pier(store: Store, root: Path) -> Pier:
    session = await store.add_session(Credential(2, "127.0.0.1", 1, os.urandom(256), ApiCredentials(1, "a" * 32), 7))
    await store.channels.put(Channel(CHANNEL, "News", None, ChannelKind.CHANNEL, None, None, utc_now()))
    sources = SourceRepository(store.database)
    source = await sources.add(NewSource("News", session.id, CHANNEL, Filters(), TargetKind.LOCAL, "news"))
    return Pier(Telegram(), FileRepository(store.database), sources, source, root)


@pytest.fixture
async def pier(store: Store, tmp_path: Path) -> Pier:
    return await open_pier(store, tmp_path / "downloads")


def content(parts: float) -> bytes:
    return os.urandom(int(parts * PART_BYTES))


async def test_files_of_every_size(pier: Pier) -> None:
    """Empty, one byte, one part exactly, one more, many: each byte-equal, hashed, and each part read once."""
    sizes = {1: 0, 2: 1, 3: PART_BYTES, 4: PART_BYTES + 1, 5: 5 * PART_BYTES - 1}
    await pier.want(**{f"m{n}": os.urandom(size) for n, size in sizes.items()})
    tally = await pier.fetch()
    assert sorted(tally.finished) == [1, 2, 3, 4, 5]
    assert tally.bytes == sum(sizes.values())
    assert pier.disk() == {f"{n} a.bin": pier.telegram.documents[n][1] for n in sizes}
    assert set(pier.telegram.reads.values()) == {1}
    stored = await pier.sources.get(pier.source.id)
    assert stored is not None
    assert (stored.total_files, stored.total_bytes) == (5, sum(sizes.values()))


async def test_bytes_in_flight_are_bounded(pier: Pier) -> None:
    """However many and large the files, never more than the window is asked for at once; and it is used."""

    async def linger(*_: int) -> None:
        await asyncio.sleep(0.003)

    pier.telegram.before_read = linger
    await pier.want(**{f"m{n}": content(3.5) for n in range(1, 12)})
    await pier.fetch()
    assert 3 * PART_BYTES < pier.telegram.most_in_flight <= 4 * PART_BYTES


async def test_few_files_at_once(pier: Pier) -> None:
    """Five small ones, two large ones."""
    open_files: set[int] = set()
    most = 0

    async def linger(document_id: int, _: int) -> None:
        nonlocal most
        open_files.add(document_id)
        most = max(most, len(open_files))
        await asyncio.sleep(0.02)
        open_files.discard(document_id)

    pier.telegram.before_read = linger
    await pier.want(**{f"m{n}": content(0.1) for n in range(1, 30)})
    await pier.fetch()
    assert most == SMALL_AT_ONCE
    most = 0
    await pier.want(**{f"m{n}": bytes(LARGE_BYTES) for n in range(40, 43)})
    await pier.fetch()
    assert most == 2


async def test_resume_reads_only_what_is_missing(pier: Pier) -> None:
    """Killed in the middle: parts that lie on disk are proven and kept; one that was damaged is read again."""
    await pier.want(m1=content(8))

    async def stop_late(_: int, number: int) -> None:
        if number >= 6:
            await asyncio.Event().wait()

    pier.telegram.before_read = stop_late
    task = asyncio.create_task(pier.fetch())
    (file,) = await pier.pending()
    while len(await pier.files.parts(file.id)) < 6:  # noqa: ASYNC110 - the rows are what a kill leaves
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with (pier.root / f"news/.porter-{file.id}.part").open("r+b") as damaged:
        damaged.seek(2 * PART_BYTES + 17)
        damaged.write(b"damage")
    pier.telegram.reads.clear()
    pier.telegram.before_read = None
    tally = await pier.fetch()
    assert sorted(number for _, number in pier.telegram.reads) == [2, 6, 7]
    assert tally.bytes == 8 * PART_BYTES
    assert pier.disk() == {"1 a.bin": pier.telegram.documents[1][1]}


async def test_killed_between_rename_and_row(pier: Pier) -> None:
    """The whole file lies there and its row does not know: recognised by its parts, not fetched, not doubled."""

    class Killed(FileRepository):
        async def done(self, file_id: int, path: str, sha256: bytes, duplicate_of: int | None = None) -> None:
            raise RuntimeError

    killed = Downloader(Killed(pier.files._database), cast("ClientPool", pier.telegram), Lanes())
    for contents in ({"m1": content(3)}, {"m2": b"small"}):
        await pier.want(**contents)
        with pytest.raises(RuntimeError):
            await pier.fetch(killed)
        assert len(await pier.pending()) == 1
        pier.telegram.reads.clear()
        await pier.fetch()
        assert not any(document_id == 10 for document_id, _ in pier.telegram.reads)
        assert await pier.pending() == []
    assert pier.disk() == {"1 a.bin": pier.telegram.documents[1][1], "2 a.bin": b"small"}


async def test_nothing_is_overwritten(pier: Pier) -> None:
    """A stranger's file under the usual name stays; ours gets its document's number; with both taken it fails alone."""
    (pier.root / "news").mkdir(parents=True)
    (pier.root / "news/1 a.bin").write_bytes(b"not ours")
    await pier.want(m1=b"ours")
    await pier.fetch()
    assert pier.disk() == {"1 a.bin": b"not ours", "1 10 a.bin": b"ours"}
    await pier.want(m2=b"two")
    for name in ("2 a.bin", "2 20 a.bin"):
        (pier.root / "news" / name).write_bytes(b"not ours")
    tally = await pier.fetch()
    assert tally.given_up == [2]
    assert (await pier.files.tally(pier.source.id)).failed == 1


async def test_two_documents_of_one_message(pier: Pier) -> None:
    """An edited message carried one document after the other: both come, under two names."""
    await pier.want(m1=b"first")
    await pier.fetch()
    pier.telegram.documents[1] = (11, b"second")
    await pier.sources.store_page(pier.source.id, [], [pier.new_file(1, 11, b"second")], 0)
    await pier.fetch()
    assert pier.disk() == {"1 a.bin": b"first", "1 11 a.bin": b"second"}


async def test_gone_files_fail_alone(pier: Pier) -> None:
    """A deleted message and one that carries another document now: FAILED as FileGone, nothing left on disk."""
    await pier.want(m1=b"one", m2=b"two", m3=b"three")
    del pier.telegram.documents[1]
    pier.telegram.documents[2] = (99, b"other")
    tally = await pier.fetch()
    assert (sorted(tally.given_up), tally.finished) == ([1, 2], [3])
    assert list(pier.disk()) == ["3 a.bin"]
    assert (await pier.files.tally(pier.source.id)).failed == 2


@pytest.mark.parametrize("error", [TelegramRefused("LOCATION_INVALID"), None])
async def test_refused_and_short_files_fail_alone(pier: Pier, error: TelegramRefused | None) -> None:
    """What Telegram refuses in the middle, or gives shorter than announced, fails with the word; the rest comes."""
    await pier.want(m1=content(3), m2=b"two")

    async def refuse(document_id: int, number: int) -> None:
        if (document_id, number) == (10, 1) and error is not None:
            raise error

    if error is None:
        pier.telegram.documents[1] = (10, pier.telegram.documents[1][1][:-5])
    pier.telegram.before_read = refuse
    tally = await pier.fetch()
    assert (tally.given_up, tally.finished) == ([1], [2])


async def test_a_stale_reference_is_refreshed_once_for_all_parts(pier: Pier) -> None:
    """All parts in flight find it stale: one call brings the fresh one, and each part goes on."""
    await pier.want(m1=content(6))
    stale = pier.telegram.fresh

    async def expire(*_: int) -> None:
        if pier.telegram.fresh == stale:
            await asyncio.sleep(0.01)
            pier.telegram.fresh = b"2"

    pier.telegram.before_read = expire
    tally = await pier.fetch()
    assert tally.finished == [1]
    assert pier.telegram.posts_asked == 2


async def test_always_stale_fails(pier: Pier) -> None:
    """A location that is stale again and again ends as a failed file, not in a circle."""
    await pier.want(m1=content(2), m2=b"two")

    async def expire(document_id: int, _: int) -> None:
        if document_id == 10:
            raise FileReferenceExpired

    pier.telegram.before_read = expire
    tally = await pier.fetch()
    assert (tally.given_up, tally.finished) == ([1], [2])


@pytest.mark.parametrize("parts", [0.5, 6])
async def test_what_stops_everything_comes_out_plain(pier: Pier, parts: float) -> None:
    """Of several errors at once the longest flood wait is raised, as itself; nothing is marked FAILED."""
    until = utc_now() + timedelta(hours=1)
    await pier.want(**{f"m{n}": content(parts) for n in range(1, 6)})

    async def flood(document_id: int, number: int) -> None:
        await asyncio.sleep(0.005)
        raise FloodWait(until) if (document_id, number) == (10, 0) else Unreachable()

    pier.telegram.before_read = flood
    with pytest.raises((FloodWait, Unreachable)):
        await pier.fetch()
    assert len(await pier.pending()) == 5
    pier.telegram.before_read = None
    await pier.fetch()
    assert len(pier.disk()) == 5


async def test_defects_are_not_hidden(pier: Pier) -> None:
    """An error that is none of ours comes out as itself and marks no file."""
    await pier.want(m1=content(2), m2=content(2))

    async def break_down(document_id: int, _: int) -> None:
        raise ZeroDivisionError if document_id == 20 else Unreachable

    pier.telegram.before_read = break_down
    with pytest.raises((ZeroDivisionError, Unreachable)):
        await pier.fetch()
    assert {file.state for file in await pier.pending()} <= {FileState.WANTED, FileState.PARTIAL}


async def test_two_runs_share_a_folder(pier: Pier, store: Store) -> None:
    """Two sources of one channel and one folder at the same time: nothing is lost or overwritten."""
    other = await pier.sources.add(
        NewSource("Again", pier.source.session_id, CHANNEL, Filters(), TargetKind.LOCAL, "news")
    )
    contents = {f"m{n}": content(0.05) for n in range(1, 20)}
    await pier.want(**contents)
    wanted = [pier.new_file(n, n * 10, contents[f"m{n}"]) for n in range(1, 20)]
    await pier.sources.store_page(other.id, [], wanted, 0)
    engine = Downloader(pier.files, cast("ClientPool", pier.telegram), Lanes())
    second = Pier(pier.telegram, pier.files, pier.sources, other, pier.root)
    await asyncio.gather(pier.fetch(engine), second.fetch(engine))
    for source in (pier.source, other):
        tally = await pier.files.tally(source.id)
        assert (tally.done, tally.failed) == (19, 0)
    hashes = {hashlib.sha256(data).digest() for data in contents.values()}
    assert {hashlib.sha256(data).digest() for data in pier.disk().values()} == hashes


# -- Telegram's own hashes


def of_blocks(offset: int, content: bytes, blocks: int = 1) -> list[RangeHash]:
    """128 KiB ranges of so many blocks of 1 MiB, as the sandbox gives them of one."""
    step, start = 128 * 1024, offset // PART_BYTES * PART_BYTES
    pieces = [(at, content[at : at + step]) for at in range(start, start + blocks * PART_BYTES, step)]
    return [RangeHash(at, len(piece), hashlib.sha256(piece).digest()) for at, piece in pieces if piece]


async def test_a_part_that_is_not_what_telegram_says_comes_again(pier: Pier) -> None:
    """And the file is whole; one part in sixteen is asked about."""
    pier.telegram.hashes = of_blocks
    await pier.want(m1=content(17.5))
    pier.telegram.damaged[10, 16] = 1
    assert (await pier.fetch()).finished == [1]
    assert pier.disk()["1 a.bin"] == pier.telegram.documents[1][1]
    assert pier.telegram.reads[10, 16] == 2
    assert sorted(pier.telegram.hashes_asked) == [0, 16 * PART_BYTES]


async def test_what_an_answer_covers_is_compared(pier: Pier) -> None:
    """Parts that nobody asked about as well, when their hashes came with others."""
    pier.telegram.hashes = partial(of_blocks, blocks=30)
    gate = asyncio.Event()

    async def late(_: int, number: int) -> None:
        if number:
            await gate.wait()
        else:
            asyncio.get_running_loop().call_later(0.02, gate.set)

    pier.telegram.before_read = late
    await pier.want(m1=content(9))
    pier.telegram.damaged[10, 7] = 1
    assert (await pier.fetch()).finished == [1]
    assert pier.disk()["1 a.bin"] == pier.telegram.documents[1][1]
    assert pier.telegram.hashes_asked == [0]


async def test_a_part_that_stays_wrong_fails_its_file_alone(pier: Pier) -> None:
    """Named as such, and no byte of it is taken for good."""
    pier.telegram.hashes = of_blocks
    await pier.want(m1=content(2), m2=content(2))
    pier.telegram.damaged[10, 0] = 99
    tally = await pier.fetch()
    assert (tally.finished, tally.given_up) == ([2], [1])
    assert await pier.causes() == {1: "HASH_MISMATCH"}
    assert pier.telegram.reads[10, 0] == 2


async def test_who_tells_no_hashes_is_not_asked_again(pier: Pier) -> None:
    """Files come all the same; those of one part are never asked about."""
    await pier.want(**{f"m{n}": content(2) for n in range(1, 12)}, m20=content(1))
    tally = await pier.fetch()
    assert len(tally.finished) == 12
    assert len(pier.telegram.hashes_asked) <= SMALL_AT_ONCE


# -- names from a template


async def tell(pier: Pier, **changes: object) -> None:
    """The source is told something else, and read again as a run does."""
    if "template" in changes:
        await pier.sources.set_name_template(pier.source.id, cast("str", changes["template"]))
    if "duplicates" in changes:
        await pier.sources.set_duplicates(pier.source.id, cast("Duplicates", changes["duplicates"]))
    if "folder" in changes:
        await pier.sources.set_target(pier.source.id, None, cast("str", changes["folder"]))
    source = await pier.sources.get(pier.source.id)
    assert source is not None
    pier.source = source


def tree(pier: Pier) -> dict[str, bytes]:
    return {
        path.relative_to(pier.root).as_posix(): path.read_bytes() for path in pier.root.rglob("*") if path.is_file()
    }


async def test_folders_from_a_template(pier: Pier) -> None:
    """Made as they are needed; two files of one name both come; killed before the row, nothing comes twice."""
    year = f"{utc_now():%Y}"
    await tell(pier, template="{date:%Y}/{name}")
    await pier.want(m1=b"one", m2=b"two")
    await pier.fetch()
    assert sorted(tree(pier).values()) == [b"one", b"two"]
    names = set(tree(pier))
    assert f"news/{year}/a.bin" in names
    assert names - {f"news/{year}/a.bin"} <= {f"news/{year}/a 10.bin", f"news/{year}/a 20.bin"}

    class Killed(FileRepository):
        async def done(self, file_id: int, path: str, sha256: bytes, duplicate_of: int | None = None) -> None:
            raise RuntimeError

    await pier.want(m3=content(3))
    with pytest.raises(RuntimeError):
        await pier.fetch(Downloader(Killed(pier.files._database), cast("ClientPool", pier.telegram), Lanes()))
    pier.telegram.reads.clear()
    await pier.fetch()
    assert not pier.telegram.reads
    assert len(tree(pier)) == 3


async def test_a_template_folder_that_leads_elsewhere(pier: Pier, tmp_path: Path) -> None:
    """A link, or a file, where a template's folder should be: that file fails alone, nothing is written outside."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (pier.root / "news").mkdir(parents=True)
    (pier.root / "news/1").symlink_to(outside)
    (pier.root / "news/2").write_bytes(b"a file")
    await tell(pier, template="{id}/{name}")
    await pier.want(m1=b"one", m2=b"two", m3=b"three")
    tally = await pier.fetch()
    assert (sorted(tally.given_up), tally.finished) == ([1, 2], [3])
    assert list(outside.iterdir()) == []
    assert (pier.root / "news/3/a.bin").read_bytes() == b"three"


async def test_names_that_differ_by_case_alone(pier: Pier) -> None:
    """On a disk that knows no case they are one name: never given at the same moment, so that none overwrites the
    other; the one that comes second gets its document's number where the disk says that the name is taken."""
    engine = Downloader(pier.files, cast("ClientPool", pier.telegram), Lanes())
    with engine._claim(pier.source, "news/A.pdf") as first, engine._claim(pier.source, "news/a.PDF") as second:
        assert (first, second) == (True, False)


# -- duplicates


async def another(pier: Pier, name: str, duplicates: Duplicates, folder: str = "other") -> Pier:
    """A second source of the same channel, on the same disk."""
    new = NewSource(name, pier.source.session_id, CHANNEL, Filters(), TargetKind.LOCAL, folder, duplicates=duplicates)
    source = await pier.sources.add(new)
    return Pier(pier.telegram, pier.files, pier.sources, source, pier.root)


async def test_the_same_document_is_linked_unfetched(pier: Pier) -> None:
    """One inode, no call for a part, counted among the second source's files; deleting the first keeps it."""
    data = content(2)
    await pier.want(m1=data)
    await pier.fetch()
    second = await another(pier, "Second", Duplicates.LINK)
    await second.want(m1=data)
    pier.telegram.reads.clear()
    tally = await second.fetch()
    assert not pier.telegram.reads
    assert tally.finished == [1]
    assert (pier.root / "other/1 a.bin").stat().st_ino == (pier.root / "news/1 a.bin").stat().st_ino
    counted = await second.sources.get(second.source.id)
    assert counted is not None
    assert (counted.total_files, counted.total_bytes) == (1, len(data))
    (linked,) = await second.files.settled(second.source.id)
    (first,) = await pier.files.settled(pier.source.id)
    assert linked.duplicate_of == first.id
    await pier.sources.delete(pier.source.id)
    assert tree(pier) == {"news/1 a.bin": data, "other/1 a.bin": data}


async def test_the_same_bytes_are_linked_when_they_are_there(pier: Pier) -> None:
    """Another document with the same content: fetched once more, stored once."""
    data = content(1.5)
    await pier.want(m1=data)
    await pier.fetch()
    second = await another(pier, "Second", Duplicates.LINK)
    await second.want(m2=data)
    await second.fetch()
    assert (pier.root / "other/2 a.bin").stat().st_ino == (pier.root / "news/1 a.bin").stat().st_ino
    assert sorted(tree(pier)) == ["news/1 a.bin", "other/2 a.bin"]


@pytest.mark.parametrize("message", ["m1", "m2"])
async def test_duplicates_are_left_out(pier: Pier, message: str) -> None:
    """By document without a call, by content after it: SKIPPED with its cause, counted as that, nothing on disk."""
    data = content(1.5)
    await pier.want(m1=data)
    await pier.fetch()
    second = await another(pier, "Second", Duplicates.SKIP)
    await second.want(**{message: data})
    pier.telegram.reads.clear()
    tally = await second.fetch()
    assert bool(pier.telegram.reads) is (message == "m2")
    assert (tally.left_out, tally.finished) == ([int(message[1:])], [])
    (row,) = await second.files.settled(second.source.id)
    assert (row.state, row.cause, row.path) == (FileState.SKIPPED, "DUPLICATE", None)
    counts = await second.files.tally(second.source.id)
    assert (counts.skipped, counts.done, counts.waiting) == (1, 0, 0)
    assert list(tree(pier)) == ["news/1 a.bin"]
    assert await second.pending() == []


@pytest.mark.parametrize("duplicates", [Duplicates.LINK, Duplicates.SKIP])
@pytest.mark.parametrize("harm", ["gone", "damaged", "cut"])
async def test_only_a_proven_original_counts(pier: Pier, duplicates: Duplicates, harm: str) -> None:
    """The row says DONE and the disk says no: the file is fetched like any other."""
    data = content(1.5)
    await pier.want(m1=data)
    await pier.fetch()
    original = pier.root / "news/1 a.bin"
    if harm == "gone":
        original.unlink()
    else:
        original.write_bytes(data[:-1] if harm == "cut" else bytes([data[0] ^ 1]) + data[1:])
    second = await another(pier, "Second", duplicates)
    await second.want(m1=data)
    tally = await second.fetch()
    assert tally.finished == [1]
    assert (pier.root / "other/1 a.bin").read_bytes() == data


async def test_keeping_each(pier: Pier) -> None:
    """As long as nothing else is said."""
    data = content(0.5)
    await pier.want(m1=data)
    await pier.fetch()
    second = await another(pier, "Second", Duplicates.KEEP)
    await second.want(m1=data)
    await second.fetch()
    assert (pier.root / "other/1 a.bin").stat().st_ino != (pier.root / "news/1 a.bin").stat().st_ino


async def test_killed_between_link_and_row(pier: Pier) -> None:
    """The link lies there and its row does not know: recognised, not doubled."""

    class Killed(FileRepository):
        async def done(self, file_id: int, path: str, sha256: bytes, duplicate_of: int | None = None) -> None:
            raise RuntimeError

    data = content(0.5)
    await pier.want(m1=data)
    await pier.fetch()
    second = await another(pier, "Second", Duplicates.LINK)
    await second.want(m1=data)
    with pytest.raises(RuntimeError):
        await second.fetch(Downloader(Killed(pier.files._database), cast("ClientPool", pier.telegram), Lanes()))
    await second.fetch()
    assert sorted(tree(pier)) == ["news/1 a.bin", "other/1 a.bin"]


async def test_half_a_file_that_turns_out_to_be_there(pier: Pier) -> None:
    """What had come of it goes."""
    data = content(3)
    second = await another(pier, "Second", Duplicates.LINK)
    await second.want(m1=data)
    (file,) = await second.pending()

    async def stop_late(_: int, number: int) -> None:
        if number >= 2:
            await asyncio.Event().wait()

    pier.telegram.before_read = stop_late
    task = asyncio.create_task(second.fetch())
    while len(await pier.files.parts(file.id)) < 2:  # noqa: ASYNC110 - the rows are what a kill leaves
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    pier.telegram.before_read = None
    await pier.want(m1=data)
    await pier.fetch()
    await second.fetch()
    assert sorted(tree(pier)) == ["news/1 a.bin", "other/1 a.bin"]


async def test_links_after_the_first_source_moved(pier: Pier) -> None:
    """Its files lie where they lay, and are found there."""
    data = content(0.5)
    await pier.want(m1=data)
    await pier.fetch()
    await tell(pier, folder="elsewhere")
    second = await another(pier, "Second", Duplicates.LINK)
    await second.want(m1=data)
    await second.fetch()
    assert (pier.root / "other/1 a.bin").stat().st_nlink == 2
