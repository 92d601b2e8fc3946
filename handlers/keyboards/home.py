"""Under home: what waits first, then the places."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Go, Parked, Place, RunAction, RunVerb
from handlers.keyboards.base import Row, button, markup
from handlers.texts import Texts
from storage.models import HomeSummary


def page(texts: Texts, summary: HomeSummary, *, parked: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    rows: list[Row] = []
    if parked:
        rows.append([button(labels.resume, Parked(resume=True)), button(labels.drop, Parked(resume=False))])
    rows += [[button(f"⏳ {run.title}", RunAction(verb=RunVerb.SHOW, id=run.id))] for run in summary.runs[:3]]
    if not summary.sessions and not summary.pending:
        rows.append([button(labels.approve_requests, Go(to=Place.CONNECT))])
        rows.append([button(labels.save_channels, Go(to=Place.LOGIN))])
    rows.append([button(labels.waiting, Go(to=Place.REQUESTS)), button(labels.saved, Go(to=Place.SOURCES))])
    rows.append([button(labels.accounts, Go(to=Place.SESSIONS)), button(labels.help, Go(to=Place.HELP))])
    return markup(*rows)
