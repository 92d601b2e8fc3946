"""/health of a Porter that works, and of one of which a part does not."""

import asyncio
import socket
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import __version__
from bot.checkup import ask
from bot.door import open_door
from bot.health import Health
from bot.settings import SettingsInvalid
from storage.database import Database
from storage.models import RunKind, SessionState
from storage.types import utc_now
from tests.play import Play, open_play, rows_of, running, settings_for


@pytest.fixture
def port() -> int:
    """Free a moment ago."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
async def play(tmp_path: Path, port: int) -> AsyncIterator[Play]:
    async with open_play(tmp_path, health_port=port) as opened:
        yield opened


@asynccontextmanager
async def http(port: int) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        yield session


async def asked(port: int) -> tuple[int, dict[str, Any]]:
    async with http(port) as session, session.get("/health") as answer:
        return answer.status, await answer.json()


async def healthy(port: int) -> dict[str, Any]:
    """A start has its moments."""
    async with asyncio.timeout(30):
        while True:
            status, report = await asked(port)
            if status == 200:
                return report
            await asyncio.sleep(0.05)


@asynccontextmanager
async def examined(play: Play, **thresholds: Any) -> AsyncIterator[Health]:
    """Another look at the Porter that is open, with other thresholds."""
    async with Database.open(play.settings.data_dir / "porter.db") as database:
        rows = await rows_of(database, play.settings)
        health = Health(database, rows, play.house, play.app.poller, **thresholds)
        yield health
        await health.close()


@pytest.fixture
def write_lock(play: Play) -> Iterator[sqlite3.Connection]:
    """Somebody else writes, and does not end."""
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_a_porter_that_works_says_so(play: Play, port: int) -> None:
    """200, with numbers of runs and sessions; no name, no phone, no token. The command agrees."""
    session = await play.sign_in()
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    report = await healthy(port)
    assert report["ok"] is True
    assert report["version"] == __version__
    assert report["database"]["ok"] is report["bot"]["ok"] is report["scheduler"]["ok"] is True
    assert report["runs"] == {"running": 0, "waiting": 0, "failed_last_day": 0}
    assert report["sessions"] == {"working": 1, "dead": 0}
    assert report["resting"] is None
    assert set(report["last_poll"]) == {"ended_at", "age_s"}
    async with http(port) as asking, asking.get("/health") as answer:
        body = await answer.text()
    secret = play.settings.bot_token.get_secret_value()
    for told in (session.account_name, session.name, session.masked_phone, secret, str(play.sandbox.admin_id)):
        assert told not in body
    assert await asyncio.to_thread(ask, port) is None


async def test_only_health_for_local_names(play: Play, port: int) -> None:
    """GET and HEAD of /health by a local name; other paths and verbs are not there, other hosts are refused."""
    await healthy(port)
    async with http(port) as session:
        for method, path, host, status in (
            ("GET", "/health", f"localhost:{port}", 200),
            ("GET", "/health", f"[::1]:{port}", 200),
            ("HEAD", "/health", f"127.0.0.1:{port}", 200),
            ("POST", "/health", f"127.0.0.1:{port}", 404),
            ("GET", "/", f"127.0.0.1:{port}", 404),
            ("GET", "/health/more", f"127.0.0.1:{port}", 404),
            ("GET", "/health", "porter.example", 403),
            ("GET", "/health", "127.0.0.1.porter.example", 403),
            ("GET", "/health", "", 403),
        ):
            async with session.request(method, path, headers={"Host": host}) as answer:
                assert answer.status == status, (method, path, host)


async def test_a_database_that_takes_no_write_is_sick(play: Play, write_lock: sqlite3.Connection) -> None:
    """No answer in time while somebody holds the write lock; the look that was begun ends well once it is free."""
    async with examined(play, database_seconds=0.3) as health:
        report = await health.report()
        assert report["ok"] is False
        assert report["database"] == {"ok": False, "ms": None, "error": "no answer in time"}
        assert report["runs"] is report["sessions"] is None
        write_lock.execute("ROLLBACK")
    async with examined(play) as health:
        assert (await health.report())["database"]["ok"] is True


async def test_the_probe_writes_nothing(play: Play) -> None:
    """Asking leaves no trace in the file or the WAL."""
    async with examined(play) as health:
        with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as eye:
            before = eye.execute("PRAGMA data_version").fetchone()
            assert (await health.report())["database"]["ok"] is True
            assert eye.execute("PRAGMA data_version").fetchone() == before


async def test_a_porter_whom_telegram_does_not_answer_is_sick(play: Play, port: int) -> None:
    """The last poll that ended well lies too far back; when polls end again all is well."""
    await healthy(port)
    async with examined(play, poll_patience_seconds=0.0) as health:
        report = await health.report()
    assert report["bot"] == {"ok": False}
    assert report["ok"] is False
    assert report["last_poll"] is None, "an empty poll takes 25 seconds"
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    assert play.app.poller.polled_at is not None
    assert (await asked(port))[1]["last_poll"]["age_s"] >= 0


async def test_a_timer_that_stands_still_is_sick(play: Play, port: int) -> None:
    """Whoever looks a day later sees that an hourly schedule did not fire. A scheduler that stopped is sick as well."""
    await healthy(port)
    await play.house.schedule.set(RunKind.SCRAPE, 99, "@hourly", "UTC")
    async with examined(play, clock=lambda: utc_now() + timedelta(days=1)) as health:
        assert (await health.report())["scheduler"]["ok"] is False
    async with examined(play) as health:
        assert (await health.report())["scheduler"]["ok"] is True
        await play.house.schedule.stop()
        assert (await health.report())["scheduler"] == {"ok": False, "running": False, "next_at": None}


async def test_counts_of_sessions_and_of_a_rest(tmp_path: Path, play: Play, port: int) -> None:
    """A dead session is counted. A Porter that rests until an owner has spoken is well, and says why it rests."""
    session = await play.sign_in()
    async with Database.open(play.settings.data_dir / "porter.db") as database:
        rows = await rows_of(database, play.settings)
        await rows.sessions.died(session.id, SessionState.SIGNED_OUT, "test", utc_now())
        await rows.restored.contest(utc_now())
    await play.restart()
    report = await healthy(port)
    assert report["sessions"] == {"working": 0, "dead": 1}
    assert report["resting"] == "CONTESTED"
    assert report["scheduler"] == {"ok": True, "running": False, "next_at": None}


async def test_a_hung_porter_does_not_answer(play: Play, port: int) -> None:
    """When the event loop stands still nothing comes back, and the command says so."""
    await healthy(port)
    found: list[str | None] = []
    done = threading.Event()

    def look() -> None:
        found.append(ask(port, 0.3))
        done.set()

    threading.Thread(target=look).start()
    done.wait(30)  # on purpose in the loop's thread: it hangs until the asker gives up
    assert found == [f"no answer at 127.0.0.1:{port} (TimeoutError)"]


async def test_the_command_names_what_is_sick(play: Play, port: int) -> None:
    """The parts that are not well, by name; another program's answer for what it is."""
    await healthy(port)
    await play.house.schedule.stop()
    assert await asyncio.to_thread(ask, port) == "scheduler"
    other = int(play.sandbox.http.rpartition(":")[2])
    assert await asyncio.to_thread(ask, other) == "HTTP 404: is that Porter?"


async def test_before_and_after_the_door_says_so(port: int) -> None:
    """While Porter opens and closes: 503, with the word."""
    async with open_door(port) as door:
        assert await asked(port) == (503, {"ok": False, "state": "starting", "version": __version__})
        await door.close()
        assert await asyncio.to_thread(ask, port) == "stopping"


async def test_a_taken_port_is_refused(play: Play, tmp_path: Path, port: int) -> None:
    """A second Porter with this port does not start, says why in one line, and has touched no database."""
    settings = settings_for(play.sandbox, tmp_path / "second", health_port=port)
    with pytest.raises(SettingsInvalid, match=f"HEALTH_PORT {port} cannot be opened: .*in use"):
        async with running(settings):
            raise AssertionError("it started")
    assert not (settings.data_dir / "porter.db").exists()
