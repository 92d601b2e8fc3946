"""Deciding many: the question with a count and samples, the yes, what a run asks meanwhile, and the file at its end."""

from aiogram import F, Router
from aiogram.types import BufferedInputFile, CallbackQuery, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import BulkAsk, BulkRun, BulkVerb, Confirm
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.desks import RunDesk
from services.requests.bulk_desk import BulkDesk

DECIDE_MANY = "decide-many"


async def ask(
    event: TelegramObject,
    callback_data: BulkAsk,
    screen: AdminScreen,
    texts: Texts,
    bulk: BulkDesk,
    confirmations: ConfirmationService,
) -> None:
    preview = await bulk.preview(
        callback_data.channel, callback_data.approve, view_id=callback_data.view, ticked=callback_data.ticked
    )
    confirmation = await confirmations.ask(screen.admin_id, DECIDE_MANY, preview.many.to_json())
    text = texts.bulk.preview(preview, bulk.undo_seconds)
    await screen.show(Page(text, keyboards.bulk.question(texts, preview, confirmation, callback_data)))


async def decide(
    event: TelegramObject,
    callback_data: Confirm,
    screen: AdminScreen,
    texts: Texts,
    bulk: BulkDesk,
    confirmations: ConfirmationService,
    runs: RunDesk,
) -> None:
    run = await bulk.decide(await confirmations.take(callback_data.id, screen.admin_id, DECIDE_MANY))
    await show_card(screen, texts, runs, run)


async def answer(
    event: TelegramObject, callback_data: BulkRun, screen: AdminScreen, texts: Texts, bulk: BulkDesk, runs: RunDesk
) -> None:
    """Whether those are decided too who came since the preview."""
    run = await bulk.answer(callback_data.id, include=callback_data.verb is BulkVerb.INCLUDE)
    await show_card(screen, texts, runs, run)


async def send_file(
    callback: CallbackQuery,
    callback_data: BulkRun,
    screen: AdminScreen,
    texts: Texts,
    bulk: BulkDesk,
    runs: RunDesk,
) -> None:
    await screen.answer()
    run = await runs.get(callback_data.id)
    document = BufferedInputFile(await bulk.table(run.id), texts.bulk.file_name(run))
    if isinstance(callback.message, Message):
        await callback.message.answer_document(document, caption=texts.bulk.file_caption(run))


def build() -> Router:
    router = Router(name="bulk")
    router.callback_query.register(ask, BulkAsk.filter())
    router.callback_query.register(decide, Confirm.filter())
    router.callback_query.register(send_file, BulkRun.filter(F.verb == BulkVerb.FILE))
    router.callback_query.register(answer, BulkRun.filter())
    return router
