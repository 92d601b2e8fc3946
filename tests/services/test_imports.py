"""Importing as a service: where a session is tried, whose it is, and what is kept."""

import asyncio
import gc
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from services import imports, session_formats
from services.clients.base import ApiCredentials, Credential
from services.credentials import unpack
from services.enrolment import Enrolment
from services.errors import SessionDead, SessionExists, SessionTrouble, SessionUnreadable
from services.imports import Candidate, ImportService
from services.session_formats import PRODUCTION, TEST, FoundSession, SessionFormat
from storage.models import SessionState
from tests.services import session_samples as samples
from tests.services.conftest import Jetty, Store, server_of
from tests.services.test_session_formats import mutated

API = ApiCredentials(4711, "a" * 32)


def at_telegram(store: Store, jetty: Jetty, api: ApiCredentials | None = API) -> ImportService:
    """On Telegram's network: recognises, but is never asked to connect here."""
    return ImportService(Enrolment(store.sessions, store.vault), jetty.clients, api, None)


def at_sandbox(store: Store, jetty: Jetty) -> ImportService:
    return ImportService(
        Enrolment(store.sessions, store.vault), jetty.clients, jetty.api(jetty.admin), server_of(jetty.sandbox)
    )


def telethon(credential: Credential) -> str:
    return session_formats.write_telethon_string(
        credential.dc_id, (credential.host, credential.port), credential.auth_key
    )


def pyrogram(credential: Credential) -> str:
    found = FoundSession(
        SessionFormat.PYROGRAM_STRING_362,
        credential.dc_id,
        credential.auth_key,
        api_id=credential.api.api_id,
        user_id=credential.user_id,
    )
    return session_formats.write_pyrogram_string(found)


async def why_refused(service: ImportService, content: str | bytes) -> SessionTrouble:
    with pytest.raises(SessionUnreadable) as refused:
        await service.inspect(content)
    return refused.value.why


async def test_on_telegram_only_telegrams_addresses_count(store: Store, jetty: Jetty) -> None:
    """A string that names somebody's own server would have it play Telegram to us: refused."""
    service = at_telegram(store, jetty)
    for host in ("127.0.0.1", "192.168.1.5", "8.8.8.8", "::1"):
        string = session_formats.write_telethon_string(2, (host, 443), os.urandom(256))
        assert await why_refused(service, string) is SessionTrouble.FOREIGN
    for dc_id, address in PRODUCTION.items():
        string = session_formats.write_telethon_string(dc_id, ("149.154.175.59", 443), os.urandom(256))
        assert (await service.inspect(string)).address == address
    string = session_formats.write_telethon_string(2, TEST[2], os.urandom(256))
    candidate = await service.inspect(string)
    assert (candidate.address, candidate.found.test_mode) == (TEST[2], True)


async def test_elsewhere_the_other_server_fills_in(store: Store, jetty: Jetty) -> None:
    """MTPROTO_SERVER's address stands where a format has none, or Telegram's; a DC that it is not is refused."""
    service, server = at_sandbox(store, jetty), server_of(jetty.sandbox)
    here = (server.host, server.port)
    key = os.urandom(256)
    assert (await service.inspect(session_formats.write_telethon_string(2, PRODUCTION[2], key))).address == here
    assert (await service.inspect(session_formats.write_telethon_string(4, ("10.1.2.3", 99), key))).address == (
        "10.1.2.3",
        99,
    )
    assert await why_refused(service, session_formats.write_telethon_string(4, PRODUCTION[4], key)) is (
        SessionTrouble.DC_UNKNOWN
    )


@pytest.mark.parametrize(
    ("default", "of_session", "known"),
    [(API, None, True), (API, API.api_id, True), (API, 2040, False), (None, 2040, False), (None, None, False)],
)
async def test_whose_application(
    default: ApiCredentials | None, of_session: int | None, known: bool, store: Store, jetty: Jetty
) -> None:
    """The operator's serves sessions that name none or the same; a session of another goes on with its own."""
    found = FoundSession(SessionFormat.TELETHON_FILE, 2, os.urandom(256), api_id=of_session)
    candidate = Candidate(found, PRODUCTION[2], b"abcd")
    assert (at_telegram(store, jetty, default).known_api(candidate) is not None) is known


async def test_strings_in_files(store: Store, jetty: Jetty, tmp_path: Path) -> None:
    """A text file with a string in it is as good as the string; other text is none."""
    service = at_telegram(store, jetty)
    string = samples.telethon_string()
    assert (await service.inspect(f"{string}\n".encode())).found == (await service.inspect(string)).found
    assert (await service.inspect(samples.telethon_file(tmp_path))).found.auth_key == samples.KEY
    assert await why_refused(service, "ключ".encode() * 9) is SessionTrouble.NOT_A_SESSION
    assert await why_refused(service, b"") is SessionTrouble.NOT_A_SESSION


async def test_a_candidate_comes_back(store: Store, jetty: Jetty) -> None:
    """Packed for the sealed conversation and unpacked, it is the same; neither prints its key."""
    candidate = await at_telegram(store, jetty).inspect(samples.telethon_string())
    again = imports.unpack(imports.pack(candidate))
    assert (again.found.auth_key, again.address, again.mark) == (samples.KEY, candidate.address, candidate.mark)
    assert "key" not in repr(candidate)


async def test_a_session_is_kept_as_a_login_would(store: Store, jetty: Jetty) -> None:
    """Name, number and user id come from Telegram; the credential is whole, and works for reading."""
    credential = jetty.sign_in(jetty.admin)
    service = at_sandbox(store, jetty)
    candidate = await service.inspect(telethon(credential))
    api = service.known_api(candidate)
    assert api is not None
    signed_in = await service.confirm(candidate, api)
    assert signed_in.session.user_id == jetty.admin.id
    assert await store.sessions.phone(signed_in.session.id) == f"+{jetty.admin.phone}".replace("++", "+")
    stored = unpack(await store.sessions.credential(signed_in.session.id))
    assert stored == credential
    client = await jetty.clients.reading(stored)
    try:
        assert (await client.me()).user_id == jetty.admin.id
    finally:
        await client.close()


async def test_the_duplicate_guard(store: Store, jetty: Jetty) -> None:
    """The same key in another format, another key of the account, and a key whose session is dead: named, refused."""
    first, second = jetty.sign_in(jetty.admin), jetty.sign_in(jetty.admin)
    session = await store.add_session(first, name="Work")
    service = at_sandbox(store, jetty)
    for string in (telethon(first), pyrogram(first), pyrogram(second)):
        with pytest.raises(SessionExists) as refused:
            await service.inspect(string)
        assert refused.value.name == "Work"
    candidate = await service.inspect(telethon(second))
    with pytest.raises(SessionExists):
        await service.confirm(candidate, jetty.api(jetty.admin))
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    with pytest.raises(SessionExists):
        await service.inspect(telethon(first))
    renewed = await service.confirm(await service.inspect(pyrogram(second)), jetty.api(jetty.admin))
    assert (renewed.existed, renewed.session.id, renewed.session.name) == (True, session.id, "Work")


async def test_two_admins_at_once(store: Store, jetty: Jetty) -> None:
    """The same session confirmed twice in one moment is one session."""
    credential = jetty.sign_in(jetty.admin)
    service = at_sandbox(store, jetty)
    candidate = await service.inspect(telethon(credential))
    api = jetty.api(jetty.admin)
    await asyncio.gather(service.confirm(candidate, api), service.confirm(candidate, api), return_exceptions=True)
    assert len(await store.sessions.all()) == 1


async def test_a_key_that_telegram_does_not_know(store: Store, jetty: Jetty, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is stored of it, and the log shows no defect."""
    server, service = server_of(jetty.sandbox), at_sandbox(store, jetty)
    string = session_formats.write_telethon_string(2, (server.host, server.port), os.urandom(256))
    with pytest.raises(SessionDead):
        await service.confirm(await service.inspect(string), API)
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]
    assert await store.sessions.all() == []


async def test_damaged_strings_store_nothing(store: Store, jetty: Jetty) -> None:
    """Five hundred of them through the service: a candidate or a refusal, and no row."""
    service, chance = at_telegram(store, jetty), random.Random(362)
    outcomes = Counter[str]()
    for _ in range(500):
        text = mutated(samples.telethon_string().encode(), chance).decode("latin-1")
        try:
            await service.inspect(text)
            outcomes["candidate"] += 1
        except SessionUnreadable:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 100
    assert await store.sessions.all() == []
