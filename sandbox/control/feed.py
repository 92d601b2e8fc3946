"""What happens, told at once to whoever looks through an account's eyes: server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from sandbox.control import view
from sandbox.control.looking import account_of, sees
from sandbox.world import (
    SERVICE_ID,
    Account,
    CommandsChanged,
    Event,
    MembershipChanged,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    RequestsChanged,
    ServiceMessageSent,
    World,
)

STATE_INTERVAL_S = 0.5
SIGN_OF_LIFE_S = 15.0
"""How often a quiet stream says something: that is also when one whose reader has gone is noticed."""
RETRY_MS = 1000
MAX_WAITING = 2000
"""Messages that a stream keeps for a slow reader. Beyond that it ends: the reader comes back and reads anew."""

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Feed:
    def __init__(self, world: World) -> None:
        self._world = world
        self._streams: set[_Stream] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/events", self.events)]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """`message`, `chats`, `state` and `commands`, until the reader goes or the sandbox stops."""
        stream = _Stream(self._world, account_of(self._world, request))
        forget = self._world.listen(stream.on_event)
        self._streams.add(stream)
        try:
            response = web.StreamResponse(headers=HEADERS)
            await response.prepare(request)
            await _serve(response, stream)
        except ConnectionResetError:
            return response  # the reader has gone
        finally:
            self._streams.discard(stream)
            stream.end()
            forget()
        return response

    def close(self) -> None:
        """End all streams at once."""
        for stream in self._streams:
            stream.end()


async def _serve(response: web.StreamResponse, stream: "_Stream") -> None:
    await response.write(f"retry: {RETRY_MS}\n\n".encode())
    while not stream.ended:
        try:
            async with asyncio.timeout(SIGN_OF_LIFE_S):
                await stream.news.wait()
        except TimeoutError:
            await response.write(b": still here\n\n")
            continue
        for name, content in stream.take():
            await response.write(f"event: {name}\ndata: {json.dumps(content)}\n\n".encode())
    await response.write_eof()


class _Stream:
    """What waits for one reader. A message that changes again before it is read is told once, as it is then."""

    def __init__(self, world: World, account: Account) -> None:
        self.news = asyncio.Event()
        self.ended = False
        self._world = world
        self._account = account
        self._messages: dict[tuple[int, int], Message] = {}
        self._others: dict[tuple[str, int], None] = {}  # event and the peer that it is about, or 0
        self._state_due: asyncio.TimerHandle | None = None

    def on_event(self, event: Event) -> None:
        match event:
            case MessageSent(message) | MessageEdited(message):
                self._message(message)
            case ServiceMessageSent(user, message) if user == self._account.id:
                self._put(SERVICE_ID, message)
            case MessageDeleted(chat, message_id, bot_id):
                self._deleted(chat, message_id, bot_id)
            case MembershipChanged(_, user):
                if user == self._account.id:
                    self._tell("chats")
                self._state()
            case RequestsChanged():
                self._state()
            case CommandsChanged(bot):
                self._tell("commands", bot)
            case _:
                return  # of logins and sessions nothing is shown

    def take(self) -> Iterator[tuple[str, Any]]:
        """Name and content of each event that waits."""
        messages, others = self._messages, self._others
        self._messages, self._others = {}, {}
        self.news.clear()
        for (peer, _), message in messages.items():
            yield "message", {"peer": peer, "message": view.message(message)}
        for name, peer in others:
            yield name, {"peer": peer} if peer else {}

    def end(self) -> None:
        self.ended = True
        if self._state_due is not None:
            self._state_due.cancel()
        self.news.set()

    def _message(self, message: Message) -> None:
        if message.chat < 0:
            if sees(self._world.channel_by_peer(message.chat), self._account):
                self._put(message.chat, message)
            self._state()
        elif message.chat == self._account.id and message.bot_id is not None:
            self._put(message.bot_id, message)

    def _deleted(self, chat: int, message_id: int, bot_id: int | None) -> None:
        if chat < 0:
            self._message(self._world.channel_by_peer(chat).messages[message_id])
        elif bot_id is not None and chat == self._account.id:
            self._put(bot_id, self._world.private_chat(bot_id, chat)[message_id])

    def _put(self, peer: int, message: Message) -> None:
        self._messages[peer, message.id] = message
        if len(self._messages) > MAX_WAITING:
            self._messages.clear()
            self.end()
        self.news.set()

    def _tell(self, name: str, peer: int = 0) -> None:
        self._others[name, peer] = None
        self.news.set()

    def _state(self) -> None:
        """At most one in each STATE_INTERVAL_S: 2,500 decisions are not 2,500 looks at the figures."""
        if self._state_due is None and not self.ended:
            self._state_due = asyncio.get_running_loop().call_later(STATE_INTERVAL_S, self._state_now)

    def _state_now(self) -> None:
        self._state_due = None
        self._tell("state")
