"""A Telethon client that hands updates on as they come, and asks Telegram nothing because of them.

Telethon's own bookkeeping (one sequence a channel) asks for the difference at each gap, and of every channel it ever
heard of after a quarter of an hour of silence: hundreds of calls that cost flood waits. Porter needs none of it: an
update only says that it is time to look, and the look begins at the source's cursor (docs/decisions/0016).
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from telethon.tl import functions, types
from telethon.tl.tlobject import TLRequest

from services.clients import telethon_convert as convert
from services.clients.answers import PaceWait
from services.clients.base import Asking, Edited, Hear, HearAsking, Missed, News, Posted
from services.clients.peers import id_of_channel, id_of_group
from services.clients.telethon_calls import ask
from services.clients.telethon_history import Unparsed, UnparsedClient
from services.errors import PorterError

log = logging.getLogger(__name__)


class ListeningClient(UnparsedClient):
    """Its connection says that it wants no updates until `listen` is called."""

    _hear: Hear | None = None
    _hear_asking: HearAsking | None = None

    async def listen(self, hear: Hear) -> asyncio.Event:
        """Asks updates.getState: from a call without invokeWithoutUpdates on, Telegram tells this connection. Answers
        what is set once the connection is lost for good. Raises what Telethon raises."""
        self._hear = hear
        return await self._begin()

    async def listen_asking(self, hear: HearAsking) -> asyncio.Event:
        """As `listen`, and beside it: what is told of people who ask to join."""
        self._hear_asking = hear
        return await self._begin()

    async def _begin(self) -> asyncio.Event:
        lost = asyncio.Event()
        self.disconnected.add_done_callback(lambda ended: _look_at(ended, lost))
        await self.set_receive_updates(True)
        return lost

    async def _call(self, sender: Any, request: Any, *args: Any, **options: Any) -> Any:
        """Sent once, as it is: Telethon's own way sleeps two seconds over each 5xx before it hands that on."""
        if isinstance(request, Unparsed) or not isinstance(request, TLRequest):
            return await super()._call(sender, request, *args, **options)
        return await sender.send(functions.InvokeWithoutUpdatesRequest(request) if self._no_updates else request)

    async def _on_login(self, user: Any) -> Any:
        """In the place of Telethon's, which begins its bookkeeping at each connect: updates.getState, getDifference."""
        self._authorized = True
        return user

    async def _update_loop(self) -> None:
        """In the place of Telethon's: started by `connect`, cancelled by `disconnect`."""
        while True:
            updates = await self._updates_queue.get()
            try:
                for news in read(updates):
                    self._tell(news)
            except Exception:
                log.exception("an update was not understood")

    def _tell(self, news: News | Asking) -> None:
        if not isinstance(news, Asking) and self._hear is not None:
            self._hear(news)
        if isinstance(news, Asking | Missed) and self._hear_asking is not None:
            self._hear_asking(news)

    async def _handle_auto_reconnect(self) -> None:
        """In the place of Telethon's: it has come back by itself, with a new MTProto session that must ask for updates
        anew."""
        if self._hear is None and self._hear_asking is None:
            return
        try:
            await ask(self, functions.updates.GetStateRequest())
        except (PorterError, PaceWait) as error:
            log.info("updates were not asked for after a reconnect: %s", type(error).__name__)
        self._tell(Missed())


def _look_at(ended: asyncio.Future[None], lost: asyncio.Event) -> None:
    if not ended.cancelled():
        ended.exception()  # looked at: the pool says what a lost connection means
    lost.set()


def read(updates: Any) -> Iterator[News | Asking]:
    """What an `Updates` object tells of channels and groups. https://core.telegram.org/api/updates"""
    match updates:
        case types.Updates() | types.UpdatesCombined():
            for update in updates.updates:
                yield from _read_one(update)
        case types.UpdateShort():
            yield from _read_one(updates.update)
        case types.UpdateShortChatMessage():
            yield Posted(id_of_group(updates.chat_id), updates.id)
        case types.UpdatesTooLong():
            yield Missed()


def _read_one(update: Any) -> Iterator[News | Asking]:
    match update:
        case types.UpdateNewChannelMessage(message=message) | types.UpdateNewMessage(message=message):
            peer_id = convert.peer_id(message.peer_id)
            if peer_id is not None and peer_id < 0:
                yield Posted(peer_id, message.id)
        case (
            types.UpdateEditChannelMessage(message=types.Message() as message)
            | types.UpdateEditMessage(message=types.Message() as message)
        ):
            peer_id = convert.peer_id(message.peer_id)
            if peer_id is not None and peer_id < 0 and message.edit_date is not None and not message.edit_hide:
                yield Edited(peer_id, convert.post(message))
        case types.UpdatePendingJoinRequests():
            peer_id = convert.peer_id(update.peer)
            if peer_id is not None:
                yield Asking(peer_id, update.requests_pending, tuple(update.recent_requesters))
        case types.UpdateChannelTooLong():
            yield Posted(id_of_channel(update.channel_id), None)
