"""Under a run's card."""

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import RequestAction, RequestVerb, RunAction, RunVerb, SourceAction, SourceVerb
from handlers.keyboards.base import button, home_row, markup
from handlers.keyboards.sessions import sign_in_again
from handlers.texts import Texts
from storage.models import Run, RunKind, RunStatus


def card(texts: Texts, row: Run, *, told: bool) -> InlineKeyboardMarkup:
    def act(verb: RunVerb) -> RunAction:
        return RunAction(verb=verb, id=row.id)

    labels = texts.labels
    if not row.is_active:
        return markup(*([each] for each in _what_next(texts, row)), home_row(texts))
    goes_on = row.status is RunStatus.PAUSED
    return markup(
        [sign_in_again(texts, row.params["session_id"])] if row.is_held else [],
        [
            button(labels.resume_run, act(RunVerb.RESUME)) if goes_on else button(labels.pause, act(RunVerb.PAUSE)),
            button(labels.stop_run, act(RunVerb.CANCEL)),
        ],
        [] if told else [button(labels.tell_me, act(RunVerb.TELL))],
        home_row(texts),
    )


def _what_next(texts: Texts, row: Run) -> list[InlineKeyboardButton]:
    """To what the run worked on; after a check, what it found is fetched by one tap."""
    counters = row.progress.counters
    if row.kind in (RunKind.SCRAPE, RunKind.VERIFY):
        again = SourceAction(verb=SourceVerb.SCRAPE, id=row.subject_id)
        has_lost = row.kind is RunKind.VERIFY and (counters.get("damaged") or counters.get("missing"))
        to_source = button(texts.labels.to_source, SourceAction(verb=SourceVerb.SHOW, id=row.subject_id))
        return [*([button(texts.labels.fetch_again, again, "primary")] if has_lost else []), to_source]
    return [button(texts.labels.to_people, RequestAction(verb=RequestVerb.LIST, id=row.subject_id))]
