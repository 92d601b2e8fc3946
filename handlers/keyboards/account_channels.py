"""Under the channels of an account."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    ChannelVerb,
    SessionAction,
    SessionChannelAction,
    SessionVerb,
    SeveralAction,
    SeveralVerb,
    ShowAll,
)
from handlers.keyboards.base import button, home_row, markup, turning, window
from handlers.texts import Texts
from storage.models import SessionChannel


def listing(
    texts: Texts, session_id: int, rows: Sequence[SessionChannel], page: int, *, loads: bool, is_searched: bool
) -> InlineKeyboardMarkup:
    """`loads`: a tap loads who waits there, instead of showing the channel."""

    def turn(to: int) -> SessionAction:
        return SessionAction(verb=SessionVerb.LOAD if loads else SessionVerb.CHANNELS, id=session_id, page=to)

    verb = ChannelVerb.LOAD if loads else ChannelVerb.SHOW
    return markup(
        *[
            [
                button(
                    texts.account_channels.label(row),
                    SessionChannelAction(verb=verb, session=session_id, channel=row.channel.id),
                )
            ]
            for row in window(rows, page)
        ],
        turning(texts, page, len(rows), (turn(page - 1), turn(page + 1))),
        [button(texts.labels.show_all, ShowAll())] if is_searched else [],
        [button(texts.labels.several, SeveralAction(session=session_id, verb=SeveralVerb.OPEN))]
        if len(rows) > 1 and not loads
        else [],
        [button(texts.labels.refresh, SessionAction(verb=SessionVerb.CHANNELS_NOW, id=session_id))],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


def card(texts: Texts, entry: SessionChannel) -> InlineKeyboardMarkup:
    def act(verb: ChannelVerb) -> SessionChannelAction:
        return SessionChannelAction(verb=verb, session=entry.session_id, channel=entry.channel.id)

    return markup(
        [button(texts.labels.confirm_source, act(ChannelVerb.SAVE), "primary")],
        [button(texts.labels.load_waiting, act(ChannelVerb.LOAD))] if entry.may_invite else [],
        home_row(texts, SessionAction(verb=SessionVerb.CHANNELS, id=entry.session_id)),
    )
