"""The rules of a channel: looked at, put in order, let decide, frozen. What would decide on somebody asks first."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import RuleButton, RuleSurely, RuleVerb
from handlers.parking import leave, park
from handlers.screen import AdminScreen, Page
from handlers.states import RuleForm
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.requests.rule_desk import RuleDesk
from services.requests.rules import Change, ChangeKind, Proposal

RULE_CHANGE = "rule-change"
ASKED = {RuleVerb.LIVE: ChangeKind.LIVE, RuleVerb.DELETE: ChangeKind.DELETE}
"""Whatever they would do."""
DONE = {RuleVerb.TRIAL: ChangeKind.TRIAL, RuleVerb.UP: ChangeKind.UP, RuleVerb.DOWN: ChangeKind.DOWN}
"""Asked only where they would decide on somebody who waits."""


async def draw_rules(screen: AdminScreen, texts: Texts, rules: RuleDesk, channel_id: int, number: int = 0) -> None:
    book = await rules.page(channel_id)
    shown = keyboards.window(book.rules, number)
    await screen.show(Page(texts.rules.page(book, shown), keyboards.rules.page(texts, book, number)))


async def draw_rule(screen: AdminScreen, texts: Texts, rules: RuleDesk, rule_id: int) -> None:
    book = await rules.page((await rules.get(rule_id)).channel_id)
    rule = book.of(rule_id)
    await screen.show(Page(texts.rules.card(book, rule), keyboards.rules.card(texts, book, rule)))


async def draw_question(
    screen: AdminScreen, texts: Texts, rules: RuleDesk, confirmations: ConfirmationService, proposal: Proposal
) -> None:
    change = proposal.change
    confirmation = await confirmations.ask(screen.admin_id, RULE_CHANGE, proposal.pack())
    back = RuleButton(verb=RuleVerb.LIST, id=change.channel_id)
    if change.rule_id:
        back = RuleButton(verb=RuleVerb.SHOW, id=change.rule_id)
    text = texts.rules.ask(await rules.page(change.channel_id), proposal)
    await screen.show(Page(text, keyboards.rules.ask(texts, confirmation, change.kind, back)))


async def show_rules(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
) -> None:
    if (await state.get_state() or "").startswith(f"{RuleForm.__name__}:"):
        await leave(state)
    await park(state)
    await draw_rules(screen, texts, rules, callback_data.id, callback_data.value)


async def show_rule(
    event: TelegramObject, callback_data: RuleButton, screen: AdminScreen, texts: Texts, rules: RuleDesk
) -> None:
    await draw_rule(screen, texts, rules, callback_data.id)


async def freeze(
    event: TelegramObject, callback_data: RuleButton, screen: AdminScreen, texts: Texts, rules: RuleDesk
) -> None:
    await rules.freeze(callback_data.id)
    await draw_rules(screen, texts, rules, callback_data.id)


async def ask_free(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    rules: RuleDesk,
    confirmations: ConfirmationService,
) -> None:
    proposal = await rules.propose(Change(ChangeKind.FREE, callback_data.id))
    await draw_question(screen, texts, rules, confirmations, proposal)


async def ask_change(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    rules: RuleDesk,
    confirmations: ConfirmationService,
) -> None:
    rule = await rules.get(callback_data.id)
    proposal = await rules.propose(Change(ASKED[callback_data.verb], rule.channel_id, rule.id))
    await draw_question(screen, texts, rules, confirmations, proposal)


async def change(
    event: TelegramObject,
    callback_data: RuleButton,
    screen: AdminScreen,
    texts: Texts,
    rules: RuleDesk,
    confirmations: ConfirmationService,
) -> None:
    """At once, where nobody who waits would be decided by it."""
    rule = await rules.get(callback_data.id)
    proposal = await rules.make(Change(DONE[callback_data.verb], rule.channel_id, rule.id))
    if proposal is not None:
        await draw_question(screen, texts, rules, confirmations, proposal)
    elif callback_data.verb is RuleVerb.TRIAL:
        await draw_rule(screen, texts, rules, rule.id)
    else:
        await draw_rules(screen, texts, rules, rule.channel_id)


async def change_surely(
    event: TelegramObject,
    callback_data: RuleSurely,
    screen: AdminScreen,
    texts: Texts,
    rules: RuleDesk,
    confirmations: ConfirmationService,
) -> None:
    """Where more people would be decided by now than was said, the question is asked anew."""
    said = Proposal.unpack(await confirmations.take(callback_data.id, screen.admin_id, RULE_CHANGE))
    proposal = await rules.agree(said)
    if proposal is not None:
        await draw_question(screen, texts, rules, confirmations, proposal)
    else:
        await draw_rules(screen, texts, rules, said.change.channel_id)


def build() -> Router:
    router = Router(name="rules")
    router.callback_query.register(show_rules, RuleButton.filter(F.verb == RuleVerb.LIST))
    router.callback_query.register(show_rule, RuleButton.filter(F.verb == RuleVerb.SHOW))
    router.callback_query.register(freeze, RuleButton.filter(F.verb == RuleVerb.FREEZE))
    router.callback_query.register(ask_free, RuleButton.filter(F.verb == RuleVerb.FREE))
    router.callback_query.register(ask_change, RuleButton.filter(F.verb.in_(set(ASKED))))
    router.callback_query.register(change, RuleButton.filter(F.verb.in_(set(DONE))))
    router.callback_query.register(change_surely, RuleSurely.filter())
    return router
