"""Under waiting people."""

from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    ChatAdministratorRights,
    InlineKeyboardMarkup,
    KeyboardButton,
    KeyboardButtonRequestChat,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import (
    BulkAction,
    Confirm,
    GateCard,
    Go,
    LoadPick,
    Place,
    RequestAction,
    RequestVerb,
    RightsPick,
)
from handlers.keyboards.base import button, home_key, home_row, markup, turning, window
from handlers.texts import Texts
from storage.models import JoinRequest, PendingCount
from storage.request_models import RequestPage


def overview(texts: Texts, pending: Sequence[PendingCount], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.requests.overview_label(row), RequestAction(verb=RequestVerb.LIST, id=row.channel.id))]
            for row in window(pending, page)
        ],
        turning(texts, page, len(pending), (Go(to=Place.REQUESTS, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.load, Go(to=Place.LOAD)), button(texts.labels.connect, Go(to=Place.CONNECT))],
        [button(texts.labels.rights, RightsPick())],
        home_row(texts),
    )


def waiting(texts: Texts, channel_id: int, page: RequestPage) -> InlineKeyboardMarkup:
    def turn(after: int) -> RequestAction:
        return RequestAction(verb=RequestVerb.LIST, id=channel_id, after=after)

    turning = [button(texts.labels.previous, turn(page.previous))] if page.previous is not None else []
    if page.has_more:
        turning.append(button(texts.labels.following, turn(page.rows[-1].id)))
    everybody = [
        button(texts.labels.approve_all, BulkAction(channel=channel_id, approve=True), "success"),
        button(texts.labels.deny_all, BulkAction(channel=channel_id, approve=False), "danger"),
    ]
    return markup(
        *[[button(texts.requests.label(row), RequestAction(verb=RequestVerb.SHOW, id=row.id))] for row in page.rows],
        turning,
        everybody if page.rows else [],
        [
            button(texts.labels.load, LoadPick(channel=channel_id)),
            button(texts.labels.gate, GateCard(channel=channel_id)),
        ],
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def person(texts: Texts, request: JoinRequest, *, pending: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    decide = [
        button(labels.approve, RequestAction(verb=RequestVerb.APPROVE, id=request.id), "success"),
        button(labels.deny, RequestAction(verb=RequestVerb.DENY, id=request.id), "danger"),
    ]
    return markup(
        decide if pending else [],
        [
            button(labels.the_list, RequestAction(verb=RequestVerb.LIST, id=request.channel_id)),
            button(labels.next_person, RequestAction(verb=RequestVerb.NEXT, id=request.id)),
        ],
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def confirm(texts: Texts, label: str, confirmation: int, back: CallbackData, style: str) -> InlineKeyboardMarkup:
    return markup([button(label, Confirm(id=confirmation), style)], home_row(texts, back))


CONNECT_CHANNEL, CONNECT_GROUP = 1, 2
"""request_id of the two pickers: which of them was used does not matter to us, Telegram wants them distinct."""


def connect(texts: Texts) -> ReplyKeyboardMarkup:
    """Telegram's own pickers; choosing makes the bot an administrator with the right to invite (TELEGRAM.md)."""

    def picker(label: str, request_id: int, *, is_channel: bool) -> KeyboardButton:
        rights = ChatAdministratorRights(
            is_anonymous=False,
            can_manage_chat=True,
            can_delete_messages=False,
            can_manage_video_chats=False,
            can_restrict_members=False,
            can_promote_members=False,
            can_change_info=False,
            can_invite_users=True,
            can_post_stories=False,
            can_edit_stories=False,
            can_delete_stories=False,
            can_send_welcome_messages=False,
        )
        # Telegram wants the user's rights to include the bot's.
        user_rights = rights.model_copy(update={"can_promote_members": True})
        request = KeyboardButtonRequestChat(
            request_id=request_id,
            chat_is_channel=is_channel,
            user_administrator_rights=user_rights,
            bot_administrator_rights=rights,
            request_title=True,
        )
        return KeyboardButton(text=label, request_chat=request)

    labels = texts.labels
    return ReplyKeyboardMarkup(
        keyboard=[
            [picker(labels.choose_channel, CONNECT_CHANNEL, is_channel=True)],
            [picker(labels.choose_group, CONNECT_GROUP, is_channel=False)],
            home_key(texts),
        ],
        resize_keyboard=True,
        one_time_keyboard=True,
    )
