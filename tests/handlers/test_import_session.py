"""Importing a session through the chat: a login made elsewhere is carried over, and nothing unsafe gets in."""

import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.secrets import MAX_DOWNLOAD_BYTES, take_file
from handlers.texts.imports import FORMATS, TROUBLES
from sandbox import walks
from sandbox.world import SERVICE_ID
from services import session_formats
from services.clients.base import ApiCredentials, Credential, MtprotoServer
from services.clients.factory import Clients
from services.errors import SessionTrouble
from services.session_formats import FoundSession, SessionFormat
from tests.play import Play, open_play

ACTIVE_KEYS = "SELECT count(*) FROM sessions"


async def sign_in_elsewhere(play: Play, account: dict[str, Any]) -> Credential:
    """Another program's login of that account, with Telethon."""
    server = play.settings.mtproto()
    assert server is not None
    client = await Clients(server).login(ApiCredentials(account["api_id"], account["api_hash"]))
    try:
        sent = await client.send_code(account["phone"])
        phone_chat = play.actor(account["id"])
        phone_chat.peer = SERVICE_ID
        code = await walks.newest_code(phone_chat)
        signed_in = await client.sign_in(account["phone"], code, sent.code_hash)
        if signed_in is None:
            signed_in = await client.check_password(account["password"])
        return client.credential(signed_in.user_id)
    finally:
        await client.close()


def telethon_string(credential: Credential) -> str:
    return session_formats.write_telethon_string(
        credential.dc_id, (credential.host, credential.port), credential.auth_key
    )


def pyrogram_string(credential: Credential, *, is_bot: bool = False) -> str:
    found = FoundSession(
        SessionFormat.PYROGRAM_STRING_362,
        credential.dc_id,
        credential.auth_key,
        api_id=credential.api.api_id,
        user_id=credential.user_id,
        is_bot=is_bot,
    )
    return session_formats.write_pyrogram_string(found)


def telethon_file(credential: Credential, directory: Path) -> bytes:
    from telethon.crypto import AuthKey
    from telethon.sessions import SQLiteSession

    session = SQLiteSession(str(directory / "theirs"))
    session.set_dc(credential.dc_id, credential.host, credential.port)
    session.auth_key = AuthKey(credential.auth_key)
    session.save()
    session.close()
    return (directory / "theirs.session").read_bytes()


async def give_api(play: Play) -> None:
    """What Porter asks of an admin where neither session nor settings know the application."""
    await play.admin.wait_for("API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])


def stored(play: Play) -> int:
    with sqlite3.connect(play.settings.data_dir / "porter.db") as connection:
        count: int = connection.execute(ACTIVE_KEYS).fetchone()[0]
    connection.close()
    return count


async def test_a_string_is_imported_and_used(play: Play) -> None:
    """Export from a login with Telethon, import by the button on accounts, list the channels: end to end."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send("/sessions")
    await play.admin.wait_for("None yet")
    await play.admin.press("I have a session file/string")
    await play.admin.wait_for("Bring an account along")
    sent = await play.admin.send(telethon_string(credential))
    screen = await play.admin.wait_for("Telethon string")
    assert "data centre 2" in screen["text"]
    assert "must not be in use at another place" in screen["text"]
    assert stored(play) == 0

    await play.admin.press("Use this session")
    await give_api(play)
    await play.admin.wait_for("Signed in as")
    assert stored(play) == 1
    await play.admin.press("Channels")
    screen = await play.admin.wait_for("Channels of")
    assert play.private.title in screen["text"]
    messages = await play.admin.messages()
    assert next(m for m in messages if m["id"] == sent["id"])["deleted"]


async def test_nothing_is_asked_of_telegram_before_the_admin_agrees(play: Play) -> None:
    """Recognising a session makes no call; leaving it makes none either, and stores nothing."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.driver.reset_calls()
    await play.admin.send(pyrogram_string(credential))
    screen = await play.admin.wait_for("Pyrogram string")
    assert f"account {credential.user_id}" in screen["text"]
    assert await play.driver.call_count("users.getUsers") == 0
    await play.admin.send("/cancel")
    await play.admin.wait_for("Nothing was changed")
    assert stored(play) == 0


async def test_a_file_with_known_api_needs_one_tap(tmp_path: Path) -> None:
    """API_ID and API_HASH in the settings: a file is sent, and one tap later the account is here."""
    async with open_play(tmp_path) as play:
        account = play.account
        await play.close()
        play.settings = play.settings.model_copy(
            update={"api_id": account["api_id"], "api_hash": type(play.settings.bot_token)(account["api_hash"])}
        )
        await play.open()
        credential = await sign_in_elsewhere(play, account)
        sent = await play.admin.upload("anna.session", telethon_file(credential, tmp_path))
        screen = await play.admin.wait_for("Telethon file, version 8")
        assert "account not named in it" in screen["text"]
        await play.admin.press("Use this session")
        await play.admin.wait_for("Signed in as")
        assert next(m for m in await play.admin.messages() if m["id"] == sent["id"])["deleted"]
        assert not list(play.settings.data_dir.rglob("*.session*"))
        assert await play.driver.call_count("getFile") == 1


async def test_a_restart_between_sending_and_agreeing(play: Play) -> None:
    """The session waits in the sealed conversation: no byte of the key lies in clear, and the button still works."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(pyrogram_string(credential))
    await play.admin.wait_for("Pyrogram string")
    await play.close()
    on_disk = b"".join(path.read_bytes() for path in play.settings.data_dir.iterdir() if path.is_file())
    assert credential.auth_key not in on_disk
    assert telethon_string(credential).encode()[50:90] not in on_disk
    await play.open()
    await play.admin.press("Use this session")
    await play.admin.wait_for("API hash")
    await play.admin.send("no hash")
    await play.admin.wait_for("That is no API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Signed in as")


async def test_the_same_key_in_another_format_is_refused(play: Play, tmp_path: Path) -> None:
    """By its keyed fingerprint, without asking Telegram, and with the name of the session that has it."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(pyrogram_string(credential))
    await play.admin.wait_for("Pyrogram string")
    await play.admin.press("Use this session")
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Signed in as")
    name = play.account["name"].split()[0]
    await play.driver.reset_calls()
    for _ in range(2):
        await play.admin.upload("other.session", telethon_file(credential, tmp_path))
        screen = await play.admin.wait_for("here already")
        assert f"«{name}»" in screen["text"]
    assert await play.driver.call_count("users.getUsers") == 0
    assert stored(play) == 1


async def test_another_key_of_the_same_account_is_refused(play: Play) -> None:
    """A Telethon string does not name its account: Telegram does, and the session that is here stays."""
    await play.sign_in()
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(telethon_string(credential))
    await play.admin.wait_for("Telethon string")
    await play.admin.press("Use this session")
    await give_api(play)
    await play.admin.wait_for("here already")
    assert stored(play) == 1
    await play.admin.send(pyrogram_string(credential))
    await play.admin.wait_for("here already")


async def test_a_dead_session_leaves_nothing(play: Play) -> None:
    """A key that Telegram does not know: said plainly, nothing stored, another may be sent at once."""
    server = play.settings.mtproto()
    assert server is not None
    for key in (os.urandom(256), (await revoked(play)).auth_key):
        await play.admin.send(session_formats.write_telethon_string(server.dc_id, (server.host, server.port), key))
        await play.admin.wait_for("Telethon string")
        await play.admin.press("Use this session")
        await give_api(play)
        await play.admin.wait_for("does not know this session any more")
        assert stored(play) == 0


async def revoked(play: Play) -> Credential:
    credential = await sign_in_elsewhere(play, play.account)
    await play.driver.revoke(play.account["id"])
    return credential


async def test_telegram_does_not_answer(play: Play) -> None:
    """The session waits behind its button, the API hash too: the next tap tries again."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(pyrogram_string(credential))
    await play.admin.wait_for("Pyrogram string")
    await play.admin.press("Use this session")
    await play.admin.wait_for("API hash")
    await play.driver.fault("users.getUsers", error="FLOOD_WAIT_3000")
    await play.admin.send(play.account["api_hash"])
    screen = await play.admin.wait_for("Telegram asks for patience")
    assert "Pyrogram string" in screen["text"]
    await play.admin.press("Use this session")
    await play.admin.wait_for("Signed in as")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.session", b"SQLite format 3\x00" + bytes(200), "damaged or cut off|no session of"),
        ("notes.session", b"hello " * 3000, "no session of Telethon or Pyrogram"),
        ("a.session-wal", b"\x37\x7f\x06\x82" + bytes(100), "second file"),
    ],
)
async def test_files_that_are_none(play: Play, name: str, content: bytes, words: str) -> None:
    """Refused in words, the message deleted, nothing stored; the next one may come at once."""
    sent = await play.admin.upload(name, content)
    await play.admin.wait_for(words)
    assert next(m for m in await play.admin.messages() if m["id"] == sent["id"])["deleted"]
    assert stored(play) == 0
    await play.admin.send("A" * 40)
    await play.admin.wait_for("no session of Telethon or Pyrogram")


async def test_a_file_that_is_too_large(play: Play) -> None:
    """More than 20 MB: never fetched, and deleted all the same."""
    sent = await play.admin.upload("big.session", bytes(MAX_DOWNLOAD_BYTES + 1))
    await play.admin.wait_for("at most 20 MB")
    assert next(m for m in await play.admin.messages() if m["id"] == sent["id"])["deleted"]
    assert await play.driver.call_count("getFile") == 0


def test_a_copy_on_a_disk_that_is_ours(tmp_path: Path) -> None:
    """What a self-hosted Bot API server laid down is read and taken away."""
    copy = tmp_path / "file_0.session"
    copy.write_bytes(b"theirs")
    assert take_file(copy) == b"theirs"
    assert not copy.exists()


def test_every_format_and_every_trouble_has_words() -> None:
    """No admin reads the name of a constant."""
    assert set(FORMATS) == set(SessionFormat)
    assert set(TROUBLES) == set(SessionTrouble)


async def test_a_bots_session(play: Play) -> None:
    """It is called one; that of the bot that Porter is is refused before anything is asked."""
    server: MtprotoServer | None = play.settings.mtproto()
    assert server is not None
    api = ApiCredentials(play.account["api_id"], play.account["api_hash"])
    credential = Credential(server.dc_id, server.host, server.port, os.urandom(256), api, 4711)
    await play.admin.send(pyrogram_string(credential, is_bot=True))
    await play.admin.wait_for("bot 4711")
    own = replace(credential, user_id=play.sandbox.bot.id)
    await play.admin.send(pyrogram_string(own, is_bot=True))
    await play.admin.wait_for("the bot you are talking to")


async def test_a_session_in_the_middle_of_something_else(play: Play) -> None:
    """It is taken wherever it is sent, deleted too; a command parks it, and home goes on with it."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send("/login")
    await play.admin.wait_for("API id")
    sent = await play.admin.send(pyrogram_string(credential))
    await play.admin.wait_for("Pyrogram string")
    assert next(m for m in await play.admin.messages() if m["id"] == sent["id"])["deleted"]
    await play.admin.send("/start")
    await play.admin.wait_for("What you were filling in waits")
    await play.admin.press("Continue")
    await play.admin.wait_for("Pyrogram string")
    await play.admin.press("Use this session")
    await play.admin.wait_for("API hash")


async def test_an_old_button(play: Play) -> None:
    """The button of a session that was left says that the question is too old."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(pyrogram_string(credential))
    screen = await play.admin.wait_for("Pyrogram string")
    data = screen["buttons"][0][0]["data"]
    await play.admin.press("Send another session")
    await play.admin.wait_for("Bring an account along")
    answer = await play.admin.press_forged(screen["id"], data)
    assert "too old" in answer["answer"]


async def test_an_api_hash_that_comes_while_the_import_is_set_aside(play: Play) -> None:
    """It is a secret wherever it is typed: gone from the chat, and the import still asks for it."""
    credential = await sign_in_elsewhere(play, play.account)
    await play.admin.send(telethon_string(credential))
    await play.admin.wait_for("Telethon string")
    await play.admin.press("Use this session")
    await play.admin.wait_for("API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send("/help")
    await play.admin.wait_for("What Porter does")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("does not know what to do")
    messages = await play.admin.messages()
    assert not any(play.account["api_hash"] in (message["text"] or "") for message in messages)
    await play.admin.press("Continue")
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Signed in as")
