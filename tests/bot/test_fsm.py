"""Whose turn it is in a conversation."""

import asyncio

from aiogram.fsm.storage.base import StorageKey

from bot.fsm import Turns

STRANGERS = 1000


async def test_one_after_the_other_and_nobody_is_remembered() -> None:
    """Of one person in the order they came, of others beside them; when all is handled, no lock is left."""
    turns, go_on, said = Turns(), asyncio.Event(), list[str]()

    async def handle(user_id: int, what: str, waits: bool = False) -> None:
        async with turns.lock(StorageKey(bot_id=1, chat_id=user_id, user_id=user_id)):
            if waits:
                await go_on.wait()
            said.append(what)

    first = asyncio.create_task(handle(-1, "first", waits=True))
    await asyncio.sleep(0)
    second = asyncio.create_task(handle(-1, "second"))
    await asyncio.gather(*(handle(user_id, "stranger") for user_id in range(STRANGERS)))
    assert said == ["stranger"] * STRANGERS
    assert turns.held == 1
    go_on.set()
    await asyncio.gather(first, second)
    del first, second
    assert said[STRANGERS:] == ["first", "second"]
    assert turns.held == 0
