"""Under a channel that was forwarded or linked, an invitation, and several channels at once."""

from collections.abc import Collection, Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    OWN,
    EditPick,
    Go,
    InviteAction,
    InviteVerb,
    LinkPick,
    Place,
    SaveAction,
    SaveVerb,
    SessionAction,
    SessionVerb,
    SeveralAction,
    SeveralTick,
    SeveralVerb,
    ShowAll,
    SourceAction,
    SourceEdit,
    SourceVerb,
)
from handlers.keyboards.base import ROWS, Row, button, home_row, markup, turning, window
from handlers.keyboards.request_conditions import marked
from handlers.texts import Texts
from services.links import InviteLink, Link
from services.saving import Offer
from storage.models import Session, SessionChannel


def act(about: SaveAction, verb: SaveVerb, session: int | None = None) -> SaveAction:
    """The same channel and posts, another thing to do."""
    return about.model_copy(update={"verb": verb, "session": about.session if session is None else session})


def card(texts: Texts, offer: Offer, about: SaveAction, *, is_unreadable: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    if is_unreadable:
        saved = offer.whole or offer.single  # there, its account is signed in again, or another one takes over
        opened = [button(labels.open_source, SourceAction(verb=SourceVerb.SHOW, id=saved.id))] if saved else []
        other = [button(labels.other_account, act(about, SaveVerb.ACCOUNT))] if offer.has_choice else []
        return markup([button(labels.try_again, act(about, SaveVerb.CARD))], opened, other, home_row(texts))
    only = texts.saving.only_these(about.more + 1) if about.more else labels.save_post
    post: Row = [button(only, act(about, SaveVerb.POSTS))] if about.post else []
    if offer.whole is not None:
        source_id = offer.whole.id
        return markup(
            [button(labels.scrape, SourceAction(verb=SourceVerb.SCRAPE, id=source_id), "primary")],
            post,
            [button(labels.open_source, SourceAction(verb=SourceVerb.SHOW, id=source_id))],
            home_row(texts),
        )
    return markup(
        [button(labels.save_all, act(about, SaveVerb.ALL), "primary")],
        [button(labels.save_new, act(about, SaveVerb.NEW)), *(post if not about.more else [])],
        post if about.more else [],
        [button(labels.save_change, act(about, SaveVerb.CHANGE))],
        home_row(texts),
    )


def accounts(texts: Texts, offer: Offer, about: SaveAction) -> InlineKeyboardMarkup:
    """The same card, with one of them."""

    def key(session: Session) -> Row:
        label = marked(texts.saving.account(session), session.id == offer.session_id)
        return [button(label, act(about, SaveVerb.CARD, session.id))]

    return markup(*map(key, offer.readers[:ROWS]), home_row(texts, act(about, SaveVerb.CHANGE)))


def large(texts: Texts, about: SaveAction) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.save_surely, act(about, SaveVerb.ALL_SURELY), "primary")],
        [button(texts.labels.save_change, act(about, SaveVerb.CHANGE))],
        home_row(texts, act(about, SaveVerb.CARD)),
    )


def change(texts: Texts, offer: Offer, about: SaveAction) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.step_by_step, act(about, SaveVerb.STEPS), "primary")],
        [button(texts.labels.other_account, act(about, SaveVerb.ACCOUNT))] if offer.has_choice else [],
        [button(texts.labels.my_defaults, SourceEdit(what=EditPick.MENU, id=OWN))],
        home_row(texts, act(about, SaveVerb.CARD)),
    )


def links(texts: Texts, found: Sequence[Link], mark: int) -> InlineKeyboardMarkup:
    labels = [texts.labels.invite_link if isinstance(each, InviteLink) else texts.saving.link(each) for each in found]
    rows = [[button(label, LinkPick(mark=mark, position=n))] for n, label in enumerate(labels[:ROWS])]
    return markup(*rows, home_row(texts))


# -- invitations


def invitation(texts: Texts, sessions: Sequence[Session], mark: int) -> InlineKeyboardMarkup:
    """With one account there is nothing to choose: the card was the question."""
    only = sessions[0].id if len(sessions) == 1 else 0
    join = InviteAction(verb=InviteVerb.JOIN if only else InviteVerb.ASK, mark=mark, session=only)
    return markup([button(texts.labels.join_and_save, join, "primary")], home_row(texts))


def who_joins(texts: Texts, sessions: Sequence[Session], mark: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.saving.account(each), InviteAction(verb=InviteVerb.JOIN, mark=mark, session=each.id))]
            for each in sessions[:ROWS]
        ],
        home_row(texts, InviteAction(verb=InviteVerb.CARD, mark=mark)),
    )


def asked_to_join(texts: Texts, asked: InviteAction) -> InlineKeyboardMarkup:
    again = asked.model_copy(update={"verb": InviteVerb.AGAIN})
    return markup([button(texts.labels.try_again, again)], home_row(texts))


# -- several


def several(
    texts: Texts,
    session_id: int,
    rows: Sequence[SessionChannel],
    page: int,
    ticked: Collection[int],
    saved: Collection[int],
    *,
    is_searched: bool,
) -> InlineKeyboardMarkup:
    def tick(row: SessionChannel) -> Row:
        mark = "📥" if row.channel.id in saved else "☑" if row.channel.id in ticked else "☐"
        return [button(f"{mark} {row.channel.title}", SeveralTick(channel=row.channel.id, page=page))]

    def turn(to: int) -> SeveralAction:
        return SeveralAction(session=session_id, verb=SeveralVerb.PAGE, page=to)

    review = SeveralAction(session=session_id, verb=SeveralVerb.REVIEW)
    return markup(
        *map(tick, window(rows, page)),
        turning(texts, page, len(rows), (turn(page - 1), turn(page + 1))),
        [button(texts.labels.show_all, ShowAll())] if is_searched else [],
        [button(texts.saving.save_many(len(ticked)), review, "primary")] if ticked else [],
        home_row(texts, SessionAction(verb=SessionVerb.CHANNELS, id=session_id)),
    )


def review(texts: Texts, session_id: int, count: int) -> InlineKeyboardMarkup:
    save = SeveralAction(session=session_id, verb=SeveralVerb.SAVE)
    return markup(
        [button(texts.saving.save_many(count), save, "primary")],
        [button(texts.labels.my_defaults, SourceEdit(what=EditPick.MENU, id=OWN))],
        home_row(texts, SeveralAction(session=session_id, verb=SeveralVerb.PAGE)),
    )


def made(texts: Texts) -> InlineKeyboardMarkup:
    return markup([button(texts.labels.saved, Go(to=Place.SOURCES))], home_row(texts))
