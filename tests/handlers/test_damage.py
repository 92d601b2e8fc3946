"""A sealed value that was damaged or moved: the admin reads what to do, and the rest goes on."""

import sqlite3
from contextlib import closing

from sandbox import walks
from tests.play import Play


def seal_is_broken(play: Play) -> bytes:
    """Flip one byte of the stored account; answers what stands there then."""
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as db, db:
        (sealed,) = db.execute("select credential_sealed from sessions").fetchone()
        damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        db.execute("update sessions set credential_sealed = ?", (damaged,))
    return damaged


def stored(play: Play) -> list[bytes]:
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as db:
        return [row[0] for row in db.execute("select credential_sealed from sessions")]


async def test_a_damaged_account_says_what_to_do(play: Play) -> None:
    """Nothing is written over it, no class name is shown, the other places work, and deleting the account does too."""
    await walks.log_in(play.admin, play.account)
    damaged = seal_is_broken(play)
    await play.restart()
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press(walks.beginning("🟢"))
    answer = await play.admin.press("Check now")
    assert "damaged and cannot be opened" in answer["answer"]
    assert stored(play) == [damaged]
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press(walks.beginning("🟢"))
    await play.admin.press("Delete")
    await play.admin.press("Yes, sign out and delete")
    await play.admin.wait_for("None yet")
    assert stored(play) == []
