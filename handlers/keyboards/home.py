"""Under home: what waits first, then the places."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    Go,
    Parked,
    Place,
    RequestAction,
    RequestVerb,
    RunAction,
    RunVerb,
    SessionAction,
    SessionVerb,
    SourceAction,
    SourceVerb,
)
from handlers.keyboards.base import Row, button, markup
from handlers.keyboards.sessions import sign_in_again
from handlers.texts import Texts
from storage.models import HomeSummary, SessionState

MOST = 3
"""Of a kind: home stays one look long."""


def page(texts: Texts, summary: HomeSummary, *, parked: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    rows: list[Row] = []
    if parked:
        rows.append([button(labels.resume, Parked(resume=True)), button(labels.drop, Parked(resume=False))])
    dead = [session for session in summary.sessions if session.state is SessionState.SIGNED_OUT]
    rows += [[sign_in_again(texts, each.id, f"{labels.sign_in_again}: {each.name}")] for each in dead[:MOST]]
    banned = [session for session in summary.sessions if session.state is SessionState.BANNED]
    rows += [
        [button(texts.sessions.label(each), SessionAction(verb=SessionVerb.SHOW, id=each.id))] for each in banned[:MOST]
    ]
    busy = [run for run in summary.runs if not run.is_held]
    rows += [[button(f"⏳ {run.title}", RunAction(verb=RunVerb.SHOW, id=run.id))] for run in busy[:MOST]]
    rows += [[button(f"🔇 {each.name}", SourceAction(verb=SourceVerb.SHOW, id=each.id))] for each in summary.silent]
    rows += [
        [button(f"🚪 {texts.requests.overview_label(each)}", RequestAction(verb=RequestVerb.LIST, id=each.channel.id))]
        for each in summary.pending[:MOST]
    ]
    if summary.runs or summary.runs_failed or summary.files_failed:
        rows.append([button(texts.runs.all_label(len(summary.runs)), Go(to=Place.RUNS))])
    if not summary.sessions and not summary.pending:
        if summary.gates:
            rows.append([button(labels.add_my_account, Go(to=Place.LOGIN))])
            rows.append([button(labels.connect, Go(to=Place.CONNECT))])
        else:
            rows.append([button(labels.approve_requests, Go(to=Place.CONNECT))])
            rows.append([button(labels.save_channels, Go(to=Place.LOGIN))])
    rows.append([button(labels.waiting, Go(to=Place.REQUESTS)), button(labels.saved, Go(to=Place.SOURCES))])
    rows.append([button(labels.accounts, Go(to=Place.SESSIONS)), button(labels.admins, Go(to=Place.ADMINS))])
    rows.append([button(labels.settings, Go(to=Place.SETTINGS)), button(labels.help, Go(to=Place.HELP))])
    return markup(*rows)
