"""Under accounts."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import Go, Place, SessionAction, SessionMove, SessionVerb
from handlers.keyboards.base import Row, button, home_row, markup, turning, window
from handlers.texts import Texts
from services.outages import Moved, Outage
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
        *(_repairs(texts, card.outage) if card.outage else []),
        [button(labels.channels, act(SessionVerb.CHANNELS)), button(labels.load, act(SessionVerb.LOAD))],
        [button(labels.check, act(SessionVerb.CHECK)), button(labels.rename, act(SessionVerb.RENAME))],
        [button(labels.delete, act(SessionVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SESSIONS)),
    )


def died(texts: Texts, outage: Outage) -> InlineKeyboardMarkup:
    return markup(*_repairs(texts, outage), home_row(texts))


def moved(texts: Texts, session_id: int, moved: Moved) -> InlineKeyboardMarkup:
    """What stayed behind still wants the account that is signed out."""
    return markup(
        [sign_in_again(texts, session_id)] if moved.stay else [],
        [button(texts.labels.saved, Go(to=Place.SOURCES))],
        home_row(texts),
    )


def sign_in_again(texts: Texts, session_id: int, label: str | None = None) -> InlineKeyboardButton:
    action = SessionAction(verb=SessionVerb.SIGN_IN, id=session_id)
    return button(label or texts.labels.sign_in_again, action, "primary")


def _repairs(texts: Texts, outage: Outage) -> list[Row]:
    rows = [[sign_in_again(texts, outage.session.id)]]
    if outage.refuge:
        move = SessionMove(id=outage.session.id, to=outage.refuge.session.id)
        rows.append([button(texts.sessions.move_label(outage, outage.refuge), move)])
    return rows


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
