"""The doctor: real faults planted in files, databases and a sandbox, each found by its name, with a cure."""

import asyncio
import base64
import json
import logging
import os
import resource
import secrets
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from bot.__main__ import examine as examine_command
from bot.__main__ import parse
from bot.doctor import accounts, configuration, examine, machine, report
from bot.doctor.bot_api import open_bot_api
from bot.doctor.case import Case, Check, carry_out
from bot.doctor.files import NETWORK, file_system
from bot.doctor.findings import Finding, Severity
from bot.lock import hold_lock
from bot.settings import Settings, SettingsInvalid, load_settings
from sandbox.app import Sandbox, open_sandbox
from sandbox.driver import Actor, Driver
from sandbox.stage import INHERITED
from sandbox.world import Channel
from storage.channels import ChannelRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.leases import LeaseRepository
from storage.migrate import HEAD, SCRIPTS
from storage.models import RootSeal, SessionState
from storage.restored import RestoredRepository
from storage.roots import RootRepository
from storage.sessions import SessionRepository
from storage.types import utc_now
from storage.vault import open_vault
from tests.play import open_play, running, settings_for
from tests.services.conftest import as_root, small_disk
from tests.storage.make import Maker, channel, request

__all__ = ["small_disk"]

ERROR, WARNING, NOTE, OK, UNKNOWN = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.OK, Severity.UNKNOWN
HOOK = "https://elsewhere.example/updates"
SOMEBODY = 12345
"""A user id without a name and without rights."""


@pytest.fixture(scope="module")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a Porter that has one account left behind."""
    home = tmp_path_factory.mktemp("template")
    async with open_play(home) as play:
        await play.sign_in()
        await play.close()
    return home / "data"


@dataclass
class Ward:
    """A Porter that is off, its sandbox, and the settings that lead to both."""

    home: Path
    sandbox: Sandbox
    driver: Driver
    changes: dict[str, Any]

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def path(self) -> Path:
        return self.data / "porter.db"

    @property
    def settings(self) -> Settings:
        return settings_for(self.sandbox, self.home, **self.changes)

    @property
    def gate(self) -> Channel:
        return next(entry for entry in self.sandbox.world.channels.values() if entry.approval)

    async def ask(self, *, fix: bool = False) -> list[Finding]:
        return await examine(self.settings, fix=fix)

    async def find(self, check: str, *, fix: bool = False) -> list[Finding]:
        return [finding for finding in await self.ask(fix=fix) if finding.check == check]

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[Database]:
        async with Database.open(self.path) as database:
            yield database

    async def hook(self, url: str = HOOK) -> None:
        async with open_bot_api(self.sandbox.bot_api, self.sandbox.bot_token) as api:
            assert await api.call("setWebhook", url=url)


@pytest.fixture
async def ward(tmp_path: Path, template: Path) -> AsyncIterator[Ward]:
    shutil.copytree(template, tmp_path / "data")
    (tmp_path / "downloads").mkdir()
    async with (
        open_sandbox(scenario="jetty", data_dir=tmp_path / "sandbox") as sandbox,
        Driver.open(sandbox.http, sandbox.token) as driver,
    ):
        yield Ward(tmp_path, sandbox, driver, {})


def worse_than_notes(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings if finding.severity not in (OK, NOTE) and not finding.fixed]


async def test_a_healthy_porter_is_told_of_its_key_alone(ward: Ward) -> None:
    """Nothing is invented: of a Porter that works, one thing might be better."""
    findings = await ward.ask()
    assert [finding.check for finding in findings if finding.severity is not OK] == ["key-beside-database"]
    assert report.is_well(findings)


async def test_it_asks_telegram_little(ward: Ward) -> None:
    """Never for updates, and never as an account: one bot, a few questions."""
    await waiting(ward)
    ward.changes["notify_chat"] = ward.gate.peer
    await ward.ask()
    counts = ward.sandbox.faults.counts
    assert {account: set(methods) for account, methods in counts.items()} == {
        ward.sandbox.bot.id: {"getMe", "getWebhookInfo", "getChat", "getChatMember"}
    }


# Faults -----------------------------------------------------------------------------------------------------------

Plant = Callable[[Ward], Awaitable[None]]
FAULTS: list[Any] = []


def fault(check: str, severity: Severity, remedy: str) -> Callable[[Plant], Plant]:
    """`remedy`: words that the cure must hold."""

    def register(plant: Plant) -> Plant:
        FAULTS.append(pytest.param(plant, check, severity, remedy, id=plant.__name__))
        return plant

    return register


@fault("bot-token-refused", ERROR, "@BotFather")
async def a_void_token(ward: Ward) -> None:
    ward.changes["bot_token"] = f"{ward.sandbox.bot.id}:void"


@fault("bot-api-unreachable", ERROR, "BOT_API_URL")
async def no_bot_api(ward: Ward) -> None:
    ward.changes["bot_api_url"] = "http://127.0.0.1:1"


@fault("bot-api-unreachable", ERROR, "BOT_API_URL")
async def a_bot_api_that_is_none(ward: Ward) -> None:
    ward.changes["bot_api_url"] = f"{ward.sandbox.bot_api}/sandbox"


@fault("webhook-left", ERROR, "deleteWebhook")
async def a_webhook(ward: Ward) -> None:
    await ward.hook()


@fault("updates-wait", NOTE, "Start Porter")
async def an_update_that_waits(ward: Ward) -> None:
    await Actor(ward.driver, ward.sandbox.admin_id, ward.sandbox.bot.id).send("hello")


@fault("clock-skew", WARNING, "timedatectl")
async def a_clock_that_goes_slow(ward: Ward) -> None:
    await ward.driver.advance(20)


@fault("clock-skew", ERROR, "timedatectl")
async def a_clock_of_yesterday(ward: Ward) -> None:
    await ward.driver.advance(24 * 3600)


@fault("database-damaged", ERROR, "restore")
async def a_page_of_garbage(ward: Ward) -> None:
    with ward.path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(secrets.token_bytes(4096 * 4))


@fault("database-damaged", ERROR, "restore")
async def no_database_at_all(ward: Ward) -> None:
    ward.path.write_text("This is a letter. " * 1000)


@fault("database-newer", ERROR, "newer Porter")
async def a_schema_of_the_future(ward: Ward) -> None:
    ward.sql("UPDATE alembic_version SET version_num = '9999'")


@fault("database-foreign", ERROR, "DATA_DIR")
async def the_database_of_another_program(ward: Ward) -> None:
    ward.path.unlink()
    ward.sql("CREATE TABLE recipes (name TEXT)")


@fault("database-missing", NOTE, "Start Porter")
async def no_database(ward: Ward) -> None:
    ward.path.unlink()


@fault("database-orphans", ERROR, "restore")
async def rows_without_their_parent(ward: Ward) -> None:
    ward.sql("INSERT INTO flood_waits (session_id, method, until) VALUES (999, 'x', 0)")


@fault("migrations-pending", WARNING, "Start Porter")
async def an_older_schema(ward: Ward) -> None:
    older = f"{int(HEAD) - 1:04}"
    ward.path.unlink()
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    engine = create_engine(f"sqlite:///{ward.path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, older)
    engine.dispose()
    ward.path.chmod(0o600)


@fault("database-of-another-bot", ERROR, "BOT_TOKEN")
async def the_folder_of_another_bot(ward: Ward) -> None:
    ward.sql("UPDATE meta SET value = ? WHERE key = 'bot_id'", b"4711")


@fault("database-of-another-telegram", ERROR, "DATA_DIR")
async def the_folder_of_another_telegram(ward: Ward) -> None:
    ward.sql("UPDATE meta SET value = ? WHERE key = 'network'", b"telegram")


@fault("waits-for-owner", WARNING, "answer the question")
async def a_restored_porter(ward: Ward) -> None:
    async with ward.rows() as database:
        await RestoredRepository(database).mark(utc_now(), utc_now())


@fault("waits-for-owner", WARNING, "Stop the other Porter")
async def a_contested_porter(ward: Ward) -> None:
    async with ward.rows() as database:
        await RestoredRepository(database).contest(utc_now())


@fault("restore-unfinished", WARNING, "Start Porter")
async def a_restore_that_was_killed(ward: Ward) -> None:
    (ward.data / "restore.ready").mkdir()


@fault("scratch-left", NOTE, "clears it")
async def a_backup_that_was_killed(ward: Ward) -> None:
    (ward.data / "backup.part").mkdir()


def snapshot(ward: Ward, size_bytes: int) -> None:
    kept = ward.data / "porter.db.before-0003"
    kept.touch(mode=0o600)
    os.truncate(kept, size_bytes)  # full of holes: it takes no room
    long_ago = time.time() - 40 * 86_400
    os.utime(kept, (long_ago, long_ago))


@fault("snapshots-old", NOTE, "before-0003")
async def an_old_snapshot(ward: Ward) -> None:
    snapshot(ward, 4096)


@fault("snapshots-old", WARNING, "delete")
async def an_old_large_snapshot(ward: Ward) -> None:
    snapshot(ward, 300 * 1024 * 1024)


@fault("data-dir-missing", WARNING, "mount or name")
async def no_data_dir(ward: Ward) -> None:
    shutil.rmtree(ward.data)


@fault("data-dir-missing", ERROR, "Name a folder")
async def a_file_for_a_data_dir(ward: Ward) -> None:
    shutil.rmtree(ward.data)
    ward.data.write_text("a file")


@fault("data-dir-open", WARNING, "chmod 700")
async def a_data_dir_for_everybody(ward: Ward) -> None:
    ward.data.chmod(0o755)


@fault("database-open", WARNING, "chmod 600")
async def a_database_for_everybody(ward: Ward) -> None:
    ward.path.chmod(0o644)


@fault("key-file-open", WARNING, "chmod 600")
async def a_key_for_everybody(ward: Ward) -> None:
    (ward.data / "porter.key").chmod(0o640)


@fault("key-missing", ERROR, "Put the key back")
async def no_key(ward: Ward) -> None:
    (ward.data / "porter.key").unlink()


@fault("key-wrong", ERROR, "Put the key back")
async def another_key(ward: Ward) -> None:
    ward.changes["master_key"] = base64.b64encode(secrets.token_bytes(32)).decode()


@fault("key-invalid", ERROR, "32 bytes")
async def a_key_that_is_none(ward: Ward) -> None:
    (ward.data / "porter.key").write_text("open sesame")


@fault("key-invalid", ERROR, "one key")
async def two_ways_to_the_key(ward: Ward) -> None:
    ward.changes |= {"master_key": "x", "master_passphrase": "correct horse"}


@fault("key-beside-database", WARNING, "move the file")
async def a_key_that_was_moved_and_left(ward: Ward) -> None:
    (ward.home / "porter.key").write_bytes((ward.data / "porter.key").read_bytes())
    (ward.home / "porter.key").chmod(0o600)
    ward.changes["master_key_file"] = ward.home / "porter.key"


@fault("key-beside-database", WARNING, "Move the file out")
async def a_key_of_ones_own_in_the_wrong_place(ward: Ward) -> None:
    (ward.data / "porter.key").rename(ward.data / "own.key")
    ward.changes["master_key_file"] = ward.data / "own.key"


@fault("download-dir-missing", NOTE, "mount it")
async def no_download_dir(ward: Ward) -> None:
    (ward.home / "downloads").rmdir()


@fault("download-dir-not-writable", ERROR, "Name a folder")
async def a_file_for_a_download_dir(ward: Ward) -> None:
    (ward.home / "downloads").rmdir()
    (ward.home / "downloads").write_text("a file")


@fault("disk-full", ERROR, "RESERVE_MB")
async def a_reserve_that_no_disk_has(ward: Ward) -> None:
    ward.changes["reserve_mb"] = 10**10


async def root(ward: Ward, seal: RootSeal | None) -> Path:
    folder = ward.home / "nas"
    folder.mkdir()
    ward.changes["nas_roots"] = f"nas={folder}"
    if seal is not None:
        async with ward.rows() as database:
            await RootRepository(database).put("nas", seal)
    return folder


@fault("root-missing", ERROR, "Mount the disk")
async def a_root_that_is_gone(ward: Ward) -> None:
    (await root(ward, None)).rmdir()


@fault("root-not-agreed", NOTE, "Choose it")
async def a_root_that_nobody_chose(ward: Ward) -> None:
    await root(ward, None)


@fault("root-mark-missing", ERROR, "choose the root once more")
async def a_root_without_its_mark(ward: Ward) -> None:
    await root(ward, RootSeal("a" * 32, is_mount=False))


@fault("root-another-mark", ERROR, "choose the root once more")
async def a_root_of_another_disk(ward: Ward) -> None:
    folder = await root(ward, RootSeal("a" * 32, is_mount=False))
    (folder / ".porter-root").write_text("b" * 32 + "\n")


@fault("root-not-a-mount", ERROR, "Mount the disk")
async def a_root_that_is_not_mounted(ward: Ward) -> None:
    folder = await root(ward, RootSeal("a" * 32, is_mount=True))
    (folder / ".porter-root").write_text("a" * 32 + "\n")


@fault("root-unset", ERROR, "NAS_ROOTS")
async def a_root_that_is_named_no_more(ward: Ward) -> None:
    await saved(ward)
    ward.sql("UPDATE sources SET root = 'attic'")


async def waiting(ward: Ward, *, hears: bool = False) -> None:
    """Somebody waits where the bot is; `hears`: an account may let people in there."""
    async with ward.rows() as database:
        kept = channel(ward.gate.peer)
        await ChannelRepository(database).put(kept)
        await JoinRequestRepository(database).store([request(77, ward.gate.peer)])
        if hears:
            await ChannelRepository(database).put_listing(1, [(kept, True)])


@fault("bot-not-administrator", WARNING, "administrator")
async def a_gate_without_the_bot(ward: Ward) -> None:
    await waiting(ward)
    ward.sandbox.world.set_member(ward.gate, ward.sandbox.bot.id, None, ward.sandbox.admin_id)


@fault("bot-not-administrator", NOTE, "administrator")
async def a_gate_that_an_account_keeps(ward: Ward) -> None:
    await waiting(ward, hears=True)
    ward.sandbox.world.set_member(ward.gate, ward.sandbox.bot.id, None, ward.sandbox.admin_id)


@fault("bot-may-not-invite", WARNING, "Invite users")
async def a_bot_without_the_right(ward: Ward) -> None:
    await waiting(ward)
    ward.gate.members[ward.sandbox.bot.id].may_invite = False


@fault("notify-chat-unreachable", ERROR, "Add the bot")
async def a_group_that_nobody_knows(ward: Ward) -> None:
    ward.changes["notify_chat"] = -1009999999999


@fault("mtproto-unreachable", ERROR, "firewall")
async def no_mtproto_server(ward: Ward) -> None:
    ward.changes["mtproto_server"] = "2@127.0.0.1:1"


@fault("mtproto-key-file", ERROR, "MTPROTO_PUBLIC_KEY_FILE")
async def no_public_key(ward: Ward) -> None:
    ward.changes["mtproto_public_key_file"] = ward.home / "none.pem"


@fault("mtproto-key-file", ERROR, "MTPROTO_PUBLIC_KEY_FILE")
async def a_public_key_that_is_none(ward: Ward) -> None:
    (ward.home / "some.pem").write_text("a letter")
    ward.changes["mtproto_public_key_file"] = ward.home / "some.pem"


async def saved(ward: Ward) -> None:
    async with ward.rows() as database:
        make = Maker(database, await open_vault(database, ward.settings.keys), utc_now)
        (session,) = await make.sessions.all()
        await make.source(session)


async def set_state(ward: Ward, state: SessionState, reason: str) -> None:
    async with ward.rows() as database:
        sessions = SessionRepository(database, await open_vault(database, ward.settings.keys))
        await sessions.set_state(1, state, reason, utc_now())


@fault("session-dead", WARNING, "Sign it in again")
async def an_account_that_is_signed_out(ward: Ward) -> None:
    await set_state(ward, SessionState.SIGNED_OUT, "AUTH_KEY_UNREGISTERED")


@fault("session-handed-over", WARNING, "delete the account here")
async def an_account_that_was_handed_over_perhaps(ward: Ward) -> None:
    await set_state(ward, SessionState.SIGNED_OUT, "HANDED_OVER")


@fault("source-without-account", WARNING, "/sessions")
async def a_saved_channel_whose_account_is_banned(ward: Ward) -> None:
    await saved(ward)
    await set_state(ward, SessionState.BANNED, "USER_DEACTIVATED_BAN")


@fault("session-unreadable", ERROR, "Sign the account in again")
async def a_sealed_value_of_another_place(ward: Ward) -> None:
    ward.sql("UPDATE sessions SET credential_sealed = api_hash_sealed")


@fault("no-account", NOTE, "/sessions")
async def no_account(ward: Ward) -> None:
    ward.sql("DELETE FROM sessions")


@fault("porter-elsewhere", ERROR, "Stop one of the two")
async def a_porter_on_another_host(ward: Ward) -> None:
    async with ward.rows() as database:
        assert await LeaseRepository(database, "box, process 7", "another boot").take(1, utc_now()) is None


@fault("no-owner", WARNING, "ADMIN_IDS")
async def nobody_owns_it(ward: Ward) -> None:
    ward.changes["admin_ids"] = ""
    ward.sql("DELETE FROM admins")


@fault("owner-unreachable", WARNING, "press Start")
async def an_owner_who_stopped_the_bot(ward: Ward) -> None:
    ward.sql("UPDATE admins SET unreachable_at = 1")


@pytest.mark.parametrize(("plant", "check", "severity", "remedy"), FAULTS)
async def test_a_fault_is_found(ward: Ward, plant: Plant, check: str, severity: Severity, remedy: str) -> None:
    """By its name, as bad as it is, with words that say what to do; nothing is changed by looking."""
    await plant(ward)
    before = trace(ward.home)
    findings = await ward.ask()
    assert trace(ward.home) == before
    (found,) = [finding for finding in findings if finding.check == check]
    assert found.severity is severity
    assert remedy in found.cure
    assert not found.fixed
    assert report.is_well(findings) is not any(finding.severity is ERROR for finding in findings)
    assert all(finding.cure for finding in findings if finding.severity is not OK)
    assert not [finding for finding in findings if "could not be looked at" in finding.what]


def trace(home: Path) -> dict[str, tuple[int, int, int]]:
    """Of all that lies there but the sandbox's: mode, size, time of the last change."""
    looks = {path: path.lstat() for path in home.rglob("*") if "sandbox" not in path.parts}
    return {str(path): (look.st_mode, look.st_size, look.st_mtime_ns) for path, look in looks.items()}


async def test_a_taken_health_port(ward: Ward) -> None:
    """Another program's, that is: nobody of ours listens while Porter is off."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        ward.changes["health_port"] = taken.getsockname()[1]
        (found,) = await ward.find("health-port-taken")
        assert (found.severity, "HEALTH_PORT" in found.cure) == (ERROR, True)
    assert (await ward.find("health-port"))[0].severity is OK


async def test_few_open_files() -> None:
    """The limit of the process, really lowered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, hard))
    try:
        (found,) = machine.limits()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (found.check, found.severity, "ulimit" in found.cure) == ("open-files", WARNING, True)


def test_other_libraries_than_pinned(tmp_path: Path) -> None:
    """What is pinned for other systems alone may be missing; a version of two may be either."""
    pins = tmp_path / "requirements.lock"
    pins.write_text("aiogram==1.2.3 \\\n    --hash=sha256:00\nno-such-thing==1.0 ; sys_platform == 'win32'\n")
    (found,) = machine.libraries(pins)
    assert (found.check, found.severity) == ("library-version", WARNING)
    assert "aiogram" in found.what
    assert "no-such-thing" not in found.what
    assert "requirements.lock" in found.cure


MOUNTED = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 box:/volume rw,vers=4.2
41 22 0:41 / /mnt/with\\040space rw - fuse.sshfs me@box:/ rw
42 40 8:2 / /mnt/nas/local rw - xfs /dev/sdb1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/data", "ext4", False),
        ("/mnt/nas/porter", "nfs4", True),
        ("/mnt/nasty", "ext4", False),
        ("/mnt/nas/local/porter", "xfs", False),
        ("/mnt/with space/porter", "fuse.sshfs", True),
    ],
)
def test_network_file_systems(path: str, kind: str, is_network: bool) -> None:
    """The innermost mount counts, names with spaces too. No disk of a network can be mounted in a test."""
    assert file_system(Path(path), MOUNTED) == kind
    assert bool(NETWORK.match(kind)) is is_network


# Settings ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ENV_FILE", "")
    monkeypatch.chdir(tmp_path)
    return monkeypatch


async def test_each_wrong_setting_is_a_finding(no_settings: pytest.MonkeyPatch) -> None:
    """With its name and without its value; what needs no settings is looked at all the same."""
    for name, value in {"ADMIN_IDS": "made-up-id", "API_ID": "-5", "DOWNLOAD_DIR": "data/in"}.items():
        no_settings.setenv(name, value)
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings()
    findings = await examine(invalid.value)
    errors = [finding for finding in findings if finding.severity is ERROR]
    assert [(f.check, f.what.partition(" ")[0]) for f in errors] == [
        ("bot-token-missing", "BOT_TOKEN"),
        ("setting-invalid", "ADMIN_IDS"),
        ("setting-invalid", "API_ID"),
    ]
    assert "@BotFather" in errors[0].cure
    assert "made-up" not in report.as_text(findings, colour=False)
    assert {"versions", "limits"} <= {finding.check for finding in findings if finding.severity is OK}
    assert [finding.check for finding in findings if finding.severity is UNKNOWN] == ["all-else"]


async def test_saved_files_within_the_data(no_settings: pytest.MonkeyPatch) -> None:
    """What is wrong between two settings is told once each is right by itself."""
    no_settings.setenv("BOT_TOKEN", "1:x")
    no_settings.setenv("DOWNLOAD_DIR", "data/in")
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings()
    (found,) = configuration.problems(invalid.value)
    assert (found.check, "beside DATA_DIR" in found.cure) == ("setting-invalid", True)


async def test_the_file_of_settings(no_settings: pytest.MonkeyPatch, ward: Ward) -> None:
    """Names that are nearly ours, and eyes that are not."""
    file = ward.home / "porter.env"
    file.write_text("# ours\nDOWNLAOD_DIR=/made-up\nCOMPOSE_PROJECT_NAME=porter\n")
    file.chmod(0o644)
    no_settings.setenv("ENV_FILE", str(file))
    findings = {finding.check: finding for finding in await ward.ask()}
    assert findings["setting-misspelt"].severity is WARNING
    assert "DOWNLOAD_DIR" in findings["setting-misspelt"].cure
    assert findings["env-file-open"].severity is WARNING
    (fixed,) = await ward.find("env-file-open", fix=True)
    assert fixed.fixed
    assert file.stat().st_mode & 0o777 == 0o600
    no_settings.setenv("ENV_FILE", str(ward.home / "gone.env"))
    assert (await ward.find("env-file-missing"))[0].severity is WARNING


def test_a_file_of_settings_that_is_no_text(no_settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, which does not quote it."""
    (tmp_path / "porter.env").write_bytes(b"BOT_TOKEN=secret\xff\xfe")
    no_settings.setenv("ENV_FILE", "porter.env")
    with pytest.raises(SettingsInvalid, match=r"^ENV_FILE is no text in UTF-8$"):
        load_settings()


# Mending ----------------------------------------------------------------------------------------------------------


async def test_fix_mends_what_loses_nothing(ward: Ward) -> None:
    """Folders, modes, schema, webhook: said, done, and clean the second time. The rest is left alone."""
    await an_older_schema(ward)
    await a_data_dir_for_everybody(ward)
    await a_database_for_everybody(ward)
    await a_key_for_everybody(ward)
    await no_download_dir(ward)
    await a_webhook(ward)
    (ward.data / "before-restore-2020").mkdir()
    await an_update_that_waits(ward)
    findings = await ward.ask(fix=True)
    assert {finding.check for finding in findings if finding.fixed} == {
        "migrations-pending",
        "data-dir-open",
        "database-open",
        "key-file-open",
        "download-dir-missing",
        "webhook-left",
    }
    assert (ward.data / f"porter.db.before-{HEAD}").exists()
    assert (ward.data / "before-restore-2020").exists()
    async with open_bot_api(ward.sandbox.bot_api, ward.sandbox.bot_token) as api:
        info = await api.call("getWebhookInfo")
    assert (info["url"], info["pending_update_count"]) == ("", 1)
    assert worse_than_notes(await ward.ask(fix=True)) == ["key-beside-database"]
    async with running(ward.settings) as app:
        assert app.house.restores.waiting is None


async def test_fix_makes_the_folders_of_a_new_porter(ward: Ward) -> None:
    """Private, as Porter makes them."""
    await no_data_dir(ward)
    (found,) = await ward.find("data-dir-missing", fix=True)
    assert found.fixed
    assert ward.data.stat().st_mode & 0o777 == 0o700
    assert not [finding for finding in await ward.ask() if finding.severity is ERROR]


async def test_fix_leaves_the_schema_to_a_porter_that_runs(ward: Ward) -> None:
    """Whoever holds the lock works on the file."""
    ward.sql(f"UPDATE alembic_version SET version_num = '{int(HEAD) - 1:04}'")
    with hold_lock(ward.data):
        (found,) = await ward.find("migrations-pending", fix=True)
    assert not found.fixed
    assert "Stop that Porter" in found.cure


# Beside a Porter, without rights, in the shell --------------------------------------------------------------------


async def test_it_looks_while_porter_runs(tmp_path: Path) -> None:
    """Through the WAL, without a trace."""
    async with open_play(tmp_path) as play:
        await play.sign_in()
        names = sorted(path.name for path in play.settings.data_dir.iterdir())
        findings = await examine(play.settings)
        assert sorted(path.name for path in play.settings.data_dir.iterdir()) == names
        assert {finding.check for finding in findings if finding.severity is NOTE} == {
            "porter-runs",
            "download-dir-missing",
        }
        assert [finding.check for finding in findings if finding.severity is WARNING] == ["key-beside-database"]
        assert "1 of 1 accounts" in next(finding.what for finding in findings if finding.check == "sessions")


async def test_a_disk_that_is_read_only(ward: Ward, small_disk: Path) -> None:
    """A real mount, to which not even root may write."""
    shutil.copytree(ward.data, small_disk / "data")
    ward.changes |= {"data_dir": small_disk / "data", "nas_roots": f"nas={small_disk}"}
    as_root("mount", "-o", "remount,ro", small_disk)
    found = {finding.check: finding for finding in await ward.ask(fix=True)}
    assert found["data-dir-not-writable"].severity is ERROR
    assert found["root-not-writable"].severity is ERROR
    assert "mount it writable" in found["data-dir-not-writable"].cure
    assert found["database"].severity is OK


@contextmanager
def as_somebody() -> Iterator[None]:
    """The kernel takes us for another user meanwhile, without root's rights."""
    if os.geteuid() != 0:
        pytest.skip("only root may become somebody else")
    os.seteuid(SOMEBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_folder_that_it_may_only_read(ward: Ward) -> None:
    """Of a Porter that was killed, by another user: told that nothing can be written, read all the same, no trace."""
    async with running(ward.settings):
        copy = ward.home / "copy"
        shutil.copytree(ward.data, copy)
    (copy / "porter.lock").unlink()
    ward.changes["data_dir"] = copy
    await root(ward, None)
    open_to(ward.home)
    await ward.ask()  # what is imported late cannot be read by somebody else
    before = trace(copy)
    with as_somebody():
        findings = await ward.ask(fix=True)
    assert trace(copy) == before
    assert sorted(path.name for path in copy.iterdir()) == ["porter.db", "porter.db-shm", "porter.db-wal", "porter.key"]
    found = {finding.check: finding for finding in findings}
    assert found["data-dir-not-writable"].severity is ERROR
    assert found["download-dir-not-writable"].severity is ERROR
    assert found["root-not-writable"].severity is ERROR
    assert found["another-user"].severity is NOTE
    assert not found["data-dir-open"].fixed
    assert found["owners"].what == "1 owner."
    assert found["sealed"].severity is OK


def open_to(home: Path) -> None:
    """Everybody may read it and go into it; the sandbox, which is this process too, goes on writing."""
    for folder in (*home.parents[:-2], home):
        folder.chmod(folder.stat().st_mode | 0o055)
    for path in home.rglob("*"):
        more = 0o022 if "sandbox" in path.parts else 0
        path.chmod((0o755 if path.is_dir() else 0o644) | more)


async def test_a_wal_alone_is_read_on_a_copy(ward: Ward) -> None:
    """A copied database without its -shm: what stands in its WAL counts."""
    copy = ward.home / "copy"
    async with ward.rows() as database:
        await RestoredRepository(database).contest(utc_now())
        copy.mkdir(mode=0o700)
        for name in ("porter.db", "porter.db-wal", "porter.key"):
            shutil.copy2(ward.data / name, copy / name)
    ward.changes["data_dir"] = copy
    before = trace(copy)
    assert len(await ward.find("waits-for-owner")) == 1
    assert trace(copy) == before


async def test_a_folder_that_may_not_be_looked_at(ward: Ward) -> None:
    """Not known is no error and no traceback: it says what the system said."""
    await ward.ask()
    open_to(ward.home)
    os.chown(ward.data, SOMEBODY, SOMEBODY)
    ward.path.chmod(0o600)
    with as_somebody():
        findings = await ward.ask()
    (foreign,) = [finding for finding in findings if finding.check == "data-file-not-writable"]
    assert "porter.db" in foreign.what
    (found,) = [finding for finding in findings if finding.check == "database-file"]
    assert found.severity is UNKNOWN
    assert "OperationalError" in found.what
    (rest,) = [finding for finding in findings if finding.check == "rest"]
    assert "because the database cannot be read" in rest.what


async def doctor(ward: Ward, *words: str) -> tuple[int, str, str]:
    given = {
        "BOT_TOKEN": ward.sandbox.bot_token,
        "BOT_API_URL": ward.sandbox.bot_api,
        "MTPROTO_SERVER": ward.sandbox.mtproto,
        "MTPROTO_PUBLIC_KEY_FILE": str(ward.sandbox.public_key_file),
        "ADMIN_IDS": str(ward.sandbox.admin_id),
        "DATA_DIR": str(ward.data),
        "DOWNLOAD_DIR": str(ward.home / "downloads"),
        "ENV_FILE": "",
    }
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "doctor", *words,
        env={**inherited, **given}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_command(ward: Ward) -> None:
    """One JSON object and nothing else; 0 when all is well, 1 for an error. Text for people without it."""
    code, out, err = await doctor(ward, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told.keys() == {"ok", "version", "findings"}
    assert told["ok"] is True
    assert {tuple(row) for row in told["findings"]} == {("check", "severity", "what", "cure", "fixed")}
    assert len(told["findings"]) >= 20

    await ward.hook()
    code, out, err = await doctor(ward)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith("✗ error     webhook-left: ")
    assert lines[1].startswith(" " * 12 + "If no other program needs this bot")
    assert lines[-1].startswith("Porter has a problem: 1 error, 1 warning, ")
    assert "\033" not in out


def test_the_command_without_settings(no_settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """When it is needed most, it works: the exit code of an error, JSON and nothing else."""
    try:
        assert examine_command(parse(["doctor", "--json"])) == 1
    finally:
        logging.disable(logging.NOTSET)
    out, err = capsys.readouterr()
    assert err == ""
    assert out.isascii()
    assert json.loads(out)["findings"][0]["check"] == "bot-token-missing"


def test_the_report_is_coloured_and_short() -> None:
    """Worst first; what was not looked at for one reason shares a line; what was mended comes last."""
    because = "Not looked at, because there is no database yet."
    text = report.as_text(
        [
            Finding("a", OK, "Fine."),
            Finding("b", UNKNOWN, because, "Mend that."),
            Finding("c", UNKNOWN, because, "Mend that."),
            Finding("d", ERROR, "Broken.", "Glue it."),
            Finding("e", ERROR, "Was broken.", "Glue it.", fixed=True),
        ],
        colour=True,
    )
    assert text.splitlines() == [
        "\033[31m✗ error    \033[0m d: Broken.",
        "            Glue it.",
        f"\033[35m? not known\033[0m b, c: {because}",
        "            Mend that.",
        "\033[32m✓ ok       \033[0m a: Fine.",
        "\033[32m✓ mended   \033[0m e: Was broken.",
        "            Glue it.",
        "Porter has a problem: 1 error, 2 not known, 1 ok, 1 mended.",
    ]


async def test_nothing_secret_is_said(ward: Ward) -> None:
    """Neither token nor hash nor key nor phone, however much is wrong."""
    account = ward.sandbox.world.account(ward.sandbox.admin_id)
    key = (ward.data / "porter.key").read_text().strip()
    ward.changes |= {"api_id": 5, "api_hash": "0123456789abcdef0123456789abcdef", "master_passphrase": None}
    await a_sealed_value_of_another_place(ward)
    await an_account_that_is_signed_out(ward)
    await a_webhook(ward)
    told = report.as_json(await ward.ask())
    ward.changes["bot_api_url"] = "http://127.0.0.1:1"
    told += report.as_json(await ward.ask())
    ward.changes["master_key"] = f"{key[:-4]}AAA="
    told += report.as_json(await ward.ask())
    assert account.phone is not None
    secret = ward.sandbox.bot_token.partition(":")[2]
    for hidden in (secret, account.phone, account.api_hash, key, key[:-4], ward.changes["api_hash"], HOOK):
        assert hidden not in told


async def test_a_disk_that_hangs_does_not_hold_it_up(ward: Ward) -> None:
    """A check that does not end is not known, and the next one is asked."""
    stuck = ward.home / "stuck"
    os.mkfifo(stuck)  # opened for reading, a pipe without a writer waits for ever
    ward.changes["mtproto_public_key_file"] = stuck
    async with open_bot_api(None, "1:x") as api:
        (found,) = await carry_out(Check("public-key", accounts.public_key, 0.2), Case(ward.settings, api))
    assert found.severity is UNKNOWN
    assert "no end" in found.what
    with stuck.open("wb"):  # let the thread go
        pass


def test_only_what_can_be_reached_is_asked_by_name() -> None:
    """The address that is tried where MTPROTO_SERVER is not set is one that the client libraries carry."""
    assert accounts.PRODUCTION[accounts.TELEGRAM_DC] == ("149.154.167.51", 443)
