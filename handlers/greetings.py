"""What people are told who ask to join a channel: a welcome, a refusal."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import GreetingAction, GreetingVerb
from handlers.parking import Prompt, leave, turn_to
from handlers.screen import AdminScreen, Page
from handlers.states import GreetingForm
from handlers.texts import Texts
from services.requests.rule_desk import RuleDesk

WELCOME = frozenset({GreetingVerb.WELCOME, GreetingVerb.NO_WELCOME})
ASK = frozenset({GreetingVerb.WELCOME, GreetingVerb.REFUSAL})
REMOVE = frozenset({GreetingVerb.NO_WELCOME, GreetingVerb.NO_REFUSAL})


async def _draw(screen: AdminScreen, texts: Texts, rules: RuleDesk, channel_id: int) -> None:
    channel, welcome, refusal = await rules.greetings(channel_id)
    markup = keyboards.greetings.card(texts, channel_id, welcome, refusal)
    await screen.show(Page(texts.greetings.card(channel, welcome, refusal), markup))


async def show(
    event: TelegramObject,
    callback_data: GreetingAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
) -> None:
    if await state.get_state() == GreetingForm.text.state:
        await leave(state)
    await _draw(screen, texts, rules, callback_data.channel)


async def begin(
    event: TelegramObject,
    callback_data: GreetingAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    rules: RuleDesk,
) -> None:
    await turn_to(state, GreetingForm, channel=callback_data.channel, is_welcome=callback_data.verb in WELCOME)
    await ask(event, screen, texts, state, rules)


async def ask(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, rules: RuleDesk) -> None:
    await state.set_state(GreetingForm.text)
    data = await state.get_data()
    channel, _, _ = await rules.greetings(data["channel"])
    text = texts.greetings.ask(channel, is_welcome=data["is_welcome"])
    await screen.show(Page(text, keyboards.greetings.ask(texts, channel.id)))


async def receive(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, rules: RuleDesk) -> None:
    data = await state.get_data()
    await rules.set_greeting(data["channel"], message.text, is_welcome=data["is_welcome"])
    await leave(state)
    await _draw(screen, texts, rules, data["channel"])


async def remove(
    event: TelegramObject, callback_data: GreetingAction, screen: AdminScreen, texts: Texts, rules: RuleDesk
) -> None:
    await rules.set_greeting(callback_data.channel, None, is_welcome=callback_data.verb in WELCOME)
    await _draw(screen, texts, rules, callback_data.channel)


PROMPTS: dict[str, Prompt] = {str(GreetingForm.text.state): ask}


def build() -> Router:
    router = Router(name="greetings")
    router.callback_query.register(show, GreetingAction.filter(F.verb == GreetingVerb.SHOW))
    router.callback_query.register(begin, GreetingAction.filter(F.verb.in_(ASK)))
    router.callback_query.register(remove, GreetingAction.filter(F.verb.in_(REMOVE)))
    router.message.register(receive, GreetingForm.text, F.text)
    return router
