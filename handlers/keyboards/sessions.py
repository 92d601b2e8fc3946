"""Under accounts."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Go, Place, SessionAction, SessionVerb
from handlers.keyboards.base import button, home_row, markup, turning, window
from handlers.texts import Texts
from services.sessions import SessionCard
from storage.models import Session


def listing(texts: Texts, rows: Sequence[Session], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.label(session), SessionAction(verb=SessionVerb.SHOW, id=session.id))]
            for session in window(rows, page)
        ],
        turning(texts, page, len(rows), (Go(to=Place.SESSIONS, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        [button(texts.labels.have_session, Go(to=Place.IMPORT))],
        home_row(texts),
    )


def card(texts: Texts, card: SessionCard) -> InlineKeyboardMarkup:
    def act(verb: SessionVerb) -> SessionAction:
        return SessionAction(verb=verb, id=card.session.id)

    labels = texts.labels
    return markup(
        [button(labels.channels, act(SessionVerb.CHANNELS)), button(labels.load, act(SessionVerb.LOAD))],
        [button(labels.check, act(SessionVerb.CHECK)), button(labels.rename, act(SessionVerb.RENAME))],
        [button(labels.delete, act(SessionVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SESSIONS)),
    )


def delete(texts: Texts, session_id: int) -> InlineKeyboardMarkup:
    surely = SessionAction(verb=SessionVerb.DELETE_SURELY, id=session_id)
    return markup(
        [button(texts.labels.sign_out_and_delete, surely, "danger")],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


def channels(texts: Texts, session_id: int, count: int, page: int) -> InlineKeyboardMarkup:
    def turn(to: int) -> SessionAction:
        return SessionAction(verb=SessionVerb.CHANNELS, id=session_id, page=to)

    return markup(
        turning(texts, page, count, (turn(page - 1), turn(page + 1))),
        [button(texts.labels.add_source, Go(to=Place.ADD_SOURCE))],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )
