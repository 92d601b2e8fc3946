"""Long work: one card, redrawn while it is watched; pause, go on, stop, "tell me when done"."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import RunAction, RunVerb
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RunDesk
from services.errors import AlreadyActive, FloodWait
from services.requests.endings import Ending
from storage.models import BULK_RUNS, Run, RunStatus


def run_page(
    texts: Texts,
    run: Run,
    speed: float | None = None,
    admin_id: int | None = None,
    others: int = 0,
    ending: Ending | None = None,
) -> Page:
    """The card of a run. Its screen is redrawn while the run is active. `others`: how many wait beside it."""
    told = admin_id in run.tell
    if run.kind in BULK_RUNS:
        text = texts.bulk.card_of(run, speed, ending)
        markup = keyboards.bulk.card(texts, run, ending, told=told, others=others)
    else:
        text, markup = texts.runs.card(run, speed), keyboards.runs.card(texts, run, told=told, others=others)
    return Page(text, markup, run.id if run.is_active else None)


def tells_others(run: Run) -> bool:
    """Whether its card says what else waits: while Telegram lets nothing of that account go on."""
    return run.status is RunStatus.WAITING and run.reason == FloodWait.__name__


async def show_card(screen: AdminScreen, texts: Texts, runs: RunDesk, run: Run) -> None:
    """Put the card on the screen. What happened to the run before the screen was known as its watcher is drawn now."""
    others = await runs.waiting_beside(run.id) if tells_others(run) else 0
    page = run_page(texts, run, admin_id=screen.admin_id, others=others, ending=await runs.ending(run))
    await screen.show(page)
    fresh = await runs.get(run.id)
    if fresh.status is not run.status and not fresh.is_active:
        await screen.show(run_page(texts, fresh, admin_id=screen.admin_id, ending=await runs.ending(fresh)))


async def show_run(
    event: TelegramObject, callback_data: RunAction, screen: AdminScreen, texts: Texts, runs: RunDesk
) -> None:
    await show_card(screen, texts, runs, await runs.get(callback_data.id))


async def pause_run(
    event: TelegramObject, callback_data: RunAction, screen: AdminScreen, texts: Texts, runs: RunDesk
) -> None:
    await show_card(screen, texts, runs, await runs.pause(callback_data.id))


async def resume_run(
    event: TelegramObject, callback_data: RunAction, screen: AdminScreen, texts: Texts, runs: RunDesk
) -> None:
    await show_card(screen, texts, runs, await runs.resume(callback_data.id))


async def cancel_run(
    event: TelegramObject, callback_data: RunAction, screen: AdminScreen, texts: Texts, runs: RunDesk
) -> None:
    await show_card(screen, texts, runs, await runs.cancel(callback_data.id))


async def tell_when_done(
    event: TelegramObject, callback_data: RunAction, screen: AdminScreen, texts: Texts, runs: RunDesk
) -> None:
    run = await runs.tell_when_done(callback_data.id)
    await screen.answer(texts.runs.will_tell() if run.is_active else texts.runs.over_already())
    await show_card(screen, texts, runs, run)


async def show_active(event: ErrorEvent, screen: AdminScreen, texts: Texts, runs: RunDesk) -> None:
    """What was asked for is under way already: its card says how far it is. Of decisions it may be one on others."""
    assert isinstance(event.exception, AlreadyActive)
    run = await runs.get(event.exception.run_id)
    if run.kind in BULK_RUNS:
        await screen.answer(texts.bulk.others_first(), alert=True)
    else:
        await screen.answer(texts.errors.of(event.exception))
    await show_card(screen, texts, runs, run)


def build() -> Router:
    router = Router(name="runs")
    for verb, handler in (
        (RunVerb.SHOW, show_run),
        (RunVerb.PAUSE, pause_run),
        (RunVerb.RESUME, resume_run),
        (RunVerb.CANCEL, cancel_run),
        (RunVerb.TELL, tell_when_done),
    ):
        router.callback_query.register(handler, RunAction.filter(F.verb == verb))
    router.errors.register(show_active, ExceptionTypeFilter(AlreadyActive))
    return router
