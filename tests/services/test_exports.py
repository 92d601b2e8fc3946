"""Handing a session over: byte for byte as the libraries write it, and never at two places."""

from pathlib import Path
from typing import Any

import pytest
from pyrogram.storage import SQLiteStorage
from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from services.clients.base import Credential
from services.errors import (
    ExportOff,
    ExportUnsent,
    NotFound,
    PassphraseInvalid,
    RestoreUnconfirmed,
    SessionDead,
    SessionInUse,
    Unreachable,
)
from services.exports import ExportForm, ExportService, string_of
from services.repairs import SessionRepairs
from services.runs import Priority, Runner
from services.sessions import SessionService
from storage import age_file
from storage.models import HANDED_OVER, RunKind, SessionState
from storage.runs import RunRepository
from storage.sources import SourceRepository
from tests.age import open_age
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Ear
from tests.services.test_sessions import add_source

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dear derivation has its own test."""
    seal = age_file.seal
    monkeypatch.setattr(age_file, "seal", lambda content, passphrase: seal(content, passphrase, log_n=10))


class Desk:
    def __init__(self, store: Store, pooled: Pooled, *, may_export: bool = True, resting: bool = False) -> None:
        self.runner = Runner(RunRepository(store.database), Ear())
        sources = SourceRepository(store.database)
        repairs = SessionRepairs(store.sessions, sources, pooled.pool, self.runner, Ear())
        runs = RunRepository(store.database)
        self.sessions = SessionService(
            store.sessions, sources, runs, store.flood_waits, pooled.pool, repairs, may_export=may_export
        )

        def refuse() -> None:
            if resting:
                raise RestoreUnconfirmed

        self.exports = ExportService(self.sessions, store.sessions, pooled.pool, repairs, refuse)


@pytest.fixture
def desk(store: Store, pooled: Pooled) -> Desk:
    return Desk(store, pooled)


async def as_telethon_saves(credential: Credential) -> str:
    session = StringSession()
    session.set_dc(credential.dc_id, credential.host, credential.port)
    session.auth_key = AuthKey(credential.auth_key)
    return str(session.save())


async def as_kurigram_exports(credential: Credential) -> str:
    storage = SQLiteStorage("theirs", Path(), in_memory=True)
    await storage.open()
    values: dict[str, Any] = {
        "dc_id": credential.dc_id,
        "api_id": credential.api.api_id,
        "test_mode": credential.test_mode,
        "auth_key": credential.auth_key,
        "user_id": credential.user_id,
        "is_bot": credential.is_bot,
    }
    for name, value in values.items():
        await getattr(storage, name)(value)
    text = await storage.export_session_string()
    await storage.close()
    return str(text)


WRITERS = {ExportForm.TELETHON: as_telethon_saves, ExportForm.PYROGRAM: as_kurigram_exports}


@pytest.mark.parametrize("form", ExportForm)
async def test_the_file_holds_what_the_library_writes(
    jetty: Jetty, pooled: Pooled, desk: Desk, form: ExportForm
) -> None:
    """Byte for byte, under the passphrase. The row goes, the login at Telegram stays alive, and works elsewhere."""
    async with desk.exports.handing_over(pooled.session.id, form, PASSPHRASE) as parcel:
        assert PASSPHRASE not in repr(parcel)
    theirs = await WRITERS[form](pooled.credential)
    assert open_age(parcel.content, PASSPHRASE).decode() == f"{theirs}\n"
    assert parcel.name == f"Anna-{form.lower()}.age"
    assert await desk.sessions.all() == []
    assert any(key.user == jetty.admin.id for key in jetty.sandbox.world.auth_keys.values())
    elsewhere = await jetty.clients.reading(pooled.credential)
    assert (await elsewhere.me()).user_id == jetty.admin.id
    await elsewhere.close()


def test_both_forms_over_ipv6(pooled: Pooled) -> None:
    """An address of either kind has its string."""
    import dataclasses

    credential = dataclasses.replace(pooled.credential, host="2001:67c:4e8:f002::a", port=443)
    theirs = StringSession(string_of(credential, ExportForm.TELETHON))
    assert (theirs.server_address, theirs.port, theirs.auth_key.key) == (
        "2001:67c:4e8:f002::a",
        443,
        credential.auth_key,
    )


async def test_one_key_one_place(jetty: Jetty, pooled: Pooled, desk: Desk) -> None:
    """Clients are closed before the parcel exists outside, and nobody opens another while it is on its way."""
    async with pooled.pool.reading(pooled.session.id) as client, pooled.pool.gate(pooled.session.id) as gate:
        await client.me()
        async with desk.exports.handing_over(pooled.session.id, ExportForm.TELETHON, PASSPHRASE):
            assert not client.is_connected
            assert not gate.is_connected
            with pytest.raises(Unreachable):
                await client.me()
            held = await desk.sessions.get(pooled.session.id)
            assert (held.state, held.state_reason) == (SessionState.SIGNED_OUT, HANDED_OVER)


async def test_a_file_that_was_not_taken(pooled: Pooled, desk: Desk) -> None:
    """Telegram has said no: everything is as before."""
    with pytest.raises(ExportUnsent):
        async with desk.exports.handing_over(pooled.session.id, ExportForm.PYROGRAM, PASSPHRASE):
            raise ExportUnsent
    session = await desk.sessions.get(pooled.session.id)
    assert (session.state, session.state_reason) == (SessionState.ACTIVE, None)
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()


async def test_a_file_of_which_nobody_knows(pooled: Pooled, desk: Desk) -> None:
    """The row stays and rests, through a restart as well, until an admin checks it."""
    with pytest.raises(OSError, match="lost"):
        async with desk.exports.handing_over(pooled.session.id, ExportForm.PYROGRAM, PASSPHRASE):
            raise OSError("lost")
    session = await desk.sessions.get(pooled.session.id)
    assert (session.state, session.state_reason) == (SessionState.SIGNED_OUT, HANDED_OVER)
    with pytest.raises(SessionDead):
        await desk.exports.check(session.id)
    assert (await desk.sessions.check(session.id)).state is SessionState.ACTIVE


async def test_what_may_not_go(store: Store, pooled: Pooled, desk: Desk) -> None:
    """Switched off, used by a source or a run, dead, resting after a restore, gone, or under a short passphrase."""
    session_id = pooled.session.id
    with pytest.raises(ExportOff):
        await Desk(store, pooled, may_export=False).exports.check(session_id)
    with pytest.raises(RestoreUnconfirmed):
        await Desk(store, pooled, resting=True).exports.check(session_id)
    with pytest.raises(NotFound):
        await desk.exports.check(999)
    for passphrase in ("", "x" * 11, "x" * 257):
        with pytest.raises(PassphraseInvalid):
            async with desk.exports.handing_over(session_id, ExportForm.TELETHON, passphrase):
                raise AssertionError
    run = await desk.runner.submit(
        RunKind.LOAD_REQUESTS, -100, "Gate", priority=Priority.TAP, params={"session_id": session_id}
    )
    with pytest.raises(SessionInUse) as caught:
        await desk.exports.check(session_id)
    assert (caught.value.sources, caught.value.runs) == ((), ((run.id, "Gate"),))
    await desk.runner.cancel(run.id)
    await desk.exports.check(session_id)
    await add_source(store, session_id)
    with pytest.raises(SessionInUse):
        async with desk.exports.handing_over(session_id, ExportForm.TELETHON, PASSPHRASE):
            raise AssertionError
    assert (await desk.sessions.get(session_id)).state is SessionState.ACTIVE
