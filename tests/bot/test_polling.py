"""The update loop: what is acknowledged is safe, and what goes wrong is waited out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from aiogram import Bot, Dispatcher, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramConflictError, TelegramUnauthorizedError
from aiogram.types import ChatJoinRequest, Message

from bot.polling import ASKED_FOR, AnotherPoller, Poller, WebhookSet, first_poll
from handlers import build_router
from sandbox.app import Sandbox, open_sandbox


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(scenario="jetty", data_dir=tmp_path) as opened:
        yield opened


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    opened = Bot(sandbox.bot_token, AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api)))
    yield opened
    await opened.session.close()


def gate(sandbox: Sandbox):  # type: ignore[no-untyped-def]
    return max(sandbox.world.channels.values(), key=lambda channel: len(channel.requests))


def newcomers(sandbox: Sandbox, count: int) -> list[int]:
    channel = gate(sandbox)
    free = [a.id for a in sandbox.world.accounts.values() if not a.is_bot and a.id not in channel.requests]
    return [user_id for user_id in free if user_id not in channel.members][:count]


async def test_requests_that_cannot_be_stored_come_again(sandbox: Sandbox, bot: Bot) -> None:
    """While storing fails (a full disk), the batch is not acknowledged: it comes again until it is stored."""
    tries: list[list[int]] = []
    stop = asyncio.Event()

    async def take(requests: list[ChatJoinRequest]) -> None:
        tries.append([request.from_user.id for request in requests])
        if len(tries) < 3:
            raise OSError("no space left")
        stop.set()

    asked = newcomers(sandbox, 1)
    sandbox.world.ask_to_join(gate(sandbox), asked)
    await asyncio.wait_for(Poller(bot, Dispatcher(), take, (0.05,)).run(stop), 20)
    assert tries == [asked, asked, asked]
    assert await bot.get_updates(timeout=0) == []


async def test_handlers_get_time_to_finish_and_their_update_is_not_handled_twice(sandbox: Sandbox, bot: Bot) -> None:
    """A stop in the middle of a handler waits for it, then acknowledges it."""
    started, finished = asyncio.Event(), []

    async def slow(message: Message) -> None:
        started.set()
        await asyncio.sleep(0.3)
        finished.append(message.text)

    router = Router()
    router.message.register(slow)
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    stop = asyncio.Event()
    running = asyncio.create_task(Poller(bot, dispatcher, _none).run(stop))
    sandbox.world.send_private(sandbox.bot.id, sandbox.admin_id, sandbox.admin_id, text="hello")
    await asyncio.wait_for(started.wait(), 10)
    stop.set()
    await running
    assert finished == ["hello"]
    assert await bot.get_updates(timeout=0) == []


async def test_a_second_poller_is_noticed(sandbox: Sandbox, bot: Bot) -> None:
    """When somebody else keeps polling with this token, the loop ends with an error that says so."""

    async def rival() -> None:
        other = Bot(sandbox.bot_token, AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api)))
        try:
            while True:
                with suppress(TelegramConflictError):
                    await other.get_updates(timeout=20)
        finally:
            await other.session.close()

    rivalling = asyncio.create_task(rival())
    try:
        with pytest.raises(AnotherPoller):
            await asyncio.wait_for(Poller(bot, Dispatcher(), _none, (0.3,)).run(asyncio.Event()), 20)
    finally:
        rivalling.cancel()
        await asyncio.gather(rivalling, return_exceptions=True)


async def test_a_webhook_is_no_second_poller(sandbox: Sandbox, bot: Bot) -> None:
    """Another program's webhook ends the loop at once, and says what to do; it is no Porter that uses our accounts."""
    await bot.set_webhook("https://elsewhere.example/updates")
    with pytest.raises(WebhookSet, match="deleteWebhook"):
        await asyncio.wait_for(Poller(bot, Dispatcher(), _none, (0.3,)).run(asyncio.Event()), 20)


async def _none(requests: list[ChatJoinRequest]) -> None:
    raise AssertionError("no join request was expected")


async def test_what_is_asked_for_is_what_the_routers_take() -> None:
    """The first poll names the kinds of updates before the routers are there: they are theirs, and the requests."""
    dispatcher = Dispatcher()
    dispatcher.include_router(build_router())
    assert sorted({*dispatcher.resolve_used_update_types(), "chat_join_request"}) == ASKED_FOR


async def test_what_the_first_poll_brings_is_taken_once_the_loop_works(sandbox: Sandbox, bot: Bot) -> None:
    """Sent before anything could take its updates: they wait in it, and the next poll acknowledges them."""
    taken: list[int] = []
    stop = asyncio.Event()

    async def take(requests: list[ChatJoinRequest]) -> None:
        taken.extend(request.from_user.id for request in requests)
        stop.set()

    asked = newcomers(sandbox, 2)
    async with first_poll(bot) as first:
        sandbox.world.ask_to_join(gate(sandbox), asked)
        await asyncio.wait_for(asyncio.wait({first}), 20)
        await asyncio.wait_for(Poller(bot, Dispatcher(), take, first=first).run(stop), 20)
    assert taken == asked
    assert await bot.get_updates(timeout=0) == []


async def test_a_first_poll_that_nobody_takes_over_acknowledges_nothing(sandbox: Sandbox, bot: Bot) -> None:
    """A start that fails meanwhile, or is told to stop, leaves every update where it was."""
    asked = newcomers(sandbox, 1)
    async with first_poll(bot) as first:
        sandbox.world.ask_to_join(gate(sandbox), asked)
        await asyncio.wait_for(asyncio.wait({first}), 20)
    async with first_poll(bot):
        pass
    (update,) = await bot.get_updates(timeout=0)
    assert update.chat_join_request is not None
    assert [update.chat_join_request.from_user.id] == asked


async def test_a_void_token_is_known_before_anything_works(sandbox: Sandbox) -> None:
    """The answer to the first poll is enough: nothing has been started by then."""
    void = Bot("1:void", AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api)))
    try:
        async with first_poll(void) as first:
            await asyncio.wait_for(asyncio.wait({first}), 20)
            with pytest.raises(TelegramUnauthorizedError):
                Poller(void, Dispatcher(), _none, first=first).check_token()
    finally:
        await void.session.close()
