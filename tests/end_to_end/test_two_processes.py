"""Two processes on copies of one database: the second one asks first, and no key is ever used from two addresses."""

import asyncio
import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.relay import relay
from sandbox.stage import PorterProcess
from services.credentials import pack, unpack
from storage.database import Database
from storage.keys import KeyConfig
from storage.sessions import SessionRepository
from storage.vault import open_vault
from tests.end_to_end.conftest import Stage, open_stage
from tests.end_to_end.test_operations import finished, running

REFUSED, CONFLICT = 2, 3


async def readdress(data_dir: Path, host: str, port: int) -> None:
    """The stored sessions live at that address from now on, so that this Porter's own way leads through the relay."""
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        rows = SessionRepository(database, vault)
        for session in await rows.all():
            credential = replace(unpack(await rows.credential(session.id)), host=host, port=port)
            await rows.renew(
                session.id,
                api_id=session.api_id,
                api_hash=await rows.api_hash(session.id),
                phone=await rows.phone(session.id),
                masked_phone=session.masked_phone,
                credential=pack(credential),
                fingerprint=vault.fingerprint(credential.auth_key),
            )


async def saving(stage: Stage) -> None:
    """Up to the middle of a scrape, on a slow line."""
    private = await stage.channel(private=True)
    await stage.log_in()
    await walks.add_source(stage.admin, private["title"])
    await stage.driver.network(rtt_ms=20, mbit=30)
    await stage.admin.press("▶ Save now")
    await stage.admin.wait_for(r"MB of", 60)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: test_restored.py shows accounts at rest")
async def test_a_copy_beside_a_working_porter_leaves_its_accounts_alone(tmp_path: Path) -> None:
    """`cp -r` and start: the copy rests though a scrape is under way in it, the first one meets the second poller and
    stops, and only after an owner's word does the copy go on, from its own address."""
    async with open_stage(tmp_path, "harbour") as stage:
        dc, _, address = stage.line["mtproto"].partition("@")
        host, _, port = address.partition(":")
        async with relay(host, int(port)) as far_port:
            await saving(stage)
            home = tmp_path / "second"
            await asyncio.to_thread(shutil.copytree, stage.porter.data_dir, home / "data")
            await readdress(home / "data", "127.0.0.1", far_port)
            second = PorterProcess(stage.line, home, MTPROTO_SERVER=f"{dc}@127.0.0.1:{far_port}")
            await second.start()
            try:
                assert running(stage), "the first one still saves"
                question = await stage.admin.wait_for("Is the old Porter off", 30)
                assert "Copied or moved" in question["text"]
                # Both poll with one token: the first hears of it, and gives way.
                assert await asyncio.wait_for(stage.porter.wait(), 90) == CONFLICT
                assert "Traceback" not in stage.porter.log()
                assert await stage.driver.duplicated_keys() == []
                await stage.driver.reset_calls()
                await asyncio.sleep(1)
                assert stage.line["admin_id"] not in await stage.driver.calls(), "the copy rests"

                await stage.driver.network(rtt_ms=0, mbit=0)
                await stage.admin.send("/start")
                await stage.admin.wait_for("Is the old Porter off")
                await stage.admin.press("Yes, it is off")
                await stage.admin.wait_for("Porter uses its accounts again")
                await finished(second)
            finally:
                await second.stop()
            assert await stage.driver.call_count("upload.getFile") > 0, "the copy took over"
            assert await stage.driver.duplicated_keys() == []

        # The first one, started again by whoever keeps it running, asks as well.
        await stage.driver.reset_calls()
        await stage.porter.start()
        await stage.admin.wait_for("Is the other Porter off", 30)
        await asyncio.sleep(1)
        assert stage.line["admin_id"] not in await stage.driver.calls()


@pytest.mark.slow
@pytest.mark.timeout(150)
@pytest.mark.skipif(
    not os.environ.get("PORTER_PROVE"), reason="make prove: tests/services/test_leases.py holds it without processes"
)
async def test_a_porter_of_another_host_refuses_the_start(jetty: Stage) -> None:
    """One line that says which, since when, and what to do; once it has been silent for long, the start goes well."""
    await jetty.porter.stop()
    lease = "insert into leases (session_id, process, host, beat_at) values (1, 'far away, process 7', 'x', ?)"
    for age_seconds, words in ((5, "far away, process 7"), (100, "")):
        with closing(sqlite3.connect(jetty.porter.data_dir / "porter.db")) as db, db:
            db.execute("delete from leases")
            db.execute(lease, (int((time.time() - age_seconds) * 1000),))
        mark = len(jetty.porter.log())
        if words:
            with pytest.raises(RuntimeError, match=words):
                await jetty.porter.start()
            assert await jetty.porter.wait() == REFUSED
            assert len(jetty.porter.log()[mark:].splitlines()) == 1
        else:
            await jetty.porter.start()


@pytest.mark.slow
@pytest.mark.skipif("PORTER_PROVE" not in os.environ, reason="a proof of the proof: `make prove`")
@pytest.mark.timeout(200)
async def test_the_relay_is_seen_as_another_host(tmp_path: Path) -> None:
    """The proof above can fail: one key from the relay and from here at a time is what the sandbox kills."""
    async with open_stage(tmp_path, "harbour") as stage:
        dc, _, address = stage.line["mtproto"].partition("@")
        host, _, port = address.partition(":")
        async with relay(host, int(port)) as far_port:
            await saving(stage)
            home = tmp_path / "second"
            await asyncio.to_thread(shutil.copytree, stage.porter.data_dir, home / "data")
            await readdress(home / "data", "127.0.0.1", far_port)
            await forget_home(home / "data")
            second = PorterProcess(stage.line, home, MTPROTO_SERVER=f"{dc}@127.0.0.1:{far_port}")
            await second.start()
            try:
                for _ in range(200):
                    if await stage.driver.duplicated_keys():
                        break
                    await asyncio.sleep(0.1)
                assert await stage.driver.duplicated_keys() == [stage.line["admin_id"]]
            finally:
                await second.stop()


async def forget_home(data_dir: Path) -> None:
    """As a Porter that knew nothing of copies would have written it."""
    async with Database.open(data_dir / "porter.db") as database, database.write() as connection:
        await connection.exec_driver_sql("DELETE FROM meta WHERE key = 'home'")
        await connection.exec_driver_sql("DELETE FROM leases")
