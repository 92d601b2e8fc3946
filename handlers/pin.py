"""The keypad of an owner's PIN: before marked acts (handlers/access.py), and to set it.

As with a login's code, buttons carry slots; which digit lies in which slot and what was tapped so far stands in the
sealed FSM data. An open conversation is kept below the keypad and goes on when the keypad is left.
"""

import secrets
from typing import Any

from aiogram import F, Router
from aiogram.enums import ChatType
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardMarkup,
    MaybeInaccessibleMessageUnion,
    Message,
    TelegramObject,
)

from handlers import keyboards
from handlers.callbacks import Go, PinAction, PinKey, PinVerb, Place, SafetyAction, SafetyVerb
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.states import PinForm
from handlers.texts import Texts
from services.errors import PinLocked, PinWrong
from services.pins import LONGEST, SHORTEST, PinService

PAD = "pin"
"""In the FSM data: the keypad. `then`: the press that waits for the PIN; without it a new PIN is being set, and `first`
is its first entry. `state`: the conversation below. `back`: the message that was pressed, as it stood before."""
ENTRY = str(PinForm.entry.state)

# -- called by the door


async def ask(event: CallbackQuery, data: dict[str, Any]) -> None:
    """Show the keypad in place of the handler. Raises PinLocked."""
    await data["pins"].check_unlocked(data["admin"].user_id)
    await _deal(data["screen"], data["texts"], data["state"], then=event.data, back=_kept(event.message))


async def is_answer(event: CallbackQuery, data: dict[str, Any]) -> bool:
    """The keypad's ✓, of a keypad that stands before another press."""
    if not (event.data or "").startswith(f"{PinAction.__prefix__}:"):
        return False
    pad = await _pad(data["state"])
    return pad is not None and pad["then"] is not None and event.data == _submit(pad).pack()


async def answer(data: dict[str, Any]) -> str | None:
    """The press that may go on. None: a wrong PIN, which the screen says."""
    screen, texts, state = data["screen"], data["texts"], data["state"]
    pad = await _pad(state)
    assert pad is not None
    try:
        await data["pins"].give(screen.admin_id, pad["typed"])
    except PinWrong as error:
        await _deal(screen, texts, state, then=pad["then"], trouble=texts.errors.of(error))
        return None
    except PinLocked as error:
        await _close(state)
        await screen.show(Page(texts.errors.of(error), keyboards.only_home(texts)))
        return None
    data["raw_state"] = await _close(state)
    return str(pad["then"])


async def leave(event: TelegramObject, data: dict[str, Any]) -> None:
    """Whatever is done beside the keypad closes it. Typed text is no way to leave: it is asked for again."""
    if data["raw_state"] != ENTRY:
        return
    if isinstance(event, CallbackQuery):
        is_pad = (event.data or "").startswith((f"{PinKey.__prefix__}:", f"{PinAction.__prefix__}:"))
    else:
        is_pad = isinstance(event, Message) and not (event.text or "").startswith("/")
    if not is_pad:
        data["raw_state"] = await _close(data["state"])


# -- the keypad


def _kept(message: MaybeInaccessibleMessageUnion | None) -> dict[str, Any] | None:
    """A page that can be shown again. None: of a message that Telegram does not tell any more, or of a picture."""
    if not isinstance(message, Message) or message.text is None or message.chat.type != ChatType.PRIVATE:
        return None
    markup = message.reply_markup
    keys = markup.model_dump(mode="json", exclude_none=True, exclude_defaults=True) if markup is not None else None
    return {"text": message.html_text, "keys": keys}


def _before(pad: dict[str, Any], texts: Texts) -> Page:
    """Its buttons ask again, and count no longer than they would have."""
    back = pad.get("back")
    if back is None:
        return Page(texts.home.cancelled(), keyboards.only_home(texts))
    keys = InlineKeyboardMarkup.model_validate(back["keys"]) if back["keys"] is not None else keyboards.only_home(texts)
    return Page(back["text"], keys)


async def _pad(state: FSMContext) -> dict[str, Any] | None:
    return (await state.get_data()).get(PAD) if await state.get_state() == ENTRY else None


def _submit(pad: dict[str, Any]) -> PinAction:
    return PinAction(pad=pad["pad"], verb=PinVerb.SUBMIT)


async def _deal(
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    *,
    then: str | None = None,
    first: str | None = None,
    trouble: str | None = None,
    back: dict[str, Any] | None = None,
) -> None:
    """A keypad with its digits in new slots."""
    old = await _pad(state)
    pad = {
        "pad": secrets.randbelow(2**31),
        "slots": "".join(secrets.SystemRandom().sample("0123456789", 10)),
        "typed": "",
        "then": then,
        "first": first,
        "state": old["state"] if old else await state.get_state(),
        "back": old.get("back") if old else back,
    }
    await state.set_state(PinForm.entry)
    await state.update_data({PAD: pad})
    await _draw(screen, texts, pad, trouble)


async def _draw(screen: AdminScreen, texts: Texts, pad: dict[str, Any], trouble: str | None = None) -> None:
    typed = len(pad["typed"])
    if pad["then"] is not None:
        text = texts.people.ask_pin(typed, trouble)
    else:
        text = texts.people.ask_new_pin(typed, trouble, again=pad["first"] is not None)
    markup = keyboards.people.keypad(texts, pad["pad"], pad["slots"], submit=typed >= SHORTEST)
    await screen.show(Page(text, markup))


async def _close(state: FSMContext) -> str | None:
    """Back to what was below. Answers that state's name."""
    data = await state.get_data()
    pad = data.pop(PAD, None)
    below: str | None = pad["state"] if pad else None
    await state.set_data(data)
    await state.set_state(below)
    return below


async def press_key(
    event: TelegramObject, callback_data: PinKey, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    pad = await _pad(state)
    if pad is None or pad["pad"] != callback_data.pad:
        await screen.answer(texts.login.keypad_is_old(), alert=True)
        return
    pad["typed"] = (pad["typed"] + pad["slots"][callback_data.slot % 10])[:LONGEST]
    await state.update_data({PAD: pad})
    await screen.answer()  # as at a login's keypad
    await _draw(screen, texts, pad)


async def use_pad(
    event: TelegramObject,
    callback_data: PinAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    pins: PinService,
) -> None:
    """Take back a digit, leave, or go on with a new PIN. The ✓ before an act is the door's."""
    pad = await _pad(state)
    if pad is None or pad["pad"] != callback_data.pad:
        await screen.answer(texts.login.keypad_is_old(), alert=True)
    elif callback_data.verb is PinVerb.BACKSPACE:
        pad["typed"] = pad["typed"][:-1]
        await state.update_data({PAD: pad})
        await _draw(screen, texts, pad)
    elif callback_data.verb is PinVerb.QUIT:
        await _quit(event, pad, screen, texts, state, pins)
    else:
        await _take_new(pad, screen, texts, state, pins)


async def _quit(
    event: TelegramObject,
    pad: dict[str, Any],
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    pins: PinService,
) -> None:
    """Back to where the keypad came from, with a word that nothing happened."""
    await _close(state)
    await screen.answer(texts.home.cancelled())
    if pad["then"] is None:
        await show_safety(event, screen, texts, state, pins)
    else:
        await screen.show(_before(pad, texts))


async def _take_new(
    pad: dict[str, Any], screen: AdminScreen, texts: Texts, state: FSMContext, pins: PinService
) -> None:
    typed, first = pad["typed"], pad["first"]
    if len(typed) < SHORTEST:
        await _draw(screen, texts, pad, texts.people.pin_too_short())
    elif first is None:
        await _deal(screen, texts, state, first=typed)
    elif typed != first:
        await _deal(screen, texts, state, trouble=texts.people.pins_differ())
    else:
        await _close(state)
        await pins.set(screen.admin_id, typed)
        await screen.show(Page(texts.people.pin_is_set(), keyboards.only_home(texts, Go(to=Place.ADMINS))))


async def receive_typed(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """A PIN does not belong in a chat."""
    await receive_secret(message, screen, texts)
    pad = await _pad(state)
    if pad is not None:
        await _draw(screen, texts, pad, texts.people.tap_the_pin())


# -- one's own PIN


async def show_safety(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, pins: PinService
) -> None:
    await park(state)
    has = await pins.has(screen.admin_id)
    await screen.show(Page(texts.people.safety(has=has), keyboards.people.safety(texts, has=has)))


async def ask_new(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await _deal(screen, texts, state)


async def remove(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, pins: PinService) -> None:
    await pins.remove(screen.admin_id)
    await show_safety(event, screen, texts, state, pins)


def build() -> Router:
    router = Router(name="pin")
    router.callback_query.register(press_key, PinKey.filter())
    router.callback_query.register(use_pad, PinAction.filter())
    router.message.register(receive_typed, PinForm.entry)
    router.callback_query.register(show_safety, Go.filter(F.to == Place.SAFETY))
    router.callback_query.register(ask_new, SafetyAction.filter(F.verb == SafetyVerb.SET))
    router.callback_query.register(remove, SafetyAction.filter(F.verb == SafetyVerb.REMOVE))
    return router
