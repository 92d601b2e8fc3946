"""A real database file for each test: migrated once, copied for each."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.database import Database
from storage.keys import KeyConfig
from storage.migrate import migrate
from storage.vault import Vault, open_vault
from tests.storage.make import Maker


class Clock:
    """Time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "porter.db"
    path.touch(mode=0o600)
    migrate(path)
    return path


@pytest.fixture
def path(migrated: Path, tmp_path: Path) -> Path:
    target = tmp_path / "data" / "porter.db"
    target.parent.mkdir(mode=0o700)
    shutil.copy(migrated, target)
    return target


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    async with Database.open(path) as database:
        yield database


@pytest.fixture
def keys(path: Path) -> KeyConfig:
    return KeyConfig(None, None, None, default_key_file=path.parent / "master.key")


@pytest.fixture
async def vault(database: Database, keys: KeyConfig) -> Vault:
    return await open_vault(database, keys)


@pytest.fixture
def make(database: Database, vault: Vault, clock: Clock) -> Maker:
    return Maker(database, vault, clock)
