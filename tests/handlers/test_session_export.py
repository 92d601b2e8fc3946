"""Handing an account over through the chat."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import walks
from services.exports import ExportForm, file_name
from services.session_formats import read_string
from storage import age_file
from tests.age import open_age
from tests.handlers.test_sessions import open_card
from tests.play import Play, open_play

PASSPHRASE = "made up for this very test"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dear derivation has its own test."""
    seal = age_file.seal
    monkeypatch.setattr(age_file, "seal", lambda content, passphrase: seal(content, passphrase, log_n=10))


@pytest.fixture
async def exporting(tmp_path: Path) -> AsyncIterator[Play]:
    async with open_play(tmp_path, allow_export=True) as play:
        await play.sign_in()
        yield play


async def up_to_the_passphrase(play: Play, label: str = "Telethon string") -> None:
    await open_card(play)
    await play.admin.press("Hand over (export)")
    await play.admin.wait_for("As which string")
    await play.admin.press(label)
    await play.admin.wait_for("Send a passphrase")


async def files(play: Play) -> list[dict[str, Any]]:
    return [message["document"] for message in await play.admin.bot_messages() if message["document"]]


def keys(play: Play) -> list[Any]:
    return [key for key in play.sandbox.world.auth_keys.values() if key.user == play.sandbox.admin_id]


async def test_off_by_default(play: Play) -> None:
    """No button, and a made-up one is refused."""
    await play.sign_in()
    await open_card(play)
    assert "Hand over (export)" not in await play.admin.buttons()
    screen = await play.admin.screen()
    answer = await play.admin.press_forged(screen["id"], "se1:exp:1:0")
    assert "switched off" in answer["answer"]
    answer = await play.admin.press_forged(screen["id"], "se1:expt:1:0")
    assert "switched off" in answer["answer"]


@pytest.mark.parametrize(("label", "length"), [("Telethon string", 353), ("Pyrogram string", 362)])
async def test_handed_over(exporting: Play, label: str, length: int) -> None:
    """A short one and a slip are asked again, over a restart as well; then the file comes and the account is gone here,
    and alive at Telegram. The passphrase stands nowhere."""
    play = exporting
    await up_to_the_passphrase(play, label)
    await play.admin.send("too short")
    await play.admin.wait_for("has 12 to 256 characters")
    await play.admin.send(PASSPHRASE)
    await play.admin.wait_for("once more")
    await play.admin.send(PASSPHRASE + "x")
    await play.admin.wait_for("The two differ")
    await play.restart()
    await play.admin.send(PASSPHRASE)
    await play.admin.wait_for("once more")
    await play.admin.send(PASSPHRASE)
    screen = await play.admin.wait_for("is handed over")
    assert "None yet" in screen["text"]
    (document,) = await files(play)
    await play.admin.press("🏠 Home")
    home = await play.admin.wait_for("Porter")
    assert "waits" not in home["text"], "nothing is left to go on with"
    content = open_age(await play.driver.file(document["id"]), PASSPHRASE).decode().strip()
    assert len(content) == length
    found = read_string(content)
    assert found.auth_key in await play.driver.auth_keys()
    assert not any(key.revoked for key in keys(play))
    everything = "\n".join(str(m["text"]) for m in await play.admin.messages() if not m["deleted"])
    assert PASSPHRASE not in everything
    assert content not in everything


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Extra 2", "Extra-2-telethon.age"),
        ("-rf $(x) <b>& 'y'", "rf-x-_b_-y-telethon.age"),
        ("Önder", "Önder-telethon.age"),
        ("…", "account-telethon.age"),
    ],
)
def test_the_name_of_the_file_can_be_typed_behind_age(name: str, file: str) -> None:
    """The command below the file is copied into a shell."""
    assert file_name(name, ExportForm.TELETHON) == file


async def test_refused_while_it_is_used(exporting: Play) -> None:
    play = exporting
    await walks.add_source(play.admin, play.private.title)
    await open_card(play)
    await play.admin.press("Hand over (export)")
    await play.admin.wait_for("is in use and stays")


async def test_telegram_does_not_take_the_file(exporting: Play) -> None:
    """Nothing is lost: the account goes on as before."""
    play = exporting
    await up_to_the_passphrase(play)
    await play.driver.fault("sendDocument", error="FILE_PARTS_INVALID")
    await play.admin.send(PASSPHRASE)
    await play.admin.wait_for("once more")
    await play.admin.send(PASSPHRASE)
    screen = await play.admin.wait_for("the account goes on as before")
    assert "ready" in screen["text"]
    answer = await play.admin.press("Check now")
    assert answer["answer"] == "This account works."
    assert await files(play) == []


async def test_the_connection_breaks_while_the_file_is_sent(exporting: Play) -> None:
    """Nobody knows whether it has arrived: the account stays and rests, and one tap puts it to work again."""
    play = exporting
    await up_to_the_passphrase(play)
    await play.driver.fault("sendDocument", drop=True)
    await play.admin.send(PASSPHRASE)
    await play.admin.wait_for("once more")
    await play.admin.send(PASSPHRASE)
    screen = await play.admin.wait_for("The connection broke while the file was sent")
    assert "handed over, perhaps" in screen["text"]
    answer = await play.admin.press("Check now")
    assert answer["answer"] == "This account works."
