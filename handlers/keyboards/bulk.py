"""Under decisions on many: the question before, and the card of the run."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    BulkAsk,
    BulkRun,
    BulkVerb,
    Confirm,
    Go,
    Place,
    RequestAction,
    RequestVerb,
    RunAction,
    RunVerb,
    ViewAction,
    ViewVerb,
)
from handlers.keyboards import runs
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.texts import Texts
from services.requests.bulk import Preview
from services.requests.endings import Ending
from storage.models import NEW_SINCE_PREVIEW, Run, RunStatus
from storage.request_models import RequestFilters


def question(texts: Texts, preview: Preview, confirmation: int, asked: BulkAsk) -> InlineKeyboardMarkup:
    many = preview.many
    style = "success" if many.approve else "danger"
    yes = [button(texts.bulk.confirm_label(preview), Confirm(id=confirmation), style)]
    return markup(yes if many.count or many.is_everybody else [], home_row(texts, _back(preview, asked)))


def _back(preview: Preview, asked: BulkAsk) -> CallbackData:
    """To where it was asked: the ticks, the filtered list, or what sets them apart."""
    filters = preview.many.filters
    if asked.ticked:
        return ViewAction(verb=ViewVerb.TICKS, view=asked.view)
    if not asked.view or filters == RequestFilters(group=filters.group):
        return RequestAction(verb=RequestVerb.LIST, id=preview.many.channel_id)
    return ViewAction(verb=ViewVerb.OPEN, view=asked.view)


def card(texts: Texts, run: Run, ending: Ending | None, *, told: bool, others: int) -> InlineKeyboardMarkup:
    if ending is not None:
        return markup(_afterwards(texts, run, ending), home_row(texts, Go(to=Place.RUNS)))
    stop = RunAction(verb=RunVerb.CANCEL, id=run.id)
    if run.status is RunStatus.QUEUED and run.wait_until is not None:
        return markup([button(texts.labels.undo, stop, "primary")], home_row(texts, Go(to=Place.RUNS)))
    if run.is_asking and run.reason == NEW_SINCE_PREVIEW:
        return markup(
            [button(texts.labels.include_new, BulkRun(verb=BulkVerb.INCLUDE, id=run.id), "success")],
            [button(texts.bulk.only_label(run), BulkRun(verb=BulkVerb.ONLY, id=run.id))],
            [button(texts.labels.stop_run, stop)],
            home_row(texts, Go(to=Place.RUNS)),
        )
    return runs.card(texts, run, told=told, others=others)


def _afterwards(texts: Texts, run: Run, ending: Ending) -> Row:
    people = RequestAction(verb=RequestVerb.LIST, id=run.subject_id)
    onward = texts.bulk.next_label(ending) if ending.following else texts.labels.to_people
    if run.started_at is None:
        return [button(texts.labels.to_people, people)]
    return [
        button(texts.labels.outcome_file, BulkRun(verb=BulkVerb.FILE, id=run.id)),
        button(onward, people),
    ]
