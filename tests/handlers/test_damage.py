"""A sealed value that was damaged or moved: the admin reads what to do, and the rest goes on."""

import re
import sqlite3
from contextlib import closing

from sandbox import walks
from sandbox.scenarios import SECOND
from tests.handlers.test_repair import add_second
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
    await play.sign_in()
    await play.close()
    damaged = seal_is_broken(play)
    await play.open()
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


async def check(play: Play, name: str) -> str:
    """What "Check now" on that account's card answers: the alert, or the card that comes."""
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press(re.compile(name))
    answer = await play.admin.press("Check now")
    return str(answer["answer"] or (await play.admin.screen())["text"])


def swap(play: Play, column: str) -> None:
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as db, db:
        values = dict(db.execute(f"select id, {column} from sessions order by id"))
        for row_id, other in zip(values, reversed(values), strict=True):
            db.execute(f"update sessions set {column} = ? where id = ?", (values[other], row_id))


async def test_a_key_in_another_row_does_not_open(play: Play) -> None:
    """Two accounts whose sealed keys were exchanged: each says so, nobody is asked at Telegram with the wrong key, and
    put back they both work."""
    await play.sign_in()
    second = next(account for account in play.sandbox.line()["accounts"] if account["id"] == SECOND)
    await add_second(play, second)
    await play.close()
    right = stored(play)
    swap(play, "credential_sealed")
    wrong = stored(play)
    assert wrong == right[::-1]
    await play.open()
    await play.driver.reset_calls()
    for name in ("Anna", "Boris"):
        assert "damaged and cannot be opened" in await check(play, name)
    calls = await play.driver.calls()
    assert not {play.sandbox.admin_id, SECOND} & calls.keys()
    assert stored(play) == wrong, "nothing is written over it"
    await play.close()
    swap(play, "credential_sealed")
    await play.open()
    for name in ("Anna", "Boris"):
        await check(play, name)
        await play.admin.wait_for("checked just now|ready", old=True)
    assert stored(play) == right
