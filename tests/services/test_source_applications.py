"""An application of a source's own: stored sealed, tried before, named by the connection that reads for that source."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from services.clients.base import ApiCredentials
from services.errors import ApiCredentialsInvalid, FloodWait, NotFound, SessionDead, Unreachable
from services.source_applications import SourceApplications
from storage.models import RunStatus, Source
from storage.schema import sources
from storage.source_applications import SourceApplicationRepository
from tests.services.conftest import Jetty, Pooled, Store, open_pool
from tests.services.test_pool import connections, until_connections
from tests.services.voyage import Voyage


@pytest.fixture
def rows(store: Store) -> SourceApplicationRepository:
    return SourceApplicationRepository(store.database, store.vault)


@pytest.fixture
async def pooled(jetty: Jetty, store: Store, rows: SourceApplicationRepository) -> AsyncIterator[Pooled]:
    async with open_pool(jetty, store, application_of=rows.get, reading_idle_seconds=0.3) as opened:
        yield opened


@pytest.fixture
def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    (tmp_path / "home").mkdir()
    return Voyage(jetty, store, pooled, tmp_path / "home")


@pytest.fixture
def service(jetty: Jetty, store: Store, rows: SourceApplicationRepository, voyage: Voyage) -> SourceApplications:
    return SourceApplications(rows, voyage.source_rows, store.sessions, jetty.clients)


async def again(voyage: Voyage, source: Source) -> Source:
    found = await voyage.source_rows.get(source.id)
    assert found is not None
    return found


async def test_a_scrape_names_the_sources_application(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled
) -> None:
    """Messages and files, of both DCs, are asked for under it; the account's own client names the account's."""
    source, api = await voyage.add(), jetty.api(jetty.second)
    await service.change(source.id, api)
    source = await again(voyage, source)
    assert source.api_id == api.api_id
    jetty.sandbox.faults.reset()
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
    assert (await voyage.scrape(source)).status is RunStatus.DONE
    applications = jetty.sandbox.faults.applications
    own, other = applications[api.api_id], applications[jetty.admin.api_id]
    assert own["messages.getHistory"] == jetty.calls("messages.getHistory") > 0
    assert own["upload.getFile"] == jetty.calls("upload.getFile") > 0
    assert other["users.getUsers"]
    assert not other["messages.getHistory"] + other["upload.getFile"]
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_it_is_tried_before_it_is_kept(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, rows: SourceApplicationRepository
) -> None:
    """A pair that Telegram does not know leaves what was there; removed, the account's is named again."""
    source = await voyage.add()
    with pytest.raises(ApiCredentialsInvalid):
        await service.change(source.id, ApiCredentials(jetty.second.api_id, "0" * 32))
    assert await rows.get(source.id) is None
    await service.change(source.id, jetty.api(jetty.second))
    with pytest.raises(ApiCredentialsInvalid):
        await service.change(source.id, ApiCredentials(4711, "0" * 32))
    assert await rows.get(source.id) == (jetty.second.api_id, jetty.second.api_hash)
    await service.remove(source.id)
    assert (await rows.get(source.id), (await again(voyage, source)).api_id) == (None, None)
    for refused in (service.change(999, jetty.api(jetty.second)), service.remove(999)):
        with pytest.raises(NotFound):
            await refused


async def test_the_hash_lies_sealed(
    jetty: Jetty, store: Store, voyage: Voyage, service: SourceApplications, rows: SourceApplicationRepository
) -> None:
    """The column holds ciphertext of this very row, and goes with the source."""
    first, second = await voyage.add("First"), await voyage.add("Second", folder="second")
    await service.change(first.id, jetty.api(jetty.second))
    async with store.database.read() as connection:
        sealed = await connection.scalar(select(sources.c.api_hash_sealed).where(sources.c.id == first.id))
    assert jetty.second.api_hash.encode() not in sealed
    assert store.vault.open("sources", "api_hash_sealed", first.id, sealed).decode() == jetty.second.api_hash
    assert await rows.get(second.id) is None
    await voyage.source_rows.delete(first.id)
    assert await rows.get(first.id) is None


async def variant(jetty: Jetty, voyage: Voyage, service: SourceApplications) -> Source:
    source = await voyage.add()
    await service.change(source.id, jetty.api(jetty.second))
    return await again(voyage, source)


async def test_one_client_an_application(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled
) -> None:
    """Shared by those that name it, closed when nobody uses it; the session counts as open with it alone."""
    source = await variant(jetty, voyage, service)
    await until_connections(jetty, 0)

    async def look() -> None:
        async with pooled.pool.reading_for(source) as client:
            await client.me()

    await asyncio.gather(*(look() for _ in range(5)))
    assert connections(jetty) == 1
    assert pooled.pool.is_open(pooled.session.id)
    await until_connections(jetty, 0)
    assert not pooled.pool.is_open(pooled.session.id)


async def test_two_sources_of_one_application(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled
) -> None:
    """They share a client; when the one that opened it is gone, the other goes on under the same application."""
    first, second = await voyage.add("First"), await voyage.add("Second", folder="second")
    for source in (first, second):
        await service.change(source.id, jetty.api(jetty.second))
    async with pooled.pool.reading_for(await again(voyage, first)) as client:
        await client.me()
    second = await again(voyage, second)
    await voyage.source_rows.delete(first.id)
    await until_connections(jetty, 0)
    jetty.sandbox.faults.reset()
    async with pooled.pool.reading_for(second) as client:
        await client.me()
    assert jetty.sandbox.faults.applications[jetty.second.api_id]["users.getUsers"]


async def test_whatever_closes_an_account_closes_it(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled, store: Store
) -> None:
    """Rest, drop, handing over and death of the session reach its sources' clients; the lease goes with the last."""
    source = await variant(jetty, voyage, service)
    await until_connections(jetty, 0)
    session_id = pooled.session.id
    async with pooled.pool.reading_for(source) as client:
        await client.me()
        await pooled.pool.rest(session_id)
        assert connections(jetty) == 1
        await pooled.pool.drop(session_id)
        await until_connections(jetty, 0)
        async with pooled.pool.kept_closed(session_id):
            with pytest.raises(Unreachable):
                await client.me()
        await client.me()
        jetty.sandbox.world.revoke(jetty.admin.id)
        with pytest.raises(SessionDead):
            await client.me()
    assert pooled.deaths == [(session_id, "SESSION_REVOKED")]
    await until_connections(jetty, 0)
    assert session_id not in await store.leases.beat([session_id])


async def test_rest_closes_what_nobody_uses(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled
) -> None:
    source = await variant(jetty, voyage, service)
    await until_connections(jetty, 0)
    async with pooled.pool.reading_for(source) as client:
        await client.me()
    await pooled.pool.rest(pooled.session.id)
    assert connections(jetty) == 0


async def test_waits_are_the_accounts(
    jetty: Jetty, voyage: Voyage, service: SourceApplications, pooled: Pooled
) -> None:
    """A flood wait met under one application holds under the other: Telegram counts by account."""
    source = await variant(jetty, voyage, service)
    jetty.sandbox.faults.add("users.getUsers", error="FLOOD_WAIT_900")
    async with pooled.pool.reading_for(source) as own, pooled.pool.reading(pooled.session.id) as client:
        with pytest.raises(FloodWait):
            await own.me()
        asked = jetty.calls("users.getUsers")
        with pytest.raises(FloodWait):
            await client.me()
        assert jetty.calls("users.getUsers") == asked
