"""The Bot API over HTTP: tokens, arguments, faults, and answers as Telegram frames them."""

import asyncio
import inspect
import logging
import mimetypes
import time
from collections.abc import Mapping

from aiohttp import web

from sandbox.bot_api import methods
from sandbox.bot_api.call import METHODS, Call, Handler, Services
from sandbox.bot_api.callbacks import Callbacks
from sandbox.bot_api.errors import BotApiError, in_words, of_world
from sandbox.bot_api.files import Files, document_id_of_path
from sandbox.bot_api.limits import ChatLimits
from sandbox.bot_api.params import read_params
from sandbox.bot_api.updates import Updates
from sandbox.faults import Faults
from sandbox.world import Account, Document, World, WorldError

log = logging.getLogger(__name__)

UNAUTHORIZED = BotApiError(401, "Unauthorized")
METHOD_NOT_FOUND = BotApiError(404, "Not Found: method not found")
NOT_FOUND = BotApiError(404, "Not Found")
CHUNK_BYTES = 256 * 1024

assert methods  # imported for its registrations


class _Dropped(Exception):
    """A fault ends the connection without an answer."""


class BotApi:
    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self.updates = Updates(world)
        self.callbacks = Callbacks(world, self.updates)
        self.files = Files(world)
        self.limits = ChatLimits(lambda: time.monotonic() + world.clock_offset_s)
        self._services = Services(world, self.updates, self.callbacks, self.files, self.limits)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token:[^/]+}/{method}", self._serve),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self._serve_file),
        ]

    def close(self) -> None:
        self.updates.close()
        self.callbacks.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            bot = self._bot(request)
            name, handler = METHODS.get(name.lower(), (name, None))
            await self._fault(bot, name)
            if handler is None:
                raise METHOD_NOT_FOUND
            call = Call(self._services, bot, await read_params(request))
            return web.json_response({"ok": True, "result": await _run(handler, call)})
        except BotApiError as error:
            return _refused(error)
        except _Dropped:
            return _drop(request)
        except Exception:
            log.exception("method %s failed", name)
            return _refused(BotApiError(500, "Internal Server Error"))

    async def _fault(self, bot: Account, name: str) -> None:
        self._faults.count(bot.id, name)
        fault = self._faults.take(name)
        if fault is None:
            return
        await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop:
            raise _Dropped
        if fault.error is not None:
            raise in_words(fault.error)

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._bot(request)
            document_id = document_id_of_path(request.match_info["path"])
            document = self.files.find(document_id) if document_id is not None else None
            if document is None:
                raise NOT_FOUND
            return await send_file(request, self._world, document)
        except BotApiError as error:
            return _refused(error)

    def _bot(self, request: web.Request) -> Account:
        bot = self._world.bot_by_token(request.match_info["token"])
        if bot is None:
            raise UNAUTHORIZED
        return bot


async def _run(handler: Handler, call: Call) -> object:
    try:
        result = handler(call)
        return await result if inspect.isawaitable(result) else result
    except WorldError as error:
        raise of_world(error) from error


def _refused(error: BotApiError) -> web.Response:
    return web.json_response(error.body(), status=error.code)


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere


async def send_file(
    request: web.Request, world: World, document: Document, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """The whole document, in pieces, so that a large one neither fills the memory nor holds up the loop.

    `headers`: others than those that follow from the document.
    """
    guessed = mimetypes.guess_type(document.name)[0]
    kind = {"Content-Type": document.mime or guessed or "application/octet-stream"}
    response = web.StreamResponse(headers={**kind, **(headers or {})})
    response.content_length = document.size
    await response.prepare(request)
    for offset in range(0, document.size, CHUNK_BYTES):
        await response.write(world.document_bytes(document, offset, CHUNK_BYTES))
    await response.write_eof()
    return response
