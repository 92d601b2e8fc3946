from storage.database import Database
from storage.request_models import NotifyMode, RequestSettings
from storage.request_settings import RequestSettingsRepository
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker


async def test_what_is_not_said_stays(database: Database, clock: Clock, make: Maker) -> None:
    """Defaults until somebody says otherwise; each field by itself."""
    await make.channel(CHANNEL_ID, title="Harbour")
    settings = RequestSettingsRepository(database)
    assert await settings.get(CHANNEL_ID) == RequestSettings(CHANNEL_ID)
    assert await settings.all() == []
    await settings.change(CHANNEL_ID, welcome="Hello", load_newest=500)
    changed = await settings.change(CHANNEL_ID, notify=NotifyMode.CARDS, frozen_at=clock.now, frozen_by=7)
    assert changed == await settings.get(CHANNEL_ID)
    assert changed == RequestSettings(
        CHANNEL_ID, NotifyMode.CARDS, frozen_at=clock.now, frozen_by=7, welcome="Hello", load_newest=500
    )
    assert await settings.change(CHANNEL_ID) == changed
    assert await settings.all() == [changed]
