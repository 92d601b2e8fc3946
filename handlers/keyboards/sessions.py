"""Under accounts."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import (
    Go,
    Place,
    RunAction,
    RunVerb,
    SessionAction,
    SessionMove,
    SessionVerb,
    ShowAll,
    SourceAction,
    SourceVerb,
)
from handlers.keyboards.base import ROWS, Row, button, home_row, markup, turning, window
from handlers.texts import Texts
from services.errors import SessionInUse
from services.outages import Moved, Outage
from services.sessions import SessionCard, SessionRow
from storage.models import SessionKind, SessionState


def listing(texts: Texts, rows: Sequence[SessionRow], page: int, *, is_searched: bool) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.row_label(row), SessionAction(verb=SessionVerb.SHOW, id=row.session.id))]
            for row in window(rows, page)
        ],
        turning(texts, page, len(rows), (Go(to=Place.SESSIONS, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.show_all, ShowAll())] if is_searched else [],
        [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        [button(texts.labels.have_session, Go(to=Place.IMPORT))],
        [button(texts.labels.have_token, Go(to=Place.BOT))],
        home_row(texts),
    )


def card(texts: Texts, card: SessionCard) -> InlineKeyboardMarkup:
    def act(verb: SessionVerb) -> SessionAction:
        return SessionAction(verb=verb, id=card.session.id)

    labels = texts.labels
    is_alive = card.session.state is SessionState.ACTIVE
    return markup(
        *(_repairs(texts, card.outage) if card.outage else []),
        [
            button(labels.channels, act(SessionVerb.CHANNELS)),
            *([button(labels.load, act(SessionVerb.LOAD))] if card.session.kind is SessionKind.USER else []),
        ],
        [button(labels.check, act(SessionVerb.CHECK)), button(labels.rename, act(SessionVerb.RENAME))],
        [button(labels.proxy, act(SessionVerb.PROXY)), button(labels.api_credentials, act(SessionVerb.API))],
        [button(labels.export, act(SessionVerb.EXPORT))] if card.may_export and is_alive else [],
        [button(labels.delete, act(SessionVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SESSIONS)),
    )


def back(texts: Texts, session_id: int) -> InlineKeyboardMarkup:
    """Under whatever the card asks for."""
    return markup(home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)))


def proxy(texts: Texts, card: SessionCard) -> InlineKeyboardMarkup:
    off = SessionAction(verb=SessionVerb.PROXY_OFF, id=card.session.id)
    return markup(
        [button(texts.labels.remove_proxy, off)] if card.proxy else [],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=card.session.id)),
    )


def remove_proxy(texts: Texts, session_id: int) -> InlineKeyboardMarkup:
    surely = SessionAction(verb=SessionVerb.PROXY_OFF_SURELY, id=session_id)
    return markup(
        [button(texts.labels.remove_proxy_surely, surely, "danger")],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


def export(texts: Texts, session_id: int) -> InlineKeyboardMarkup:
    telethon = SessionAction(verb=SessionVerb.EXPORT_TELETHON, id=session_id)
    pyrogram = SessionAction(verb=SessionVerb.EXPORT_PYROGRAM, id=session_id)
    return markup(
        [button(texts.labels.as_telethon, telethon, "danger"), button(texts.labels.as_pyrogram, pyrogram, "danger")],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


def in_use(texts: Texts, use: SessionInUse) -> InlineKeyboardMarkup:
    """To each thing that uses an account that was to go."""
    return markup(
        *[[button(f"📥 {name}", SourceAction(verb=SourceVerb.SHOW, id=id_))] for id_, name in use.sources[:ROWS]],
        *[[button(f"⏳ {name}", RunAction(verb=RunVerb.SHOW, id=id_))] for id_, name in use.runs[:ROWS]],
        [button(texts.labels.accounts, Go(to=Place.SESSIONS))],
        home_row(texts),
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
        [button(texts.labels.delete_only_here, SessionAction(verb=SessionVerb.FORGET_SURELY, id=session_id), "danger")],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )
