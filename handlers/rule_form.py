"""A rule is written: what it does, and on whom. The draft lies in the conversation's data until it is kept."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Condition, ConditionPick, RuleButton, RuleVerb
from handlers.conditions import TYPED, changed, with_typed
from handlers.keyboards.request_conditions import NONE
from handlers.keyboards.rules import ACTIONS
from handlers.parking import Prompt, leave, turn_to
from handlers.rules import draw_question, draw_rule
from handlers.screen import AdminScreen, Page
from handlers.states import RuleForm
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.desks import RequestDesk
from services.errors import NotFound
from services.requests.list_desk import ListDesk
from services.requests.rule_desk import RuleDesk
from services.requests.rules import Change, ChangeKind
from storage.request_models import RequestFilters, RuleAction

QUESTIONS = (RuleForm.words, RuleForm.bio)


def _filters(data: dict[str, Any]) -> RequestFilters:
    return RequestFilters.from_json(data["filters"])


async def _set(state: FSMContext, filters: RequestFilters) -> None:
    await state.update_data(filters=filters.to_json())


# -- the form


async def begin_add(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
) -> None:
    await rules.check_owner()
    book = await rules.page(callback_data.id)
    draft = {"action": RuleAction.APPROVE, "filters": RequestFilters().to_json(), "was_live": False}
    await turn_to(state, RuleForm, channel=book.channel.id, title=book.channel.title, rule=0, **draft)
    await show_form(event, screen, texts, state)


async def begin_edit(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
) -> None:
    await rules.check_owner()
    rule = await rules.get(callback_data.id)
    title = (await rules.page(rule.channel_id)).channel.title
    draft = {"action": rule.action, "filters": rule.filters.to_json(), "was_live": rule.live_since is not None}
    await turn_to(state, RuleForm, channel=rule.channel_id, title=title, rule=rule.id, **draft)
    await show_form(event, screen, texts, state)


async def show_form(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(RuleForm.menu)
    data = await state.get_data()
    action, filters = RuleAction(data["action"]), _filters(data)
    text = texts.rules.form(data["title"], action, filters, was_live=data["was_live"])
    await screen.show(Page(text, keyboards.rules.form(texts, data["channel"], action, filters)))


async def choose_action(
    event: TelegramObject, callback_data: RuleButton, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    if not 0 <= callback_data.value < len(ACTIONS):
        raise NotFound("choice")
    await state.update_data(action=ACTIONS[callback_data.value])
    await show_form(event, screen, texts, state)


async def keep(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
    confirmations: ConfirmationService,
) -> None:
    """A live rule that is changed decides no more; where another one would decide in its place, that is asked."""
    data = await state.get_data()
    action, filters = RuleAction(data["action"]), _filters(data)
    if not data["rule"]:
        rule = await rules.add(data["channel"], action, filters)
        await leave(state)
        await draw_rule(screen, texts, rules, rule.id)
        return
    proposal = await rules.make(Change(ChangeKind.EDIT, data["channel"], data["rule"], action, filters))
    await leave(state)
    if proposal is None:
        await draw_rule(screen, texts, rules, data["rule"])
    else:
        await draw_question(screen, texts, rules, confirmations, proposal)


# -- conditions


async def change(
    event: TelegramObject,
    callback_data: ConditionPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
) -> None:
    await _set(state, await changed(_filters(await state.get_data()), callback_data, requests))
    await show_form(event, screen, texts, state)


async def ask_waits(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    filters = _filters(await state.get_data())
    await screen.show(Page(texts.conditions.ask_waits(), keyboards.rules.form_waits(texts, filters)))


async def ask_link(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, lists: ListDesk
) -> None:
    data = await state.get_data()
    links = await lists.links(data["channel"])
    await screen.show(Page(texts.conditions.ask_link(links), keyboards.rules.form_links(texts, links, _filters(data))))


async def ask_words(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(RuleForm.words)
    filters = _filters(await state.get_data())
    await screen.show(Page(texts.conditions.ask_words(), keyboards.rules.form_asked(texts, Condition.WORDS, filters)))


async def ask_bio(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(RuleForm.bio)
    filters = _filters(await state.get_data())
    await screen.show(Page(texts.conditions.ask_bio(), keyboards.rules.form_asked(texts, Condition.BIO, filters)))


async def receive(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """What cannot be searched for leaves the question open."""
    what = Condition.WORDS if await state.get_state() == RuleForm.words.state else Condition.BIO
    await _set(state, with_typed(_filters(await state.get_data()), what, message.text or ""))
    await show_form(message, screen, texts, state)


PROMPTS: dict[str, Prompt] = {
    str(RuleForm.menu.state): show_form,
    str(RuleForm.words.state): ask_words,
    str(RuleForm.bio.state): ask_bio,
}
PARTS = (
    (ask_waits, Condition.WAITS_MENU),
    (ask_link, Condition.LINK_MENU),
    (ask_words, Condition.WORDS),
    (ask_bio, Condition.BIO),
)


def build() -> Router:
    """Toggles count only while the form is open, answers only in the step that asks."""
    router = Router(name="rule-form")
    router.callback_query.register(begin_add, RuleButton.filter(F.verb == RuleVerb.ADD))
    router.callback_query.register(begin_edit, RuleButton.filter(F.verb == RuleVerb.EDIT))
    router.callback_query.register(choose_action, RuleForm.menu, RuleButton.filter(F.verb == RuleVerb.ACTION))
    router.callback_query.register(keep, RuleForm.menu, RuleButton.filter(F.verb == RuleVerb.KEEP))
    for handler, what in PARTS:
        router.callback_query.register(
            handler, RuleForm.menu, ConditionPick.filter((F.what == what) & (F.value != NONE))
        )
    router.callback_query.register(change, RuleForm.menu, ConditionPick.filter())
    for step in (RuleForm.menu, *QUESTIONS):
        router.callback_query.register(show_form, step, RuleButton.filter(F.verb == RuleVerb.FORM))
    for question in QUESTIONS:
        is_off = F.what.in_(TYPED) & (F.value == NONE)
        router.callback_query.register(change, question, ConditionPick.filter(is_off))
        router.message.register(receive, question, F.text)
    return router
