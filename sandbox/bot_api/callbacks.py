"""A press of an inline button: the query that the bot gets, and its answer to the one who pressed."""

import asyncio
import secrets
from dataclasses import dataclass

from sandbox.bot_api import render
from sandbox.bot_api.errors import QUERY_TOO_OLD, bad_request
from sandbox.bot_api.updates import Updates
from sandbox.world import Message, World, stable_int

LIFETIME_S = 60
"""How long Telegram takes an answer: it tells no number, clients show the spinner for about half a minute."""

MAX_ANSWER_CHARACTERS = 200


@dataclass(frozen=True)
class Answer:
    text: str | None
    alert: bool
    url: str | None = None


@dataclass(frozen=True)
class _Query:
    bot_id: int
    asked_at: int
    answer: asyncio.Future[Answer]


class Callbacks:
    def __init__(self, world: World, updates: Updates) -> None:
        self._world = world
        self._updates = updates
        self._open: dict[str, _Query] = {}

    async def press(self, user_id: int, message: Message, data: str, timeout_s: float) -> Answer:
        """`message` was sent by a bot. Raises TimeoutError when the bot does not answer in time."""
        assert message.bot_id is not None
        query_id = str(secrets.randbits(62))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._forget_old()
        self._open[query_id] = _Query(message.bot_id, self._world.now(), answer)
        self._updates.put(
            message.bot_id,
            "callback_query",
            {
                "id": query_id,
                "from": render.user(self._world.account(user_id)),
                "message": render.message(self._world, message),
                "chat_instance": str(stable_int("chat-instance", message.bot_id, message.chat)),
                "data": data,
            },
        )
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(answer)  # an answer that comes late is still taken from the bot
        except asyncio.CancelledError:
            if answer.cancelled():  # the sandbox closes: nobody will answer any more
                raise TimeoutError from None
            raise

    def answer(self, bot_id: int, query_id: str, answer: Answer) -> None:
        """Raises BotApiError 400 for an unknown, answered or old query."""
        self._forget_old()
        query = self._open.get(query_id)
        if query is None or query.bot_id != bot_id:
            raise bad_request(QUERY_TOO_OLD)
        if answer.text and len(answer.text) > MAX_ANSWER_CHARACTERS:
            raise bad_request("MESSAGE_TOO_LONG")
        del self._open[query_id]
        query.answer.set_result(answer)

    def close(self) -> None:
        for query in self._open.values():
            query.answer.cancel()
        self._open.clear()

    def _forget_old(self) -> None:
        oldest = self._world.now() - LIFETIME_S
        self._open = {key: query for key, query in self._open.items() if query.asked_at >= oldest}
