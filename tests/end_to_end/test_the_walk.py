"""The whole way on `harbour`, driven through the control API alone, checked against the sandbox's truth."""

import base64
import hashlib
import re
import sqlite3
from pathlib import Path

import pytest

from sandbox import walks
from tests.end_to_end.conftest import Stage


def files_below(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@pytest.mark.timeout(300)
async def test_log_in_carry_a_channel_open_the_gate(harbour: Stage) -> None:
    """Log in, save 120 documents, load 2,500 people, decide: disk and sandbox agree, and no secret leaks anywhere."""
    stage, admin, driver = harbour, harbour.admin, harbour.driver
    private = await stage.channel(private=True)
    gate = await stage.channel(gate=True)
    await stage.log_in()

    # carry
    await walks.add_source(admin, private["title"])
    await walks.scrape(admin, timeout=120)
    wanted = [d for d in await driver.documents() if d["channel"] == private["id"]]
    assert len(wanted) == 120
    got = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files_below(stage.porter.download_dir))
    assert got == sorted(document["sha256"] for document in wanted)

    await driver.reset_calls()
    await admin.send("/scrape")
    await admin.wait_for(r"✅ .*done", 60)
    assert await driver.call_count("upload.getFile") == 0

    # keep the gate
    await driver.reset_calls()
    await walks.load_requests(admin, str(gate["id"]), timeout=120)
    assert await driver.call_count("messages.getChatInviteImporters") <= 15
    truth = await driver.requests(gate["id"])
    assert len(truth["pending"]) == 2500

    await walks.first_person(admin, gate["title"])
    await admin.press("Approve")
    await admin.press("Deny")
    truth = await driver.requests(gate["id"])
    assert (len(truth["approved"]), len(truth["denied"]), len(truth["pending"])) == (1, 1, 2498)

    await walks.decide_all(admin, gate["title"], timeout=120)
    truth = await driver.requests(gate["id"])
    assert (len(truth["approved"]), len(truth["denied"]), len(truth["pending"])) == (2499, 1, 0)

    await nothing_leaked(stage)


async def nothing_leaked(stage: Stage) -> None:
    """No secret in any file below DATA_DIR (the key file aside), in the log at DEBUG, or in what the bot wrote."""
    account = stage.account
    codes = [
        found[1]
        for message in await stage.driver.messages(777000, account["id"])
        if (found := re.search(r"Login code: (\d+)", message["text"] or ""))
    ]
    secrets = {
        "api hash": [account["api_hash"]],
        "phone": [account["phone"].lstrip("+")],
        "password": [account["password"]],
        "bot token": [stage.line["bot_token"], stage.line["bot_token"].partition(":")[2]],
        "code": codes,
        "auth key": [form for key in await stage.driver.auth_keys() for form in forms(key)],
    }
    await stage.porter.stop()
    written = {
        path.relative_to(stage.porter.home).as_posix(): path.read_bytes()
        for path in [*files_below(stage.porter.data_dir), stage.porter.log_path]
        if path.name != "porter.key"
    }
    chat = await stage.driver.messages(stage.admin.peer, account["id"])
    said = "\n".join(message["text"] or "" for message in chat if message["from"] == stage.line["bot_id"])
    written["the bot's messages"] = said.encode()
    for what, values in secrets.items():
        assert values, what
        for value in values:
            needle = value if isinstance(value, bytes) else value.encode()
            # A code of five digits occurs by chance in ids and ciphertext: it must not stand as a word of a text.
            for name, content in written.items():
                if what == "code" and name.endswith((".db", ".db-wal", ".db-shm")):
                    continue
                leaked = re.search(rb"(?<!\d)" + needle + rb"(?!\d)", content) if what == "code" else needle in content
                assert not leaked, f"{what} in {name}"


def forms(key: bytes) -> list[bytes]:
    """A key as it could lie somewhere: raw, hex, base64 in both alphabets (inner part: padding depends on the rest)."""
    inner = key[3:-3]
    texts = [
        key.hex(),
        base64.b64encode(inner).decode().rstrip("="),
        base64.urlsafe_b64encode(inner).decode().rstrip("="),
    ]
    return [key, *(text.encode() for text in texts)]


def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    """The check above can fail: a key written to SQLite in the clear is seen in the file."""
    key = hashlib.sha512(b"made up").digest() * 4
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("create table t(v blob)")
        connection.execute("insert into t values (?)", (key,))
    connection.close()
    assert forms(key)[0] in (tmp_path / "x.db").read_bytes()
