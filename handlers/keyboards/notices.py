"""Under messages that tell of new people, and under how a channel tells."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import GateCard, NoticeAction, NoticeVerb, RequestAction, RequestVerb
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts
from handlers.texts.notices import CHANNELS
from services.requests.board import DigestLine
from services.requests.notice_desk import DIGEST_CHOICES
from storage.models import JoinRequest
from storage.request_models import NotifyMode, RequestSettings


def digest(texts: Texts, lines: Sequence[DigestLine]) -> InlineKeyboardMarkup:
    """In an admin's own chat: a button a channel."""
    rows = [
        [
            button(
                texts.notices.review_label(line, alone=len(lines) == 1),
                RequestAction(verb=RequestVerb.LIST, id=line.channel.id),
            )
        ]
        for line in lines[:CHANNELS]
    ]
    if len(lines) == 1:
        rows[0].append(button(texts.labels.silence_here, NoticeAction(verb=NoticeVerb.SILENCE, id=lines[0].channel.id)))
    return markup(*rows)


def group_digest(texts: Texts, link: str) -> InlineKeyboardMarkup:
    """In the group: lists are looked at in one's own chat, where `link` leads."""
    return markup([InlineKeyboardButton(text=texts.labels.open_porter, url=link)])


def card(texts: Texts, request: JoinRequest) -> InlineKeyboardMarkup:
    return markup(
        [
            button(texts.labels.approve, NoticeAction(verb=NoticeVerb.APPROVE, id=request.id), "success"),
            button(texts.labels.deny, NoticeAction(verb=NoticeVerb.DENY, id=request.id), "danger"),
        ]
    )


def settings(texts: Texts, chosen: RequestSettings) -> InlineKeyboardMarkup:
    """What is chosen is ticked."""

    def choice(label: str, verb: NoticeVerb, *, is_chosen: bool, value: int = 0) -> InlineKeyboardButton:
        data = NoticeAction(verb=verb, id=chosen.channel_id, value=value)
        return button(f"✅ {label}" if is_chosen else label, data)

    digests = [
        choice(
            texts.notices.choice_label(minutes),
            NoticeVerb.DIGEST,
            is_chosen=chosen.notify is NotifyMode.DIGEST and chosen.digest_minutes == minutes,
            value=minutes,
        )
        for minutes in DIGEST_CHOICES
    ]
    return markup(
        digests[:3],
        digests[3:],
        [choice(texts.labels.each_by_card, NoticeVerb.CARDS, is_chosen=chosen.notify is NotifyMode.CARDS)],
        [choice(texts.labels.silence, NoticeVerb.SILENCE, is_chosen=chosen.notify is NotifyMode.SILENT)],
        home_row(texts, GateCard(channel=chosen.channel_id)),
    )
