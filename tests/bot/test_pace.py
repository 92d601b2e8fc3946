"""Spacing on the Bot API, at the sandbox's limits (burst 20, one a second)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest

from bot.pace import BURST, ChatPace
from sandbox.app import Sandbox, open_sandbox


class Time:
    """A clock that only sleeping moves: the pace's, and through it the World's buckets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(scenario="jetty", data_dir=tmp_path) as opened:
        opened.world.send_private(opened.bot.id, opened.admin_id, opened.admin_id, text="/start")
        yield opened


def bot_with(sandbox: Sandbox, pace: ChatPace) -> Bot:
    bot = Bot(sandbox.bot_token, AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api)))
    bot.session.middleware(pace)
    return bot


async def test_beyond_the_burst_calls_wait_for_their_turn(sandbox: Sandbox) -> None:
    """Twenty go at once, the next ones a second apart; the chat's spare room tells so."""
    time = Time()
    pace = ChatPace(clock=time.clock, sleep=time.sleep)
    bot = bot_with(sandbox, pace)
    sandbox.api.limits.enabled = False
    for number in range(23):
        await bot.send_message(sandbox.admin_id, str(number))
    assert time.slept == [1.0, 1.0, 1.0]
    assert pace.spare(sandbox.admin_id) == 0
    assert pace.spare(sandbox.admin_id + 1) == BURST
    await bot.session.close()


async def test_a_group_takes_twenty_a_minute(sandbox: Sandbox) -> None:
    """A burst goes at once, the next ones three seconds apart, and the sandbox, which counts too, refuses none."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        sandbox.world.clock_offset_s += round(seconds)

    pace = ChatPace(clock=lambda: sandbox.world.clock_offset_s, sleep=sleep)
    bot = bot_with(sandbox, pace)
    group = next(channel for channel in sandbox.world.channels.values() if channel.megagroup)
    for number in range(25):
        await bot.send_message(group.peer, str(number))
    assert slept == pytest.approx([3.0] * 5)
    await bot.session.close()


async def test_chats_that_are_quiet_again_are_forgotten(sandbox: Sandbox) -> None:
    """Everybody who asks to join may be greeted once: what is remembered is bounded by the last seconds, and right."""
    time = Time()
    pace = ChatPace(clock=time.clock, sleep=time.sleep)
    bot = bot_with(sandbox, pace)
    sandbox.api.limits.enabled = False
    for number in range(200):
        if number % 10 == 0:
            await bot.send_message(sandbox.admin_id, str(number))
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(10_000 + number, "nobody")
        time.now += 0.25
    assert time.slept == []
    assert pace.remembered <= 10
    assert pace.spare(sandbox.admin_id) == pytest.approx(BURST)
    for number in range(23):
        await bot.send_message(sandbox.admin_id, str(number))
        await bot.send_message(sandbox.admin_id, str(number))
    assert time.slept == [1.0] * 26
    await bot.session.close()


async def test_a_429_is_obeyed_and_the_call_repeated(sandbox: Sandbox) -> None:
    """Telegram knows better than our count: what it asks for is waited, then the message goes out."""
    pace = ChatPace()
    bot = bot_with(sandbox, pace)
    sandbox.faults.add("sendMessage", error="FLOOD_WAIT_1", times=1)
    sent = await bot.send_message(sandbox.admin_id, "after all")
    assert sent.text == "after all"
    assert pace.spare(sandbox.admin_id) < 3
    await bot.session.close()
