"""rekey, backup, restore at the terminal: real processes, killed at bad moments, beside a Porter at work."""

import asyncio
import base64
import os
import pty
import random
import secrets
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.stage import INHERITED, PorterProcess
from storage.database import Database
from storage.keys import KeyConfig
from storage.sessions import SessionRepository
from storage.types import utc_now
from storage.vault import open_vault
from tests.end_to_end.conftest import Stage, open_stage
from tests.end_to_end.test_kill import state_of
from tests.storage.make import Maker

WORDS = "correct horse battery staple"
PEERS = 20_000


@dataclass
class Ended:
    code: int
    out: str
    err: str


async def begin(settings: dict[str, str], *words: str) -> asyncio.subprocess.Process:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        env={**inherited, **settings}, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe,
    )  # fmt: skip


async def operate(settings: dict[str, str], *words: str) -> Ended:
    process = await begin(settings, *words)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def settings_of(data_dir: Path, **env: str) -> dict[str, str]:
    """No sandbox needed: the commands speak with nobody."""
    given = {
        "BOT_TOKEN": "123456:made-up",
        "DATA_DIR": str(data_dir),
        "DOWNLOAD_DIR": str(data_dir.parent / "downloads"),
        "ENV_FILE": "",
        "BACKUP_PASSPHRASE": WORDS,
    }
    return {**given, **env}


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def with_key(key: str) -> KeyConfig:
    return KeyConfig(key, None, None, Path("none"))


def refused(ended: Ended, words: str) -> bool:
    """One line that says it, exit code 2, nothing else."""
    lines = ended.err.splitlines()
    return ended.code == 2 and len(lines) == 1 and words in lines[0] and not ended.out


@pytest.mark.slow
@pytest.mark.timeout(200)
async def test_rekey_killed_at_random_moments_is_run_again(tmp_path: Path) -> None:
    """kill -9 in the middle, again and again: every value opens afterwards, and the old key may go."""
    old, new = new_key(), new_key()
    data_dir = tmp_path / "data"
    hashes = {user_id: -user_id for user_id in range(1, PEERS + 1)}
    async with Database.open(data_dir / "porter.db") as database:
        make = Maker(database, await open_vault(database, with_key(old)), utc_now)
        session = await make.session()
        await make.sessions.put_peers(session.id, hashes)

    settings = settings_of(data_dir, MASTER_KEY=f"{new},{old}")
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    kills = 20 if os.environ.get("PORTER_PROVE") else 4
    for wait_seconds in (0.0, *(dice.uniform(0.0, 0.25) for _ in range(kills))):
        process = await begin(settings, "rekey")
        assert process.stderr is not None
        await process.stderr.readline()  # it has begun
        await asyncio.sleep(wait_seconds)
        if process.returncode is None:
            process.kill()
        await process.communicate()
        if wait_seconds == 0.0:
            alone = [await operate(settings_of(data_dir, MASTER_KEY=key), "rekey") for key in (new, old)]
            assert refused(alone[0], "did not seal")
            assert refused(alone[1], "a change of keys has begun")
    ended = await operate(settings, "rekey")
    assert ended.code == 0, ended.err
    assert "may be dropped" in ended.out
    assert f"rekey: {PEERS + 3} of {PEERS + 3} values" in ended.err
    assert "already" in (await operate(settings_of(data_dir, MASTER_KEY=new), "rekey")).out
    assert refused(await operate(settings_of(data_dir, MASTER_KEY=old), "rekey"), "did not seal")
    async with Database.open(data_dir / "porter.db") as database:
        rows = SessionRepository(database, await open_vault(database, with_key(new)))
        assert await rows.access_hashes(session.id, list(hashes)) == hashes
        assert await rows.credential(session.id) == b"credential 1"


@pytest.mark.timeout(120)
async def test_commands_refuse_in_one_line(tmp_path: Path) -> None:
    """Each refusal is one line and exit code 2; what was there is there, nothing secret is said."""
    data_dir, file = tmp_path / "data", tmp_path / "backup"
    settings = settings_of(data_dir)
    async with Database.open(data_dir / "porter.db") as database:
        await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
    short = await operate({**settings, "BACKUP_PASSPHRASE": "short"}, "backup", str(file))
    assert refused(short, "at least 8 characters")
    assert refused(await operate({**settings, "BACKUP_PASSPHRASE": ""}, "backup", str(file)), "BACKUP_PASSPHRASE")
    assert refused(await operate(settings, "backup", str(tmp_path / "nowhere" / "file")), "No such file")
    assert refused(await operate(settings_of(tmp_path / "empty"), "backup", str(file)), "no database")
    assert refused(await operate(settings_of(tmp_path / "empty"), "rekey"), "no database")
    assert (await operate(settings, "backup", str(file))).code == 0
    assert refused(await operate(settings, "backup", str(file)), "exists already")
    assert (await operate(settings, "backup", str(file), "--force")).code == 0

    before = (data_dir / "porter.db").read_bytes()
    assert refused(await operate(settings, "restore", str(file)), "holds a Porter already")
    wrong = {**settings, "BACKUP_PASSPHRASE": "another passphrase"}
    ended = await operate(wrong, "restore", str(file), "--force")
    assert refused(ended, "passphrase")
    assert "another passphrase" not in ended.err
    assert refused(await operate(settings, "restore", str(tmp_path / "none"), "--force"), "No such file")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert refused(await operate(settings, "restore", str(file), "--force"), "end is missing")
    key = {**settings, "MASTER_KEY": new_key()}
    file.write_bytes(content)
    assert refused(await operate(key, "restore", str(file), "--force"), "another key than the backup's")
    assert (data_dir / "porter.db").read_bytes() == before
    (data_dir / "porter.key").unlink()
    assert refused(await operate(settings, "backup", str(tmp_path / "other")), "no key is given")
    assert refused(await operate(settings, "rekey"), "no key is given")
    (data_dir / "porter.db").write_bytes(b"no database at all" * 1000)
    assert refused(await operate(settings, "rekey"), "SQLite cannot read porter.db")
    assert refused(await operate(settings, "backup", str(tmp_path / "other")), "SQLite cannot copy")


def at_terminal(settings: dict[str, str], answers: list[str], *words: str) -> tuple[int, str]:
    """What a person sees who types `answers` at the prompts; and the exit code."""
    terminal, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", *words],
        env={**os.environ, **settings}, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(terminal, 1024):
                shown += data
                if shown.endswith(b": ") and answers:
                    os.write(terminal, answers.pop(0).encode() + b"\n")
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(terminal)
    return process.returncode, shown.decode()


@pytest.mark.timeout(60)
def test_the_passphrase_is_asked_without_echo(tmp_path: Path) -> None:
    """Twice for a new file, once to open it; two that differ make no file."""
    data_dir, file = tmp_path / "data", tmp_path / "backup"

    async def found() -> None:
        async with Database.open(data_dir / "porter.db") as database:
            await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))

    asyncio.run(found())
    settings = settings_of(data_dir, BACKUP_PASSPHRASE="")
    code, shown = at_terminal(settings, [WORDS, "a slip of the hand"], "backup", str(file))
    assert code == 2
    assert "the two passphrases differ" in shown
    assert not file.exists()
    code, shown = at_terminal(settings, [WORDS, WORDS], "backup", str(file))
    assert code == 0, shown
    assert WORDS not in shown
    code, shown = at_terminal(settings_of(tmp_path / "new", BACKUP_PASSPHRASE=""), [WORDS], "restore", str(file))
    assert code == 0, shown
    assert WORDS not in shown


@pytest.mark.timeout(120)
async def test_restore_killed_is_whole_or_not_begun(tmp_path: Path) -> None:
    """kill -9 at moments of a restore over another Porter: the database that is there then is one of the two."""
    data_dir, other, file = tmp_path / "data", tmp_path / "other", tmp_path / "backup"
    for folder, count in ((data_dir, 1), (other, 2)):
        async with Database.open(folder / "porter.db") as database:
            vault = await open_vault(database, KeyConfig(None, None, None, folder / "porter.key"))
            make = Maker(database, vault, utc_now)
            for _ in range(count):
                await make.session()
    assert (await operate(settings_of(data_dir), "backup", str(file))).code == 0
    for wait_seconds in (0.6, 0.8, 0.9, 1.0, 1.1):
        process = await begin(settings_of(other), "restore", str(file), "--force")
        await asyncio.sleep(wait_seconds)
        if process.returncode is None:
            process.kill()
        await process.communicate()
        assert (await operate(settings_of(other), "rekey")).code == 0, "key and database fit"
        async with Database.open(other / "porter.db") as database:
            vault = await open_vault(database, KeyConfig(None, None, None, other / "porter.key"))
            rows = SessionRepository(database, vault)
            sessions = await rows.all()
            assert len(sessions) in (1, 2)
            assert await rows.credential(sessions[0].id) == b"credential 1"
    assert (await operate(settings_of(other), "restore", str(file), "--force")).code == 0


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: two Porters and a scrape between them")
async def test_a_backup_taken_during_a_scrape_goes_on_elsewhere(tmp_path: Path) -> None:
    """The scrape does not notice; restored on another host it rests, is released in the chat, and ends whole."""
    file = tmp_path / "backup"
    async with open_stage(tmp_path, "harbour") as stage:
        private = await stage.channel(private=True)
        await stage.log_in()
        await walks.add_source(stage.admin, private["title"])
        await stage.driver.network(rtt_ms=20, mbit=60)
        await stage.admin.press("▶ Save now")
        await stage.admin.wait_for(r"MB of", 60)
        assert refused(await operate(stage.porter.settings, "rekey"), "in use by another Porter")
        ended = await operate({**stage.porter.settings, "BACKUP_PASSPHRASE": WORDS}, "backup", str(file))
        assert ended.code == 0, ended.err
        assert running(stage), "the scrape still runs"
        keys = await stage.driver.auth_keys()
        assert not any(key[:32] in file.read_bytes() for key in keys)
        await stage.driver.network(rtt_ms=0, mbit=0)
        await stage.admin.wait_for(r"✅ .*done", 120)
        await stage.porter.stop()
        calm = state_of(stage.porter.data_dir, stage.porter.download_dir)
        assert len(calm["disk"]) == 120

        new = PorterProcess(stage.line, tmp_path / "new", BACKUP_PASSPHRASE=WORDS)
        assert (await operate(new.settings, "restore", str(file))).code == 0
        await stage.driver.reset_calls()
        await new.start()
        try:
            await stage.admin.wait_for("Is the old Porter off", 20)
            await asyncio.sleep(1)
            assert stage.line["admin_id"] not in await stage.driver.calls()
            await stage.admin.press("Yes, it is off")
            await finished(new)
            await new.stop()
        finally:
            if new.is_running:
                await new.stop()
        went_on = state_of(new.data_dir, new.download_dir)
        assert {m[:2] for m in went_on["messages"]} == {m[:2] for m in calm["messages"]}
        done = [entry for entry in went_on["files"] if entry[1] == "DONE"]
        assert len(done) == 120
        assert went_on["totals"] == calm["totals"]
        # Files that were saved before the backup lie on the old host's disk; the others are here, byte for byte.
        assert went_on["disk"].items() <= calm["disk"].items()
        assert 0 < len(went_on["disk"]) < 120


def running(stage: Stage) -> bool:
    with closing(sqlite3.connect(f"file:{stage.porter.data_dir / 'porter.db'}?mode=ro", uri=True)) as db:
        return bool(db.execute("select count(*) from runs where status = 'RUNNING'").fetchone()[0])


async def finished(porter: PorterProcess) -> None:
    for _ in range(600):
        with closing(sqlite3.connect(f"file:{porter.data_dir / 'porter.db'}?mode=ro", uri=True)) as db:
            states = [row[0] for row in db.execute("select status from runs")]
        if states == ["DONE"]:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(states)
