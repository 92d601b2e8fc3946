"""A restored Porter asks first: until an owner answers, no account is used."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox import walks
from storage.backup import back_up
from storage.models import RunStatus
from storage.restore import restore
from tests.play import Play, open_play

WORDS = "correct horse battery staple"


async def restored(play: Play, tmp_path: Path) -> None:
    """The play goes on with a backup of itself, in the same DATA_DIR."""
    settings, file = play.settings, tmp_path / "backup"
    await back_up(settings.data_dir / "porter.db", settings.keys, file, WORDS, force=True)
    await play.close()
    await asyncio.to_thread(shutil.rmtree, settings.data_dir)
    settings.data_dir.mkdir()
    await restore(file, settings.data_dir, settings.keys, WORDS)
    await play.open()


async def test_accounts_rest_until_an_owner_answers(tmp_path: Path) -> None:
    """Commands that need an account meet the question; the yes wakes everything without a restart."""
    async with open_play(tmp_path) as play:
        await walks.log_in(play.admin, play.account)
        await walks.add_source(play.admin, play.private.title)
        await restored(play, tmp_path)
        await play.admin.wait_for("Is the old Porter off")
        keys = len(await play.driver.auth_keys())
        await play.driver.reset_calls()

        await play.admin.send("/sources")
        await play.admin.wait_for("Saved channels")
        await play.admin.press(walks.beginning(play.private.title))
        await play.admin.wait_for("last saved never")
        await play.admin.press("▶ Save now")
        await asyncio.sleep(1.5)
        assert not [run for run in await play.house.runner._runs.active() if run.status is not RunStatus.QUEUED]
        await play.admin.send("/sessions")
        await play.admin.wait_for("Accounts")
        await play.admin.press(walks.beginning("🟢"))
        await play.admin.press("Check now")
        await play.admin.wait_for("Is the old Porter off")
        await play.admin.send("/login")
        await play.admin.wait_for("Is the old Porter off")
        calls = (await play.driver.calls()).get(play.sandbox.admin_id, {})
        assert not calls, "Telegram saw nothing of the account"
        assert len(await play.driver.auth_keys()) == keys

        await play.admin.press("Yes, it is off")
        await play.admin.wait_for("Porter uses its accounts again")
        for _ in range(200):
            if not await play.house.runner._runs.active():
                break
            await asyncio.sleep(0.1)
        assert len([p for p in play.settings.download_dir.rglob("*") if p.is_file()]) > 5
        await play.restart()
        await play.admin.send("/start")
        await play.admin.wait_for("Porter</b>|Porter")
        assert "Restored" not in (await play.admin.screen())["text"]


async def test_owners_are_asked_once(tmp_path: Path) -> None:
    """A restart in between does not ask again by itself: the question is where home was."""
    async with open_play(tmp_path) as play:
        await play.admin.send("/start")
        await play.admin.wait_for("Porter")
        await restored(play, tmp_path)
        await play.admin.wait_for("Is the old Porter off")
        while not ((mark := play.house.restores.waiting) and mark.told):
            await play.admin.screen()
        await play.restart()
        await asyncio.sleep(0.5)
        asked = [m for m in await play.admin.bot_messages() if "Restored" in m["text"]]
        assert len(asked) == 1
        await play.admin.send("/start")
        await play.admin.wait_for("Is the old Porter off")


async def test_a_button_of_an_earlier_restore_says_nothing(tmp_path: Path) -> None:
    """The yes is for one restore, and once."""
    async with open_play(tmp_path) as play:
        await play.admin.send("/start")
        await play.admin.wait_for("Porter")
        await restored(play, tmp_path)
        first = await play.admin.wait_for("Is the old Porter off")
        old = first["buttons"][0][0]["data"]
        await restored(play, tmp_path)
        await play.admin.wait_for("Is the old Porter off")
        for _ in range(50):
            if play.house.restores.waiting is not None:
                break
            await asyncio.sleep(0.05)
        answer = await play.admin.press_forged(first["id"], old)
        assert "too old" in answer["answer"]
        assert play.house.restores.waiting is not None
        await play.admin.send("/start")
        await play.admin.wait_for("Is the old Porter off")
        await play.admin.press("Yes, it is off")
        await play.admin.wait_for("Porter uses its accounts again")
        assert play.house.restores.waiting is None


async def test_an_account_is_not_forgotten_while_it_cannot_be_signed_out(tmp_path: Path) -> None:
    """Deleting signs out at Telegram first; a resting Porter refuses instead of leaving a live key behind."""
    async with open_play(tmp_path) as play:
        await walks.log_in(play.admin, play.account)
        await restored(play, tmp_path)
        await play.admin.wait_for("Is the old Porter off")
        await play.admin.send("/sessions")
        await play.admin.wait_for("Accounts")
        await play.admin.press(walks.beginning("🟢"))
        await play.admin.press("Delete")
        await play.admin.press("Yes, sign out and delete")
        await play.admin.wait_for("Is the old Porter off")
        await play.admin.press("Yes, it is off")
        await play.admin.send("/sessions")
        await play.admin.wait_for(r"Accounts.* · 1")


async def test_a_session_that_another_host_took_is_let_go(tmp_path: Path) -> None:
    """A beat finds the row in other hands: the clients close, every owner is told once, and nothing opens it again."""
    async with open_play(tmp_path) as play:
        await walks.log_in(play.admin, play.account)
        await check_account(play)
        house = play.house
        # In a thread: Porter's own write may be open, and needs this event loop to end.
        assert await asyncio.to_thread(take_leases, play) == 1
        await house.leases.beat()
        await play.admin.wait_for("Another Porter has begun to use «Anna»")
        assert not house.pool.is_open(1)
        await house.leases.beat()
        answer = await check_account(play)
        assert "Another Porter is using this account" in answer["answer"]
        told = [m for m in await play.admin.bot_messages() if "has begun to use" in m["text"]]
        assert len(told) == 1


def take_leases(play: Play) -> int:
    """As a Porter on another host would."""
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as db, db:
        return db.execute("update leases set host = 'another', process = 'far away'").rowcount


async def check_account(play: Play) -> dict[str, Any]:
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press(walks.beginning("🟢"))
    return await play.admin.press("Check now")


async def test_a_second_poller_leaves_a_mark(tmp_path: Path) -> None:
    """Started again after it gave way, Porter asks about the other one, and works on after the answer."""
    async with open_play(tmp_path) as play:
        await play.admin.send("/start")
        await play.admin.wait_for("Porter")
        await play.house.restores.contested()
        await play.restart()
        question = await play.admin.wait_for("Is the other Porter off")
        assert "Two Porters" in question["text"]
        await play.admin.press("Yes, it is off")
        await play.admin.wait_for("Porter uses its accounts again")
