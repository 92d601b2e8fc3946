"""The routes of the control API behind one door."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.bot_api import BotApi
from sandbox.bot_api.errors import BotApiError
from sandbox.control.access import allowed
from sandbox.control.body import ControlError
from sandbox.control.channels import Channels
from sandbox.control.chats import Chats
from sandbox.control.feed import Feed
from sandbox.control.knobs import Knobs
from sandbox.faults import Faults
from sandbox.mtproto.network import Network
from sandbox.world import World, WorldError

log = logging.getLogger(__name__)

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


PRESS_TIMEOUT_S = 15.0
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class ControlApi:
    """`token`: of this start; whoever has it may do everything here. `press_timeout_s`: for the bot's answer."""

    def __init__(
        self,
        world: World,
        bot_api: BotApi,
        faults: Faults,
        network: Network,
        token: str,
        *,
        press_timeout_s: float = PRESS_TIMEOUT_S,
    ) -> None:
        self._token = token
        self._feed = Feed(world)
        self._views = (
            Chats(world, bot_api, press_timeout_s),
            Channels(world),
            Knobs(world, bot_api, faults, network),
            self._feed,
        )

    def app(self) -> web.Application:
        """To be mounted at /sandbox."""
        app = web.Application(middlewares=[self._door], client_max_size=64 * 1024 * 1024)
        for view in self._views:
            app.add_routes(view.routes())
        return app

    def close(self) -> None:
        """End the streams of events at once."""
        self._feed.close()

    @web.middleware
    async def _door(self, request: web.Request, handler: Next) -> web.StreamResponse:
        if not allowed(request, self._token):
            return _error(403, "this needs the token that the sandbox printed, and a local page")
        try:
            response = await handler(request)
            if not response.prepared:
                response.headers.update(HEADERS)
            return response
        except ControlError as error:
            return _error(error.status, error.sentence)
        except (WorldError, BotApiError) as error:
            return _error(400, str(error))
        except web.HTTPException as error:
            return _error(error.status, error.reason)
        except Exception:
            log.exception("%s %s failed", request.method, request.match_info.handler.__name__)
            return _error(500, "the sandbox failed: its log says why")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=HEADERS)
