"""From each earlier schema to today's Porter: the database of a Porter that was at work when it was stopped."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.world import peer_of_channel
from services.credentials import unpack
from storage.database import Database
from storage.home import HOME
from storage.migrate import HEAD
from storage.models import (
    Filters,
    NewSource,
    Role,
    RunKind,
    RunStatus,
    Session,
    TargetKind,
)
from storage.types import utc_now
from tests.play import Play, open_play, rows_of, running
from tests.storage.make import message, request
from tests.storage.past import at_revision, every_row, revisions, take_along

OLD_FILTERS = json.dumps({"kinds": [], "extensions": ["pdf", "zip"]})
OLD_CHECKPOINT = json.dumps({"messages": 0, "files": 0, "files_bytes": 0, "failed": 0})
PEOPLE = 3


@dataclass
class Work:
    """What stood in the database when it was left. `path`: of today's schema."""

    play: Play
    path: Path
    session: Session
    auth_key: bytes
    source_id: int
    run_id: int


@pytest.fixture(scope="module")
async def work(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Work]:
    """An account that is signed in and knows its channels, a source, people who wait and one who was let in, a
    schedule, a scrape in the middle."""
    async with open_play(tmp_path_factory.mktemp("work")) as play:
        session = await play.sign_in()
        await play.house.channels.of_session(session.id, refresh=True)
        await play.close()
        async with Database.open(play.settings.data_dir / "porter.db") as database:
            rows = await rows_of(database, play.settings)
            new = NewSource(
                "Papers", session.id, peer_of_channel(play.private.id), Filters(), TargetKind.LOCAL, "papers"
            )
            source = await rows.sources.add(new)
            await rows.sources.store_page(source.id, [message(1, "the first words")], [], cursor=1)
            await rows.schedules.put(
                RunKind.SCRAPE, source.id, "0 7 * * *", "Europe/Berlin", utc_now() + timedelta(1), True
            )
            gate = peer_of_channel(play.gate.id)
            await rows.join_requests.store([request(9000 + number, gate) for number in range(PEOPLE + 1)])
            run = await rows.runs.add(RunKind.SCRAPE, source.id, "Papers", 0, play.sandbox.admin_id, {})
            await rows.runs.set_status(run.id, RunStatus.RUNNING)
            auth_key = unpack(await rows.sessions.credential(session.id)).auth_key
        yield Work(play, play.settings.data_dir / "porter.db", session, auth_key, source.id, run.id)


def of_that_time(work: Work, revision: str, folder: Path) -> Path:
    """The same rows in the schema of `revision`, said as Porters of the first schema said it."""
    path = at_revision(folder, revision)
    take_along(work.path, path)
    shutil.copy(work.path.with_name("porter.key"), folder)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM meta WHERE key = ?", (HOME,))  # it did not lie elsewhere before
        connection.execute("UPDATE sources SET filters = ?", (OLD_FILTERS,))
        params = json.dumps({"session_id": work.session.id})
        connection.execute("UPDATE runs SET params = ?, checkpoint = ?", (params, OLD_CHECKPOINT))
        decided = "UPDATE join_requests SET status = 'APPROVED', way = 'BOT', decided_at = 1 WHERE user_id = 9000"
        connection.execute(decided)
    return path


@pytest.mark.parametrize("revision", [revision for revision in revisions() if revision != HEAD])
async def test_an_earlier_porter_goes_on_as_today(work: Work, revision: str, tmp_path: Path) -> None:
    """A copy of before stays beside; each row is there and is read; the session opens and works: the scrape that was
    interrupted ends by itself, with its files. The bot answers, and shows the account by its name."""
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    path = of_that_time(work, revision, data_dir)
    before = every_row(path)
    settings = work.play.settings.model_copy(update={"data_dir": data_dir, "download_dir": tmp_path / "downloads"})

    async with running(settings) as app:
        assert every_row(path.with_name(f"porter.db.before-{HEAD}")) == before
        admin, house = work.play.admin, app.house
        assert house.restores.waiting is None
        await admin.send("/start")
        await admin.wait_for("Porter")
        await admin.send("/sessions")
        await admin.wait_for("Accounts · 1")
        assert any(work.session.name in label for label in await admin.buttons())
        async with asyncio.timeout(60):
            while (run := await house.runner.get(work.run_id)).status is not RunStatus.DONE:
                assert run.is_active, run
                await asyncio.sleep(0.05)

    async with Database.open(path) as database:
        rows = await rows_of(database, settings)
        session = await rows.sessions.get(work.session.id)
        assert session is not None
        assert (session.name, session.user_id) == (work.session.name, work.session.user_id)
        assert unpack(await rows.sessions.credential(session.id)).auth_key == work.auth_key
        assert await rows.sessions.phone(session.id) is not None
        source = await rows.sources.get(work.source_id)
        assert source is not None
        assert (source.name, source.folder, source.filters) == ("Papers", "papers", Filters(extensions=("pdf", "zip")))
        assert source.cursor > 1
        assert (await rows.files.tally(source.id)).done > 0
        schedule = await rows.schedules.get_for(RunKind.SCRAPE, source.id)
        assert schedule is not None
        assert (schedule.cron, schedule.timezone) == ("0 7 * * *", "Europe/Berlin")
        assert await rows.join_requests.count(peer_of_channel(work.play.gate.id)) == PEOPLE
        assert [admin.role for admin in await rows.admins.all()] == [Role.OWNER]
    after = every_row(path)
    assert len(after["join_requests"]) == PEOPLE + 1
    assert any("the first words" in map(str, row) for row in after["messages"])
    for table, was in before.items():
        assert len(after[table]) >= len(was), table
