import asyncio

import pytest

from storage.database import Database
from storage.files import FileRepository
from storage.models import File, FileState, FileTally, Source
from tests.storage.conftest import Clock
from tests.storage.make import Maker, file, message


@pytest.fixture
def files(database: Database, clock: Clock) -> FileRepository:
    return FileRepository(database, clock=clock)


@pytest.fixture
async def source(make: Maker) -> Source:
    """With five files, 10 to 50 bytes long."""
    source = await make.source()
    numbers = range(1, 6)
    wanted = [file(number, number, size_bytes=10 * number) for number in numbers]
    await make.sources.store_page(source.id, [message(number) for number in numbers], wanted, cursor=5)
    return source


@pytest.fixture
async def wanted(files: FileRepository, source: Source) -> list[File]:
    return await files.pending(source.id)


async def states(files: FileRepository, source: Source) -> list[FileState]:
    return [one.state for one in await files.pending(source.id)]


async def test_pending_files_come_in_pages(files: FileRepository, source: Source) -> None:
    """Ascending by id, each page behind the last file of the one before."""
    first = await files.pending(source.id, limit=2)
    second = await files.pending(source.id, after_id=first[-1].id, limit=2)
    third = await files.pending(source.id, after_id=second[-1].id, limit=2)
    assert [one.message_id for one in [*first, *second, *third]] == [1, 2, 3, 4, 5]
    assert await files.pending(source.id, after_id=third[-1].id) == []
    assert await files.pending(source.id + 1) == []


async def test_a_part_makes_a_file_partial(files: FileRepository, source: Source, wanted: list[File]) -> None:
    """Parts are kept by number, the newest hash of each; the file is still pending."""
    await files.add_part(wanted[0].id, 0, b"first")
    await files.add_part(wanted[0].id, 1, b"second")
    await files.add_part(wanted[0].id, 0, b"again")
    assert await files.parts(wanted[0].id) == {0: b"again", 1: b"second"}
    assert await files.parts(wanted[1].id) == {}
    assert await states(files, source) == [FileState.PARTIAL, *[FileState.WANTED] * 4]


async def test_done_counts_once(files: FileRepository, make: Maker, source: Source, wanted: list[File]) -> None:
    """However often and at once it is said: parts go, the totals grow by one file."""
    target = wanted[2]
    await files.add_part(target.id, 0, b"hash")
    await asyncio.gather(*(files.done(target.id, "3 3.pdf", b"\x01" * 32) for _ in range(5)))
    stored = await make.sources.get(source.id)
    assert stored is not None
    assert (stored.total_files, stored.total_bytes) == (1, 30)
    assert await files.parts(target.id) == {}
    assert [one.id for one in await files.pending(source.id)] == [one.id for one in wanted if one.id != target.id]


async def test_done_is_done(files: FileRepository, source: Source, wanted: list[File]) -> None:
    """A late part or a late failure changes nothing of a proven file."""
    await files.done(wanted[0].id, "1 1.pdf", b"\x01" * 32)
    await files.add_part(wanted[0].id, 9, b"late")
    await files.failed(wanted[0].id, "FileGone")
    assert await files.parts(wanted[0].id) == {}
    assert await files.tally(source.id) == FileTally(done=1, done_bytes=10, waiting=4, waiting_bytes=140, failed=0)


async def test_failed_files_rest_until_they_are_reset(
    files: FileRepository, source: Source, wanted: list[File]
) -> None:
    """They leave the queue with a cause and a count; a reset brings them back, parts and all."""
    await files.add_part(wanted[0].id, 0, b"hash")
    for one in wanted[:2]:
        await files.failed(one.id, "FileGone")
    assert len(await files.pending(source.id)) == 3
    assert await files.tally(source.id) == FileTally(done=0, done_bytes=0, waiting=3, waiting_bytes=120, failed=2)
    assert await files.reset_failed(source.id) == 2
    assert await files.reset_failed(source.id) == 0
    back = await files.pending(source.id)
    assert [one.state for one in back[:2]] == [FileState.PARTIAL, FileState.WANTED]
    assert [(one.attempts, one.cause) for one in back[:2]] == [(1, None), (1, None)]
    assert await files.parts(wanted[0].id) == {0: b"hash"}


async def test_tally_counts_waiting_parts_too(files: FileRepository, source: Source, wanted: list[File]) -> None:
    """WANTED and PARTIAL wait alike; another source has nothing."""
    await files.add_part(wanted[4].id, 0, b"hash")
    assert await files.tally(source.id) == FileTally(done=0, done_bytes=0, waiting=5, waiting_bytes=150, failed=0)
    assert await files.tally(source.id + 1) == FileTally(0, 0, 0, 0, 0)


async def test_taken_paths(files: FileRepository, source: Source, wanted: list[File]) -> None:
    """A path is taken within its source, once a file lies there."""
    assert not await files.path_taken(source.id, "1 1.pdf")
    await files.done(wanted[0].id, "1 1.pdf", b"\x01" * 32)
    assert await files.path_taken(source.id, "1 1.pdf")
    assert not await files.path_taken(source.id + 1, "1 1.pdf")


async def test_a_file_that_is_gone(files: FileRepository) -> None:
    """A download may end after its source was deleted."""
    await files.add_part(77, 0, b"hash")
    await files.done(77, "x", b"hash")
    await files.failed(77, "FileGone")
    assert await files.parts(77) == {}
