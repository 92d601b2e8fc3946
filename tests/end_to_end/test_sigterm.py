"""SIGTERM and SIGINT at bad moments: Porter ends within five seconds, with code 0, and the next start goes on."""

import asyncio
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sandbox import walks
from sandbox.driver import Actor, Driver
from sandbox.scenarios import ADMIN, SECOND
from sandbox.stage import PorterProcess
from sandbox.world import SERVICE_ID
from storage.migrate import HEAD
from tests.end_to_end.conftest import Stage, open_stage
from tests.storage.test_migrations import at_revision

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("PORTER_PROVE"),
        reason="make prove: test_life.py and test_kill.py stop an idle and a busy one",
    ),
]

STOP_SECONDS = 5.0 + 2.0
"""The promise, and what a machine gets that does other work beside it."""
HANGS_MS = 20_000
MESSAGES = 200_000
ACTIVE = "status in ('QUEUED', 'RUNNING', 'WAITING')"
IMPORTERS = "messages.getChatInviteImporters"
OF_THE_CHAT = ("sendMessage", "editMessageText", "answerCallbackQuery", "deleteMessage", "getUpdates")


def rows(porter: PorterProcess, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{porter.data_dir / 'porter.db'}?mode=ro", uri=True)) as database:
        return database.execute(query).fetchall()


async def until(porter: PorterProcess, query: str, seconds: float = 120.0) -> None:
    """Rows come: more of them than none."""
    deadline = time.monotonic() + seconds
    while not rows(porter, query):
        assert time.monotonic() < deadline, f"no row of {query}:\n{porter.log()[-3000:]}"
        await asyncio.sleep(0.1)


async def until_over(porter: PorterProcess, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while active := rows(porter, f"select kind, status, reason from runs where {ACTIVE}"):
        assert time.monotonic() < deadline, f"{active}:\n{porter.log()[-3000:]}"
        await asyncio.sleep(0.2)


async def ended(porter: PorterProcess) -> float:
    """Told to stop: how long that took. Its code is 0, and nothing went wrong on the way."""
    mark = len(porter.log())
    took = await porter.stop()
    assert await porter.wait() == 0
    said = porter.log()[mark:]
    assert "Porter stopped" in said
    assert "ERROR" not in said, said
    assert "Traceback" not in said, said
    return took


async def approve_a_group(admin: Actor, title: str) -> None:
    """The largest of those whom the channel's page sets apart: one by one."""
    await admin.send("/requests")
    await admin.wait_for("Waiting people")
    await admin.press(walks.beginning(title))
    page = await admin.wait_for("people wait")
    await admin.press(
        data=next(key["data"] for row in page["buttons"] for key in row if (key["data"] or "").startswith("bk1:"))
    )
    await admin.wait_for(r"Approve [\d,]+ people")
    await admin.press(walks.CONFIRM)


async def agree(stage: Stage, gate: int) -> None:
    """The database says of everybody who has asked what Telegram's lists say."""
    for _ in range(100):
        told = await stage.driver.requests(gate)
        stored = rows(stage.porter, f"select user_id, status from join_requests where channel_id = {gate}")
        ours = {
            status: {user for user, each in stored if each == status} for status in ("PENDING", "APPROVED", "DENIED")
        }
        if all(ours[status.upper()] == set(told[status]) for status in ("pending", "approved", "denied")):
            return
        await asyncio.sleep(0.3)
    for status in ("pending", "approved", "denied"):
        assert ours[status.upper()] == set(told[status]), status


async def code_of(driver: Driver, account_id: int) -> str:
    return await walks.newest_code(Actor(driver, account_id, SERVICE_ID))


async def pour(driver: Driver, gate: int, pause_seconds: float = 0.05) -> None:
    while True:
        await driver.ask_to_join(gate, 3)
        await asyncio.sleep(pause_seconds)


async def hang(driver: Driver) -> None:
    """The Bot API hears and does not answer."""
    for method in OF_THE_CHAT:
        await driver.fault(method, delay_ms=HANGS_MS, times=1000)


@pytest.mark.timeout(600)
async def test_sigterm_in_the_middle_of_everything(tmp_path: Path) -> None:
    """A scrape downloads under a flood wait, a load runs, many are decided, a login waits for its code, people ask, and
    the Bot API hangs: ended in time. The next start brings all of it to its end, and forgets nobody."""
    async with open_stage(tmp_path, "harbour", ADMIN_IDS=f"{ADMIN},{SECOND}") as stage:
        admin, driver, porter = stage.admin, stage.driver, stage.porter
        private, gate = await stage.channel(private=True), await stage.channel(gate=True)
        await stage.log_in()
        await walks.load_requests(admin, str(gate["id"]), timeout=90)
        await walks.add_source(admin, private["title"])
        await driver.network(rtt_ms=50, mbit=30)
        await admin.press("▶ Save now")
        await admin.wait_for(r"MB of", 60)
        await approve_a_group(admin, gate["title"])
        other = next(each for each in stage.line["accounts"] if each["id"] != stage.line["admin_id"])
        await driver.fault(IMPORTERS, delay_ms=1000, times=1000)
        await admin.send(f"/load {gate['id']}")
        await admin.wait_for("of 2,5")
        await walks.begin_login(admin, other)
        for kind in ("SCRAPE", "LOAD_REQUESTS", "DECIDE_SOME"):
            await until(porter, f"select 1 from runs where kind = '{kind}' and status = 'RUNNING'")
        await driver.fault("upload.getFile", error="FLOOD_WAIT_3", times=2)
        asking = asyncio.create_task(pour(driver, gate["id"]))
        await asyncio.sleep(1)
        await hang(driver)
        await Actor(driver, SECOND, stage.line["bot_id"]).send("/help")  # a handler that waits for its answer
        await asyncio.sleep(1)
        print(rows(porter, "select kind, status, reason from runs order by id"))

        took = await ended(porter)
        await asyncio.sleep(0.5)
        asking.cancel()
        await driver.no_faults()
        await driver.network(rtt_ms=0, mbit=0)
        print(f"ended in {took:.2f} s")
        await porter.start()
        await walks.tap_code(admin, await code_of(driver, other["id"]))
        await admin.wait_for("Signed in as|cloud password", 30)
        await until_over(porter)
        await agree(stage, gate["id"])
        assert not rows(porter, "select kind, status, reason from runs where status <> 'DONE'")
        assert len([path for path in porter.download_dir.rglob("*") if path.is_file()]) == 120
        assert took <= STOP_SECONDS
        await ended(porter)


def hears_sigterm(pid: int) -> bool:
    """Whether the process has a handler for it by now (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = (int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.timeout(300)
async def test_sigterm_at_any_moment_of_a_start(jetty: Stage) -> None:
    """Before the first poll, while aiogram is imported, while the house is built: ended in time with code 0, and
    nothing is left behind that hinders the next start. The kernel ends it only before it hears: nothing is open."""
    gate = await jetty.channel(gate=True)
    await jetty.porter.stop()
    started = time.monotonic()
    await jetty.porter.start()
    whole = time.monotonic() - started
    await jetty.porter.stop()
    asked = set((await jetty.driver.requests(gate["id"]))["pending"])
    heard = 0
    for share in (0.02, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0):
        await jetty.driver.ask_to_join(gate["id"], 3)
        mark = len(jetty.porter.log())
        await jetty.porter.begin()
        await asyncio.sleep(share * whole)
        hears = hears_sigterm(jetty.porter.pid)
        took = await jetty.porter.stop()
        code, said = await jetty.porter.wait(), jetty.porter.log()[mark:]
        print(f"{share:4.0%} of a start of {whole:.1f} s: {hears=}, ended in {took:.2f} s with code {code}")
        assert code == 0 or (code == -signal.SIGTERM and not hears)
        assert said.count("Porter stopped") == (code == 0)
        assert "ERROR" not in said, said
        assert "Traceback" not in said, said
        assert took <= STOP_SECONDS
        heard += hears
    assert heard >= 3, "the start was over too late for this test to have seen it"
    await jetty.porter.start()
    newcomers = set((await jetty.driver.requests(gate["id"]))["pending"]) - asked
    assert len(newcomers) == 30
    await agree_on(jetty, newcomers)


async def agree_on(stage: Stage, user_ids: set[int]) -> None:
    deadline = time.monotonic() + 30
    while {user for (user,) in rows(stage.porter, "select user_id from join_requests")} != user_ids:
        assert time.monotonic() < deadline, "somebody who asked is not stored"
        await asyncio.sleep(0.1)


@pytest.mark.timeout(120)
async def test_a_second_sigint_changes_nothing(jetty: Stage) -> None:
    """Ctrl-C, and once more out of impatience: the same stop, code 0, no traceback."""
    await jetty.driver.fault("sendMessage", delay_ms=HANGS_MS, times=10)
    await jetty.admin.send("/start")
    await asyncio.sleep(0.5)
    os.kill(jetty.porter.pid, signal.SIGINT)
    await asyncio.sleep(0.3)
    os.kill(jetty.porter.pid, signal.SIGINT)
    await ended(jetty.porter)
    await jetty.driver.no_faults()
    await jetty.porter.start()
    await jetty.admin.send("/help")
    await jetty.admin.wait_for("What Porter does")


def of_an_older_porter(data_dir: Path) -> Path:
    """A database of revision 0003 with so many messages that moving them takes a moment."""
    data_dir.mkdir(parents=True)
    path = at_revision(data_dir, "0003")
    many = f"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {MESSAGES})"
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "INSERT INTO channels VALUES (-1001, 'Harbour', NULL, 'CHANNEL', NULL, NULL, 0);"
            f"INSERT INTO messages {many} SELECT -1001, id, 7, NULL, 'text ' || id, NULL, NULL FROM n;"
        )
    return path


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_in_the_middle_of_a_migration(jetty: Stage, tmp_path: Path, number: signal.Signals) -> None:
    """Told to stop, Porter brings it to its end first; killed, the file is as it was. The next start has all of it."""
    await jetty.porter.stop()
    porter = PorterProcess(jetty.line, tmp_path / "older")
    path = await asyncio.to_thread(of_an_older_porter, porter.data_dir)
    await porter.begin()
    async with asyncio.timeout(60):
        while not any(path.with_name(f"porter.db-{kind}").exists() for kind in ("journal", "wal")):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    os.kill(porter.pid, number)
    assert await asyncio.wait_for(porter.wait(), 60) == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    ((revision,),) = rows(porter, "select version_num from alembic_version")
    print(f"{number.name}: {revision}")
    assert revision in (("0003", HEAD) if number is signal.SIGKILL else (HEAD,))
    await porter.start()
    assert rows(porter, "select version_num from alembic_version") == [(HEAD,)]
    assert rows(porter, "select count(*) from messages") == [(MESSAGES,)]
    await ended(porter)
