"""One person who waits: their card, a decision, and the next one of the same list in its place."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import RequestAction, RequestVerb, WaitingAction
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RequestDesk
from services.errors import DecisionMade
from services.requests.list_desk import ListDesk
from storage.models import JoinRequest, RequestStatus
from storage.request_models import RequestView

Pressed = RequestAction | WaitingAction


async def _view(pressed: Pressed | None, lists: ListDesk, channel_id: int) -> RequestView:
    """One of before there were lists is of everybody."""
    return await lists.of_card(pressed.view if isinstance(pressed, WaitingAction) else 0, channel_id)


async def _card(
    texts: Texts, requests: RequestDesk, lists: ListDesk, view: RequestView, shown: JoinRequest | None, just: str = ""
) -> Page:
    """The card of `shown`, or that nobody is left; `just`: what became of whom was decided a moment ago."""
    channel = await requests.channel(view.channel_id)
    undoable = await requests.undoable(channel.id)
    if shown is None:
        markup = keyboards.requests.nobody_left(texts, view, undoable)
        return Page(texts.requests.nobody_left(channel, just, is_filtered=not view.filters.is_empty), markup)
    past, count = await lists.past(shown), await lists.capped(view)
    meant = texts.conditions.meant(view.filters)
    text = texts.requests.card(shown, channel, count, past, meant, just)
    return Page(text, keyboards.requests.person(texts, shown, view, undoable))


async def _show_following(
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
    pressed: Pressed | None,
    request: JoinRequest,
    just: str = "",
) -> None:
    """Whoever comes behind that one in the list of the button that was pressed."""
    view = await _view(pressed, lists, request.channel_id)
    await screen.show(await _card(texts, requests, lists, view, await lists.following(view, request.id), just))


async def show_person(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    request = await requests.get(callback_data.id)
    view = await _view(callback_data, lists, request.channel_id)
    await screen.show(await _card(texts, requests, lists, view, request))


async def show_next(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    request = await requests.get(callback_data.id)
    await _show_following(screen, texts, requests, lists, callback_data, request)


async def decide(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """Decides, then shows the next person in the same card. Decided before: says so, and heals the card."""
    decided = await requests.decide(callback_data.id, callback_data.verb is RequestVerb.APPROVE)
    await _show_following(screen, texts, requests, lists, callback_data, decided, texts.requests.just(decided))


async def ask_ban(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """It is for good, so it is asked once. Decided before: says so, and heals the card."""
    request = await requests.get(callback_data.id)
    await requests.check_decides(request.channel_id)
    if request.status is not RequestStatus.PENDING:
        raise DecisionMade(request)
    view = await _view(callback_data, lists, request.channel_id)
    text = texts.requests.ask_ban(request, await requests.channel(request.channel_id))
    await screen.show(Page(text, keyboards.requests.ask_ban(texts, request, view)))


async def ban(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """Denied, banned if somebody of ours may, and the next one."""
    done = await requests.ban(callback_data.id)
    channel = await requests.channel(done.request.channel_id)
    why = texts.errors.of(done.trouble) if done.trouble else ""
    just = texts.requests.just_banned(done, channel, why)
    await _show_following(screen, texts, requests, lists, callback_data, done.request, just)


async def undo(
    event: TelegramObject,
    callback_data: Pressed,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """Back to the list's next person: whoever was let in is out, and waits no more either."""
    undone = await requests.undo(callback_data.id)
    await _show_following(screen, texts, requests, lists, callback_data, undone, texts.requests.undone(undone))


async def decided_before(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, requests: RequestDesk, lists: ListDesk
) -> None:
    """Somebody was faster, or the card is old: the alert says who decided what, and the card goes on."""
    assert isinstance(event.exception, DecisionMade)
    request = event.exception.request
    await screen.answer(texts.errors.of(event.exception), alert=True)
    callback = event.update.callback_query
    data = (callback.data if callback else None) or ""
    pressed = WaitingAction.unpack(data) if data.startswith(f"{WaitingAction.__prefix__}:") else None
    await _show_following(screen, texts, requests, lists, pressed, request)


def build() -> Router:
    router = Router(name="request-person")
    for kind in (WaitingAction, RequestAction):
        for verbs, handler in (
            ({RequestVerb.SHOW}, show_person),
            ({RequestVerb.NEXT}, show_next),
            ({RequestVerb.APPROVE, RequestVerb.DENY}, decide),
            ({RequestVerb.BAN}, ask_ban),
            ({RequestVerb.BAN_SURELY}, ban),
            ({RequestVerb.UNDO}, undo),
        ):
            router.callback_query.register(handler, kind.filter(F.verb.in_(verbs)))
    router.errors.register(decided_before, ExceptionTypeFilter(DecisionMade))
    return router
