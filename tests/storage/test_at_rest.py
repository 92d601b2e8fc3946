"""What lies on disk: no secret in any file, and indexes where lists grow long."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event

from storage.conversations import ConversationRepository
from storage.database import Database
from storage.files import FileRepository
from storage.join_requests import JoinRequestRepository
from storage.logins import LoginRepository
from storage.models import LoginStep, SessionKind
from storage.runs import RunRepository
from storage.source_applications import SourceApplicationRepository
from storage.summary import SummaryRepository
from storage.vault import Vault
from tests.storage.conftest import Clock
from tests.storage.make import Maker

SECRETS = {
    "api_hash": "fa1afe1fa1afe1fa1afe1fa1afe1fa1a",
    "phone": "+99966123499",
    "credential": "AUTHKEY-" * 32,
    "proxy": "made-up-proxy-password",
    "token": "7200000001:AA-made-up-token-of-a-bot-that-reads",
    "application": "0ddba110ddba110ddba110ddba110ddb",
    "payload": "half a login with its code hash",
    "password": "two-factor-password",
    "old password": "the password before",
}
ACCESS_HASH = 0x1122334455667788


def traces(directory: Path) -> list[str]:
    """Which secrets stand in which file, in any form that they might have been stored in."""
    found = []
    needles = {name: [secret.encode(), secret.encode().hex().encode()] for name, secret in SECRETS.items()}
    needles["access hash"] = [
        ACCESS_HASH.to_bytes(8, "big"),
        ACCESS_HASH.to_bytes(8, "little"),
        str(ACCESS_HASH).encode(),
    ]
    for file in directory.iterdir():
        content = file.read_bytes()
        found += [f"{name} in {file.name}" for name, forms in needles.items() if any(form in content for form in forms)]
    return found


async def test_no_secret_lies_on_disk(make: Maker, database: Database, vault: Vault, clock: Clock) -> None:
    """Sessions, logins, conversations and access hashes leave no plaintext, neither in the WAL nor after the end."""
    directory = database.path.parent
    session = await make.session(
        api_hash=SECRETS["api_hash"], phone=SECRETS["phone"], credential=SECRETS["credential"].encode()
    )
    await make.session(kind=SessionKind.BOT, token=SECRETS["token"])
    source = await make.source(session)
    await SourceApplicationRepository(database, vault).set(source.id, 4711, SECRETS["application"])
    await make.sessions.set_proxy(session.id, SECRETS["proxy"].encode())
    await make.sessions.put_peers(session.id, {1: ACCESS_HASH})
    await LoginRepository(database, vault).put(7, LoginStep.CODE, SECRETS["payload"].encode(), clock.now)
    talks = ConversationRepository(database, vault)
    await talks.set_data("key", {"password": SECRETS["old password"]})
    await talks.set_data("key", {"password": SECRETS["password"]})

    assert {file.name for file in directory.iterdir()} >= {"porter.db", "porter.db-wal", "master.key"}
    assert traces(directory) == []
    await talks.set_data("key", {})
    async with Database.open(database.path):
        assert traces(directory) == []


async def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    """The scan above is no empty promise."""
    (tmp_path / "leak").write_text(SECRETS["phone"])
    assert traces(tmp_path) == ["phone in leak"]


async def plans_of(database: Database, ask: Callable[[], Awaitable[object]]) -> str:
    """How SQLite answers the statements that a repository's method really sends."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await ask()
    event.remove(engine, "before_cursor_execute", note)
    async with database.read() as connection:
        plans = [await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in sent]
    return "\n".join(row.detail for plan in plans for row in plan)


async def test_long_lists_have_their_index(database: Database, clock: Clock) -> None:
    """What grows to a million rows is never read whole: requests, files and runs are found through an index."""
    requests, files, runs = JoinRequestRepository(database), FileRepository(database), RunRepository(database)
    questions: list[tuple[Callable[[], Awaitable[object]], str]] = [
        (lambda: requests.count(1), "(channel_id=?"),
        (requests.overview, "join_requests USING INDEX uq_join_requests_pending"),
        (lambda: files.pending(1, 5), "ix_files_source_id_state (source_id=? AND state=?"),
        (lambda: files.path_taken(1, "x"), "ix_files_source_id_path (source_id=? AND path=?)"),
        (lambda: SummaryRepository(database).home(clock.now), "ix_files_state_updated_at (state=? AND updated_at>?)"),
        (runs.active, "uq_runs_active"),
    ]
    for ask, index in questions:
        plan = await plans_of(database, ask)
        assert index in plan, plan
