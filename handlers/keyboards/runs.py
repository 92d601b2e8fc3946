"""Under a run's card, and under the list of all work."""

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import (
    FailedFile,
    FailedVerb,
    Go,
    Place,
    RequestAction,
    RequestVerb,
    RunAction,
    RunPick,
    RunVerb,
    ShowAll,
    SourceAction,
    SourceVerb,
)
from handlers.keyboards.base import button, home_row, markup
from handlers.keyboards.sessions import sign_in_again
from handlers.texts import Texts
from services.run_list import RunPage
from storage.models import Run, RunKind, RunStatus


def listing(texts: Texts, page: RunPage, *, only_failed: bool, is_searched: bool) -> InlineKeyboardMarkup:
    def turn(number: int) -> RunPick:
        return RunPick(page=number, failed=only_failed)

    labels = texts.labels
    other = button(labels.all_work if only_failed else labels.only_failed, RunPick(failed=not only_failed))
    return markup(
        *[[button(texts.runs.label(run), RunAction(verb=RunVerb.SHOW, id=run.id))] for run in page.runs],
        [
            *([button(labels.previous, turn(page.page - 1))] if page.page else []),
            *([button(labels.following, turn(page.page + 1))] if page.has_more else []),
        ],
        [button(labels.show_all, ShowAll())] if is_searched else [],
        [other, button(labels.refresh, turn(page.page))],
        home_row(texts),
    )


def card(texts: Texts, row: Run, *, told: bool, others: int = 0) -> InlineKeyboardMarkup:
    """`others`: how many runs wait beside it."""

    def act(verb: RunVerb) -> RunAction:
        return RunAction(verb=verb, id=row.id)

    labels = texts.labels
    if not row.is_active:
        return markup(*([each] for each in _what_next(texts, row)), home_row(texts, Go(to=Place.RUNS)))
    goes_on = row.status is RunStatus.PAUSED
    return markup(
        [sign_in_again(texts, row.params["session_id"])] if row.is_held else [],
        [
            button(labels.resume_run, act(RunVerb.RESUME)) if goes_on else button(labels.pause, act(RunVerb.PAUSE)),
            button(labels.stop_run, act(RunVerb.CANCEL)),
        ],
        [button(texts.runs.others_label(others), Go(to=Place.RUNS))] if others else [],
        [] if told else [button(labels.tell_me, act(RunVerb.TELL))],
        home_row(texts, Go(to=Place.RUNS)),
    )


def _what_next(texts: Texts, row: Run) -> list[InlineKeyboardButton]:
    """To what the run worked on; after a check, what it found is fetched by one tap."""
    counters = row.progress.counters
    if row.kind in (RunKind.SCRAPE, RunKind.VERIFY):
        again = SourceAction(verb=SourceVerb.SCRAPE, id=row.subject_id)
        has_lost = row.kind is RunKind.VERIFY and (counters.get("damaged") or counters.get("missing"))
        failed = counters.get("failed", 0) if row.kind is RunKind.SCRAPE else 0
        retry = SourceAction(verb=SourceVerb.RETRY, id=row.subject_id)
        which = FailedFile(verb=FailedVerb.LIST, source=row.subject_id)
        if failed:
            return [
                button(texts.sources.retry_label(), retry, "primary"),
                button(texts.labels.failed_files, which),
                button(texts.labels.to_source, SourceAction(verb=SourceVerb.SHOW, id=row.subject_id)),
            ]
        to_source = button(texts.labels.to_source, SourceAction(verb=SourceVerb.SHOW, id=row.subject_id))
        return [*([button(texts.labels.fetch_again, again, "primary")] if has_lost else []), to_source]
    return [button(texts.labels.to_people, RequestAction(verb=RequestVerb.LIST, id=row.subject_id))]
