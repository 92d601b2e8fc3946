"""The sandbox's HTTP server on 127.0.0.1: Bot API, control API and page of one World, at one address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from sandbox.bot_api import BotApi
from sandbox.control import PRESS_TIMEOUT_S, ControlApi
from sandbox.faults import Faults
from sandbox.mtproto.network import Network
from sandbox.web import Page
from sandbox.world import World

HOST = "127.0.0.1"
MAX_BODY_BYTES = 64 * 1024 * 1024
SHUTDOWN_S = 2.0
"""How long open calls may take to end; long polls and streams are told to end at once."""


@dataclass(frozen=True)
class Front:
    url: str
    port: int
    api: BotApi


@asynccontextmanager
async def open_front(
    world: World,
    faults: Faults,
    network: Network,
    token: str,
    *,
    port: int = 0,
    press_timeout_s: float = PRESS_TIMEOUT_S,
) -> AsyncIterator[Front]:
    """`token` opens the control API and the page. Port 0 picks a free one. Raises OSError when the port is taken."""
    api = BotApi(world, faults)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.add_routes(api.routes())
    control = ControlApi(world, api, faults, network, token, press_timeout_s=press_timeout_s)
    app.add_subapp("/sandbox", control.app())
    app.add_routes(Page(token).routes())
    # No access log: its lines would carry the bot's token.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await site.start()
        yield Front(f"http://{HOST}:{site.port}", site.port, api)
    finally:
        api.close()
        control.close()
        await runner.cleanup()
