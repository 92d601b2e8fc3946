"""The one live screen of an admin: a message that is edited in place as the admin moves.

A tap edits the message that was tapped (which makes it the live one) and answers the callback: two Bot API calls.
A typed message pushes the screen up, so the next page is sent below it and the old screen is taken away; where it
is too old to delete (48 h, TELEGRAM.md) it is edited to say that it moved.

A page may have a picture. Telegram lets a bot edit a text into a picture with a caption, and one picture into another,
but no picture back into a text: that page is sent below, and the picture is taken away.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
)

from handlers.texts import Texts
from handlers.texts.base import unmarked
from storage.models import Screen

log = logging.getLogger(__name__)

ALERT_CHARACTERS = 200
TAPS_IN_RESERVE = 10


Offered = Callable[[InlineKeyboardMarkup], InlineKeyboardMarkup]


@dataclass(frozen=True, slots=True)
class Page:
    """What a screen shows. `run_id`: it is the card of that run, to be redrawn while it works. `photo`: a PNG or JPEG
    above the text, which has 1,024 characters at most then."""

    text: str
    markup: InlineKeyboardMarkup | ReplyKeyboardMarkup | None = None
    run_id: int | None = None
    photo: bytes | None = field(default=None, repr=False)

    def for_reader(self, offered: Offered) -> Self:
        if not isinstance(self.markup, InlineKeyboardMarkup):
            return self
        return replace(self, markup=offered(self.markup))


class Shows(Protocol):
    """Whatever a page can be shown on."""

    async def show(self, page: Page) -> int | None:
        """The id of the message that is the screen now; None: it was shown beside the screen."""


class ScreenStore(Protocol):
    """Where the screens are remembered (storage/screens.py)."""

    async def get(self, admin_id: int) -> Screen | None: ...

    async def put(self, admin_id: int, message_id: int, run_id: int | None = None) -> object: ...

    async def set_run(self, admin_id: int, run_id: int | None) -> None: ...

    async def watching(self, run_id: int) -> list[Screen]: ...


class Pace(Protocol):
    """What Telegram lets the bot do in a chat (bot/pace.py)."""

    def spare(self, chat_id: int) -> float: ...


class Screens:
    """Knows where each admin's screen is, and draws on it."""

    def __init__(self, bot: Bot, store: ScreenStore, pace: Pace) -> None:
        self._bot = bot
        self._store = store
        self._pace = pace
        self._pictures: dict[int, int] = {}  # admin -> the message that is known to show one
        self._drawn: Counter[int] = Counter()  # by admin
        self._kept: dict[int, tuple[int, int | None]] = {}  # admin -> what the store has: message and run

    def drawn(self, admin_id: int) -> int:
        """How often the admin's screen was drawn: another number later says that it shows something else by then."""
        return self._drawn[admin_id]

    async def live(self, admin_id: int) -> int | None:
        """The message that is the admin's screen."""
        screen = await self._store.get(admin_id)
        return screen.message_id if screen is not None else None

    async def edit(self, admin_id: int, message_id: int, page: Page) -> bool:
        """Draw on that message, which is the live one from now on. False: it cannot be edited any more."""
        self._drawn[admin_id] += 1
        if not await self._draw(admin_id, message_id, page):
            return False
        await self._keep(admin_id, message_id, page.run_id)
        return True

    async def _keep(self, admin_id: int, message_id: int, run_id: int | None) -> None:
        """Most taps draw on the same message once more: that is stored already, and a write waits for the disk."""
        if self._kept.get(admin_id) != (message_id, run_id):
            await self._store.put(admin_id, message_id, run_id)
            self._kept[admin_id] = (message_id, run_id)

    async def _draw(self, admin_id: int, message_id: int, page: Page) -> bool:
        markup = page.markup if isinstance(page.markup, InlineKeyboardMarkup) else None
        if page.photo is None and self._pictures.get(admin_id) == message_id:
            return False
        try:
            if page.photo is not None:
                media = InputMediaPhoto(media=_upload(page.photo), caption=page.text)
                await self._bot.edit_message_media(media, chat_id=admin_id, message_id=message_id, reply_markup=markup)
                self._pictures[admin_id] = message_id
            else:
                await self._bot.edit_message_text(
                    page.text, chat_id=admin_id, message_id=message_id, reply_markup=markup
                )
        except TelegramBadRequest as error:
            # A picture from before a restart says "there is no text in the message to edit".
            return "message is not modified" in error.message
        return True

    async def send(self, admin_id: int, page: Page) -> int:
        """Draw on a new message below, and take the old screen away. The id of the new one."""
        self._drawn[admin_id] += 1
        old = await self._store.get(admin_id)
        if page.photo is not None:
            photo = _upload(page.photo)
            message = await self._bot.send_photo(admin_id, photo, caption=page.text, reply_markup=page.markup)
            self._pictures[admin_id] = message.message_id
        else:
            message = await self._bot.send_message(admin_id, page.text, reply_markup=page.markup)
        await self._keep(admin_id, message.message_id, page.run_id)
        if old is not None:
            await self._retire(admin_id, old.message_id)
        return message.message_id

    async def _retire(self, admin_id: int, message_id: int) -> None:
        try:
            await self._bot.delete_message(admin_id, message_id)
        except TelegramBadRequest:
            try:
                await self._bot.edit_message_text(Texts().home.moved(), chat_id=admin_id, message_id=message_id)
            except TelegramBadRequest as error:
                log.debug("an old screen stays as it is: %s", error.message, extra={"admin_id": admin_id})

    async def watching(self, run_id: int) -> list[Screen]:
        """The screens that show the card of this run."""
        return await self._store.watching(run_id)

    def has_room(self, admin_id: int) -> bool:
        """Whether a card may move its bar without taking room from the admin's taps."""
        return self._pace.spare(admin_id) > TAPS_IN_RESERVE

    async def redraw(self, admin_id: int, message_id: int, page: Page) -> None:
        """Draw a run's card again where it is watched; a message that cannot be edited any more watches no longer."""
        if not await self._draw(admin_id, message_id, page):
            self._kept.pop(admin_id, None)
            await self._store.set_run(admin_id, None)

    async def tell(self, admin_id: int, page: Page) -> bool:
        """A message of its own beside the screen. False: they blocked the bot or never started it; that is logged."""
        try:
            await self._bot.send_message(admin_id, page.text, reply_markup=page.markup)
        except (TelegramForbiddenError, TelegramBadRequest) as error:
            log.warning("an admin cannot be written to: %s", error.message, extra={"admin_id": admin_id})
            return False
        return True

    async def remove_reply_keyboard(self, admin_id: int, text: str) -> None:
        """A reply keyboard only goes with a message that says so; the message goes at once."""
        message = await self._bot.send_message(admin_id, text, reply_markup=ReplyKeyboardRemove())
        await self._bot.delete_message(admin_id, message.message_id)


def _upload(photo: bytes) -> BufferedInputFile:
    return BufferedInputFile(photo, "picture.png")


class LiveScreen:
    """The screen of an admin who did nothing just now: something moved by itself."""

    def __init__(self, screens: Screens, admin_id: int) -> None:
        self._screens = screens
        self._admin_id = admin_id

    async def message_id(self) -> int | None:
        return await self._screens.live(self._admin_id)

    async def show(self, page: Page) -> int:
        """In place; below, where that cannot be."""
        message_id = await self.message_id()
        if message_id is not None and await self._screens.edit(self._admin_id, message_id, page):
            return message_id
        return await self._screens.send(self._admin_id, page)

    async def redraw(self, page: Page) -> bool:
        """In place, or not at all."""
        message_id = await self.message_id()
        return message_id is not None and await self._screens.edit(self._admin_id, message_id, page)


class BesideScreen:
    """A message of its own, for what happens by itself while an admin's screen shows something else."""

    def __init__(self, screens: Screens, admin_id: int) -> None:
        self._screens = screens
        self._admin_id = admin_id

    async def show(self, page: Page) -> None:
        await self._screens.tell(self._admin_id, page)


class AdminScreen:
    """The screen as a handler sees it: bound to the admin and to what the admin just did.

    `offered` takes the buttons away that this reader may not press (handlers/access.py).
    """

    def __init__(self, screens: Screens, admin_id: int, update: Update, offered: Offered) -> None:
        self._screens = screens
        self._offered = offered
        self._callback: CallbackQuery | None = update.callback_query
        self._message: Message | None = update.message
        self._answered = False
        self.admin_id = admin_id

    async def show(self, page: Page) -> int:
        """The id of the message that is the screen now."""
        page = page.for_reader(self._offered)
        tapped = self._callback.message if self._callback else None
        if tapped is not None and tapped.chat.id != self.admin_id:
            tapped = None  # a group's message is nobody's screen
        if (
            tapped is None
            or isinstance(page.markup, ReplyKeyboardMarkup)
            or (page.photo is None and isinstance(tapped, Message) and tapped.photo)
            or not await self._screens.edit(self.admin_id, tapped.message_id, page)
        ):
            return await self._screens.send(self.admin_id, page)
        return tapped.message_id

    async def answer(self, text: str | None = None, *, alert: bool = False) -> None:
        """Answer the callback, once: before slow work, or with a word for the admin."""
        if self._callback is None or self._answered:
            return
        self._answered = True
        try:
            await self._callback.answer(unmarked(text)[:ALERT_CHARACTERS] if text else None, show_alert=alert)
        except TelegramAPIError as error:
            # Too old after a restart, for example. The work itself is done or goes on.
            log.debug("a callback could not be answered: %s", type(error).__name__, extra={"admin_id": self.admin_id})

    async def alert(self, text: str) -> bool:
        """Over the screen, which stays as it is. False: nothing was tapped, or the text is too long for that."""
        if self._callback is None or self._answered or len(unmarked(text)) > ALERT_CHARACTERS:
            return False
        await self.answer(text, alert=True)
        return True

    async def delete_typed(self) -> bool:
        """Take away what the admin just sent. False: Telegram refused, the admin must do it."""
        if self._message is None:
            return True
        try:
            await self._message.delete()
        except TelegramBadRequest:
            return False
        return True

    async def remove_reply_keyboard(self, text: str) -> None:
        await self._screens.remove_reply_keyboard(self.admin_id, text)
