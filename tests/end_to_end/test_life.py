"""Starting, refusing, stopping, and doing two things at once."""

import asyncio
import base64
import hashlib
import os
import re
import secrets
import time
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.stage import PorterProcess
from tests.end_to_end.conftest import Stage, open_stage


@pytest.mark.timeout(200)
async def test_while_a_scrape_runs_the_gate_answers(tmp_path: Path) -> None:
    """At 50 ms RTT, in the middle of a scrape, an approval is answered and a load starts within three seconds."""
    async with open_stage(tmp_path, "harbour") as stage:
        private, gate = await stage.channel(private=True), await stage.channel(gate=True)
        await stage.log_in()
        await walks.load_requests(stage.admin, str(gate["id"]), timeout=90)
        await walks.add_source(stage.admin, private["title"])
        await stage.driver.network(rtt_ms=50, mbit=40)
        await stage.admin.press("▶ Save now")
        await stage.admin.wait_for(r"MB of", 60)

        await walks.first_person(stage.admin, gate["title"])
        started = time.monotonic()
        await stage.admin.press("Approve")
        approved = time.monotonic() - started
        assert len((await stage.driver.requests(gate["id"]))["approved"]) == 1

        await stage.driver.reset_calls()
        started = time.monotonic()
        await stage.admin.send(f"/load {gate['id']}")
        while not await stage.driver.call_count("messages.getChatInviteImporters"):
            await asyncio.sleep(0.05)
            assert time.monotonic() - started < 3
        loaded = time.monotonic() - started
        await asyncio.sleep(1)
        assert await stage.driver.call_count("upload.getFile") > 0, "the scrape goes on beside them"
        print(f"approval answered in {approved:.2f} s, load started in {loaded:.2f} s")
        assert approved < 3


@pytest.mark.timeout(120)
async def test_strangers_meet_silence(jetty: Stage) -> None:
    """Messages, commands, files and buttons of others get no answer at all; the log names their id."""
    others = [entry["id"] for entry in jetty.line["accounts"] if entry["id"] != jetty.line["admin_id"]]
    stranger = Actor(jetty.driver, others[0], jetty.line["bot_id"])
    await stranger.send("/start")
    await stranger.send("/sessions")
    await stranger.upload("session.session", b"x" * 100)
    await jetty.admin.send("/start")
    await jetty.admin.wait_for("Porter")
    assert not await stranger.bot_messages()
    assert f"user {others[0]}" in jetty.porter.log()


@pytest.mark.timeout(120)
async def test_a_second_porter_on_the_same_data_refuses(jetty: Stage) -> None:
    """The lock of DATA_DIR is held for life: one clear line, exit code 2, and the first goes on."""
    second = PorterProcess(jetty.line, jetty.porter.home)
    with pytest.raises(RuntimeError, match="in use by another Porter"):
        await second.start()
    assert await second.wait() == 2
    await jetty.admin.send("/help")
    await jetty.admin.wait_for("What Porter does")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: a copied Porter shows the same")
async def test_of_two_porters_with_one_token_one_gives_way(jetty: Stage, tmp_path: Path) -> None:
    """The first hears that another polls with its token: it stops, tells the owner why, and the other goes on."""
    await jetty.admin.send("/start")
    await jetty.admin.wait_for("Porter")
    other = PorterProcess(jetty.line, tmp_path / "other")
    await other.start()
    try:
        assert await asyncio.wait_for(jetty.porter.wait(), 60) == 3
        await jetty.admin.wait_for("Another Porter works with this bot's token")
        assert other.is_running
        await jetty.admin.send("/help")
        await jetty.admin.wait_for("What Porter does")
    finally:
        await other.stop()


@pytest.mark.timeout(120)
async def test_refusals_at_start_are_one_line(jetty: Stage, tmp_path: Path) -> None:
    """A missing or wrong setting ends with one line that names it, and a wrong key touches nothing."""
    await jetty.porter.stop()
    for env, words in (
        ({"BOT_TOKEN": ""}, "BOT_TOKEN is missing"),
        ({"ADMIN_IDS": "@anna"}, "ADMIN_IDS must be Telegram user ids"),
        ({"API_ID": "12"}, "API_ID and API_HASH go together"),
        ({"MTPROTO_SERVER": "127.0.0.1:80"}, "MTPROTO_SERVER must be DC@HOST:PORT"),
        (
            {"DOWNLOAD_DIR": str(tmp_path / "refused" / "data" / "in")},
            "DOWNLOAD_DIR and DATA_DIR may not lie in one another",
        ),
    ):
        refused = PorterProcess(jetty.line, tmp_path / "refused", **env)
        with pytest.raises(RuntimeError, match=re.escape(words)):
            await refused.start()
        assert await refused.wait() == 2
        assert len([line for line in refused.log().splitlines() if "does not start" in line]) == 1
        assert "Traceback" not in refused.log()
        refused.log_path.unlink()

    database = jetty.porter.data_dir / "porter.db"
    before = database.read_bytes()
    wrong = PorterProcess(jetty.line, jetty.porter.home, MASTER_KEY="A" * 43 + "=")
    with pytest.raises(RuntimeError, match="does not start"):
        await wrong.start()
    assert database.read_bytes() == before
    await jetty.porter.start()


def bytes_of(data_dir: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in data_dir.iterdir()
        if path.is_file() and path.name != "porter.lock"
    }


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: tests/storage/test_vault.py shows the same")
async def test_a_start_without_the_right_key_touches_nothing(jetty: Stage) -> None:
    """Another key, no key file, a damaged database: one line, exit code 2, no traceback, every file as it was; with the
    right key all is there. Every other way to be without the key is in tests/storage/test_vault.py."""
    await jetty.log_in()
    await jetty.porter.stop()
    data_dir, key_file = jetty.porter.data_dir, jetty.porter.data_dir / "porter.key"
    database = data_dir / "porter.db"
    key, content = key_file.read_bytes(), database.read_bytes()
    another = base64.b64encode(secrets.token_bytes(32))

    async def refused(words: str, **env: str) -> None:
        before, mark = bytes_of(data_dir), len(jetty.porter.log())
        porter = PorterProcess(jetty.line, jetty.porter.home, **env)
        with pytest.raises(RuntimeError, match="does not start"):
            await porter.start()
        assert await porter.wait() == 2
        lines = porter.log()[mark:].splitlines()
        assert len(lines) == 1, lines
        assert words in lines[0]
        assert another.decode() not in lines[0]
        assert bytes_of(data_dir) == before

    await refused("did not seal", MASTER_KEY=another.decode())
    key_file.unlink()
    await refused("no key is given")
    key_file.write_bytes(key)
    database.write_bytes(b"no database at all" * 1000)
    await refused("SQLite cannot read porter.db")
    database.write_bytes(content)
    await jetty.porter.start()
    await jetty.admin.send("/sessions")
    await jetty.admin.wait_for(r"Accounts.* · 1")


@pytest.mark.timeout(120)
async def test_sigterm_ends_within_five_seconds(jetty: Stage) -> None:
    """An idle Porter ends at once, and says so in its log."""
    assert await jetty.porter.stop() < 5
    assert "Porter stopped" in jetty.porter.log()
    await jetty.porter.start()
