"""What a first run would bring, asked of the sandbox by real Telethon and compared with what is true there."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sandbox.world import Channel, Document, MediaKind, Message
from services.clients.base import Peer
from services.errors import AccountRequired, ChannelUnavailable, NotFound, PatternInvalid, Unreachable
from services.estimates import CALLS, GIB, PACE_BYTES_A_SECOND, Estimate, Estimator
from storage.models import FileKind, Filters, Progress, RunKind, RunStatus, SessionKind, Start, StartKind
from storage.runs import RunRepository
from storage.schema import sessions
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.voyage import Voyage

EVERYTHING = Start()
ASKED = ("messages.getHistory", "messages.getSearchCounters", "messages.search")


@pytest.fixture
async def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    voyage = Voyage(jetty, store, pooled, tmp_path / "downloads")
    await voyage.know(jetty.private)
    return voyage


async def estimate(voyage: Voyage, filters: Filters, start: Start = EVERYTHING) -> Estimate:
    targets = await voyage.targets()
    estimator = Estimator(voyage.store.sessions, RunRepository(voyage.store.database), voyage.pooled.pool, targets)
    voyage.jetty.sandbox.faults.reset()
    answer = await estimator.estimate(voyage.pooled.session.id, voyage.jetty.private.peer, filters, start, None)
    assert sum(voyage.jetty.calls(method) for method in ASKED) <= CALLS
    return answer


def there(channel: Channel) -> list[Message]:
    return [message for message in channel.messages.values() if not message.deleted]


def documents(channel: Channel, after_id: int = 0) -> list[Document]:
    return [message.document for message in there(channel) if message.document and message.id > after_id]


def fill(
    voyage: Voyage, count: int, *, mime: str = "application/pdf", kind: MediaKind = "document", each: int = 1000
) -> None:
    """So many posts more, each with a file; every second one is of `each` bytes, the others of twice as many."""
    world, channel = voyage.jetty.sandbox.world, voyage.jetty.private
    for n in range(count):
        document = world.new_document(f"{n}.pdf", mime, b"", kind)
        document.size = each * (1 + n % 2)
        world.post(channel, channel.peer, text=f"number {n}", document=document)


# -- exact


async def test_a_small_channel_is_counted_exactly(voyage: Voyage) -> None:
    """Everything was seen: counts by kind, bytes, posts and free space are the truth."""
    found = await estimate(voyage, Filters())
    wanted = documents(voyage.jetty.private)
    assert (found.files, found.size_bytes) == (len(wanted), sum(document.size for document in wanted))
    assert not found.is_sampled
    assert found.posts == len(there(voyage.jetty.private))
    kinds = {"document": FileKind.DOCUMENT, "photo": FileKind.PHOTO, "audio": FileKind.AUDIO}
    assert found.counts == {
        kind: sum(document.kind == word for document in wanted)
        for word, kind in kinds.items()
        if any(document.kind == word for document in wanted)
    }
    assert found.free_bytes is not None
    assert found.free_bytes > 0
    assert not found.needs_asking(GIB)
    assert found.needs_asking(found.size_bytes - 1)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(extensions=("pdf",), mimes=("application/pdf",)),
        Filters(kinds=(FileKind.PHOTO,), mimes=("image/",)),
        Filters(min_bytes=20_000, max_bytes=60_000),
        Filters(extensions=("zip",), min_bytes=2**21),
        Filters(words=("minutes", "plan")),
        Filters(pattern="[0-9]{2}"),
    ],
)
async def test_filters_choose(voyage: Voyage, filters: Filters) -> None:
    """What is estimated is what a scrape with these filters brings."""
    found = await estimate(voyage, filters)
    source = await voyage.add(filters=filters)
    run = await voyage.scrape(source)
    assert (found.files, found.size_bytes) == (run.progress.counters["files"], run.progress.done_bytes)


async def test_only_new_asks_nothing(voyage: Voyage) -> None:
    """Nothing that is there is wanted, so nothing needs to be looked at."""
    found = await estimate(voyage, Filters(), Start(StartKind.NEW))
    assert (found.posts, found.files, found.size_bytes, found.counts) == (0, 0, 0, {})
    assert sum(voyage.jetty.calls(method) for method in ASKED) == 0


# -- spans


async def test_the_last_posts(voyage: Voyage) -> None:
    """Of the last five posts, only the files of these count."""
    last = there(voyage.jetty.private)[-5:]
    found = await estimate(voyage, Filters(), Start(StartKind.LAST, count=5))
    wanted = documents(voyage.jetty.private, last[0].id - 1)
    assert (found.posts, found.files) == (5, len(wanted))
    assert found.size_bytes == sum(document.size for document in wanted)


async def test_since_a_date(voyage: Voyage) -> None:
    """As a start and as a filter alike; what Telegram does not count is not said."""
    first = there(voyage.jetty.private)[10]
    since = datetime.fromtimestamp(first.date, UTC)
    wanted = documents(voyage.jetty.private, first.id - 1)
    for filters, start in ((Filters(), Start(StartKind.SINCE, at=since)), (Filters(since=since), EVERYTHING)):
        found = await estimate(voyage, filters, start)
        assert (found.files, found.size_bytes) == (len(wanted), sum(document.size for document in wanted))


async def test_a_span_of_a_large_channel(voyage: Voyage) -> None:
    """Two pages of a kind, the newest and the one above the start, tell how many lie between: exactly."""
    fill(voyage, 600)
    start = Start(StartKind.LAST, count=450)
    found = await estimate(voyage, Filters(extensions=("pdf",)), start)
    assert (found.posts, found.files, found.is_sampled) == (450, 450, True)
    assert found.size_bytes == pytest.approx(450 * 1500, rel=0.02)


# -- samples


async def test_a_large_channel_is_sampled(voyage: Voyage) -> None:
    """Counts are exact, bytes and the share that passes are reckoned from at most 200 files."""
    fill(voyage, 1000)
    found = await estimate(voyage, Filters(extensions=("pdf",), min_bytes=1500))
    assert found.is_sampled
    assert found.files == pytest.approx(500, rel=0.05)
    assert found.size_bytes == pytest.approx(500 * 2000, rel=0.05)
    assert voyage.jetty.calls("messages.search") == 2


async def test_every_kind_in_eight_calls(voyage: Voyage) -> None:
    """Five kinds, all of them large: one page each, and one more for what weighs most."""
    kinds: tuple[tuple[str, MediaKind], ...] = (
        ("video/mp4", "video"), ("audio/mpeg", "audio"), ("audio/ogg", "voice"), ("image/jpeg", "photo"),
    )  # fmt: skip
    for mime, kind in kinds:
        fill(voyage, 70, mime=mime, kind=kind)
    fill(voyage, 150)
    whole = await estimate(voyage, Filters())
    assert (len(whole.counts), whole.is_sampled) == (5, True)
    assert whole.files == len(documents(voyage.jetty.private))
    span = await estimate(voyage, Filters(), Start(StartKind.LAST, count=300))
    assert span.is_sampled
    assert span.files == pytest.approx(300, rel=0.5)


# -- time and space


async def test_the_pace_of_past_runs(voyage: Voyage) -> None:
    """Without any it is a usual one, and said so; later what the last large runs reached, from begin to end."""
    fill(voyage, 1, each=10 * GIB)
    filters = Filters(min_bytes=GIB)
    usual = await estimate(voyage, filters)
    assert not usual.is_measured
    assert usual.seconds == pytest.approx(10 * GIB / PACE_BYTES_A_SECOND, rel=0.01)
    clock = voyage.pooled.time
    rows = RunRepository(voyage.store.database, clock=clock)
    for size_bytes in (50 * 2**20, 4096):
        run = await rows.add(RunKind.SCRAPE, 1, "Archive", 0, None, {})
        await rows.set_status(run.id, RunStatus.RUNNING)
        await rows.save_progress(run.id, Progress(done_bytes=size_bytes))
        clock.pass_seconds(50)
        await rows.set_status(run.id, RunStatus.DONE)
    measured = await estimate(voyage, filters)
    assert measured.is_measured
    assert measured.seconds == pytest.approx(10 * 1024, rel=0.01)


async def test_what_does_not_fit_is_asked_about(voyage: Voyage) -> None:
    """Whatever the limit: it is more than lies free beside the reserve."""
    voyage.reserve_bytes = 2**60
    found = await estimate(voyage, Filters())
    assert found.free_bytes == 0
    assert found.needs_asking(2**60)
    assert not replace(found, free_bytes=None).needs_asking(2**60)


# -- what goes wrong


async def test_bots_may_not_search(voyage: Voyage) -> None:
    """Said before anything is asked of Telegram."""
    async with voyage.store.database.write() as connection:
        await connection.execute(sessions.update().values(kind=SessionKind.BOT))
    with pytest.raises(AccountRequired):
        await estimate(voyage, Filters())
    assert sum(voyage.jetty.calls(method) for method in ASKED) == 0


async def test_what_cannot_be_looked_at(voyage: Voyage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that cannot be read, a channel that the account never saw, a server that is silent."""
    with pytest.raises(PatternInvalid):
        await estimate(voyage, Filters(pattern="("))
    targets = await voyage.targets()
    estimator = Estimator(voyage.store.sessions, RunRepository(voyage.store.database), voyage.pooled.pool, targets)
    with pytest.raises(NotFound):
        await estimator.estimate(77, voyage.jetty.private.peer, Filters(), EVERYTHING, None)
    with pytest.raises(ChannelUnavailable):
        await estimator.estimate(voyage.pooled.session.id, -1001, Filters(), EVERYTHING, None)
    monkeypatch.setattr("services.estimates.SECONDS", 0.2)
    voyage.jetty.sandbox.faults.add("messages.getSearchCounters", delay_ms=2000)
    with pytest.raises(Unreachable):
        await estimate(voyage, Filters())


async def test_an_unmounted_root(voyage: Voyage, tmp_path: Path) -> None:
    """What is free there is not known, and that is no reason to fail."""
    voyage.nas_roots = {"nas": tmp_path / "nowhere"}
    estimator = Estimator(
        voyage.store.sessions, RunRepository(voyage.store.database), voyage.pooled.pool, await voyage.targets()
    )
    found = await estimator.estimate(
        voyage.pooled.session.id, voyage.jetty.private.peer, Filters(), Start(StartKind.NEW), "nas"
    )
    assert found.free_bytes is None


async def test_where_a_start_lies(voyage: Voyage) -> None:
    """The id up to which nothing is wanted: by number, by date, and none at all; one call at most."""
    messages = there(voyage.jetty.private)
    ids = [message.id for message in messages]
    peer = Peer(voyage.jetty.private.peer, voyage.jetty.private.access_hash)
    day = datetime.fromtimestamp(messages[7].date, UTC)
    cases = [
        (Start(), 0, 0),
        (Start(StartKind.LAST, count=3), ids[-4], 1),
        (Start(StartKind.LAST, count=len(ids)), 0, 1),
        (Start(StartKind.LAST, count=10**6), 0, 1),
        (Start(StartKind.SINCE, at=day), max(m.id for m in messages if m.date < messages[7].date), 1),
        (Start(StartKind.SINCE, at=datetime(2001, 1, 1, tzinfo=UTC)), 0, 1),
        (Start(StartKind.SINCE, at=datetime(2199, 1, 1, tzinfo=UTC)), ids[-1], 1),
        (Start(StartKind.NEW), ids[-1], 1),
        (Start(StartKind.NEW, message_id=11), 11, 0),
    ]
    for start, expected, calls in cases:
        voyage.jetty.sandbox.faults.reset()
        async with voyage.pooled.pool.reading(voyage.pooled.session.id) as client:
            assert await client.start_after(peer, start) == expected, start
        assert voyage.jetty.calls("messages.getHistory") == calls, start
