"""What the tests of both HTTP APIs stand on: `jetty` behind HTTP, an unmodified aiogram Bot, people who chat."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, TelegramObject

from sandbox import scenarios
from sandbox.bot_api import BotApi
from sandbox.driver import Actor, Driver
from sandbox.faults import Faults
from sandbox.front import open_front
from sandbox.mtproto.network import Network
from sandbox.world import Account, Channel, World

TOKEN = "control-token"


@dataclass
class Stage:
    world: World
    api: BotApi
    faults: Faults
    network: Network
    url: str
    bot: Bot
    driver: Driver
    http: aiohttp.ClientSession

    @property
    def me(self) -> Account:
        return self.world.accounts[self.bot.id]

    @property
    def admin(self) -> Actor:
        return Actor(self.driver, self.world.admin_id, self.bot.id)

    @property
    def group(self) -> Channel:
        """Where people wait and the bot is an administrator."""
        return max(self.world.channels.values(), key=lambda channel: len(channel.requests))

    @property
    def archive(self) -> Channel:
        """The private channel with documents; the bot is not in it."""
        return next(c for c in self.world.channels.values() if c.username is None and not c.megagroup)

    async def raw(self, method: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a call made by hand, its arguments as JSON."""
        async with self.http.post(f"{self.url}/bot{self.bot.token}/{method}", json=arguments) as response:
            return response.status, await response.json()

    async def updates(self, **options: Any) -> list[Any]:
        """What waits for the bot, acknowledged."""
        found = await self.bot.get_updates(timeout=0, **options)
        for update in found:
            check_fields(update)
        if found:
            await self.bot.get_updates(offset=found[-1].update_id + 1, limit=1, timeout=0)
        return found

    async def started(self) -> Actor:
        """The admin has pressed Start, and the bot knows."""
        admin = self.admin
        await admin.send("/start")
        await self.updates()
        return admin


def check_fields(value: object) -> None:
    """aiogram keeps what it does not know, so that a misspelt field would pass: nothing unknown may be in there."""
    if isinstance(value, TelegramObject):
        assert not value.model_extra, f"{type(value).__name__} has no {sorted(value.model_extra)}"
        for name in type(value).model_fields:
            check_fields(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            check_fields(item)


def keyboard(*labels: str) -> InlineKeyboardMarkup:
    """One row; each button's data is its label in lower case behind "v1:"."""
    row = [InlineKeyboardButton(text=label, callback_data=f"v1:{label.lower()}") for label in labels]
    return InlineKeyboardMarkup(inline_keyboard=[row])


@asynccontextmanager
async def open_stage(press_timeout_s: float = 15.0) -> AsyncIterator[Stage]:
    world, faults, network = scenarios.build("jetty"), Faults(), Network()
    token = next(account.token for account in world.accounts.values() if account.is_bot)
    assert token is not None
    async with (
        open_front(world, faults, network, TOKEN, press_timeout_s=press_timeout_s) as front,
        Driver.open(front.url, TOKEN) as driver,
        aiohttp.ClientSession() as http,
    ):
        session = AiohttpSession(api=TelegramAPIServer.from_base(front.url))
        bot = Bot(token, session, DefaultBotProperties(parse_mode="HTML"))
        try:
            yield Stage(world, front.api, faults, network, front.url, bot, driver, http)
        finally:
            await session.close()
