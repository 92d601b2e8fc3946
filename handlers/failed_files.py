"""Files of a saved channel that could not be fetched: which, why, and one or all of them once more."""

from aiogram import F, Router
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import FailedFile, FailedVerb
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RunDesk
from services.sources import SourceService


async def show_failed(
    event: TelegramObject, callback_data: FailedFile, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    failed = await sources.failed_files(callback_data.source, callback_data.value)
    await screen.show(Page(texts.failed.all(failed), keyboards.failed.listing(texts, failed)))


async def retry_one(
    event: TelegramObject,
    callback_data: FailedFile,
    screen: AdminScreen,
    texts: Texts,
    sources: SourceService,
    runs: RunDesk,
) -> None:
    run = await sources.retry_failed(callback_data.source, screen.admin_id, callback_data.value)
    await show_card(screen, texts, runs, run)


def build() -> Router:
    router = Router(name="failed-files")
    router.callback_query.register(show_failed, FailedFile.filter(F.verb == FailedVerb.LIST))
    router.callback_query.register(retry_one, FailedFile.filter(F.verb == FailedVerb.RETRY))
    return router
