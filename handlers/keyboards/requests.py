"""Under waiting people."""

from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    ChatAdministratorRights,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    KeyboardButtonRequestChat,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import (
    Go,
    Place,
    RequestAction,
    RequestVerb,
    RightsPick,
    ViewAction,
    ViewVerb,
    WaitingAction,
)
from handlers.keyboards.base import Row, button, home_key, home_row, markup, turning, window
from handlers.texts import Texts
from storage.models import JoinRequest, PendingCount, RequestStatus
from storage.request_models import RequestView


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


def person(texts: Texts, request: JoinRequest, view: RequestView, undoable: JoinRequest | None) -> InlineKeyboardMarkup:
    def act(label: str, verb: RequestVerb, style: str | None = None) -> InlineKeyboardButton:
        return button(label, WaitingAction(verb=verb, id=request.id, view=view.id), style)

    labels = texts.labels
    decide = [
        [act(labels.approve, RequestVerb.APPROVE, "success"), act(labels.deny, RequestVerb.DENY, "danger")],
        [act(labels.deny_and_ban, RequestVerb.BAN)],
    ]
    return markup(
        *(decide if request.status is RequestStatus.PENDING else []),
        [act(labels.next_person, RequestVerb.NEXT)],
        _undo(texts, view, undoable),
        home_row(texts, _list(view)),
    )


def ask_ban(texts: Texts, request: JoinRequest, view: RequestView) -> InlineKeyboardMarkup:
    def act(verb: RequestVerb) -> WaitingAction:
        return WaitingAction(verb=verb, id=request.id, view=view.id)

    yes = button(texts.requests.ban_label(request), act(RequestVerb.BAN_SURELY), "danger")
    return markup([yes], home_row(texts, act(RequestVerb.SHOW)))


def nobody_left(texts: Texts, view: RequestView, undoable: JoinRequest | None) -> InlineKeyboardMarkup:
    back = Go(to=Place.REQUESTS) if view.filters.is_empty else _channel(view)
    return markup(_undo(texts, view, undoable), home_row(texts, back))


def _undo(texts: Texts, view: RequestView, undoable: JoinRequest | None) -> Row:
    if undoable is None:
        return []
    data = WaitingAction(verb=RequestVerb.UNDO, id=undoable.id, view=view.id)
    return [button(texts.requests.undo_label(undoable), data)]


def _list(view: RequestView) -> CallbackData:
    return ViewAction(verb=ViewVerb.OPEN, view=view.id) if view.id else _channel(view)


def _channel(view: RequestView) -> CallbackData:
    return RequestAction(verb=RequestVerb.LIST, id=view.channel_id)


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
