"""The sandbox itself: what is in it, its files, its faults, its network, its clock, its counts."""

import asyncio
import base64
import hashlib
import re

from aiohttp import web

from sandbox.bot_api import BotApi
from sandbox.bot_api.server import send_file
from sandbox.control import view
from sandbox.control.body import Body, bad, missing, path_integer, read_body
from sandbox.control.pictures import qr_code_in
from sandbox.faults import Faults
from sandbox.mtproto.methods.auth import NEXT, SENT
from sandbox.mtproto.network import Network
from sandbox.mtproto.server import FILES_DC
from sandbox.scenarios import add_accounts
from sandbox.world import HOME_DC, Document, Message, World

MAX_ACCOUNTS = 1000
MAX_REQUESTS_PAGE = 1000
HASHED_AT_ONCE_BYTES = 1024 * 1024
DCS = (HOME_DC, FILES_DC)

PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
"""By how their bytes begin."""

_LOGIN_URL = re.compile(r"tg://login\?token=(?P<token>[A-Za-z0-9_-]{20,})")
_METHOD = re.compile(r"(?:[a-z]+\.)?[a-z][A-Za-z0-9]*")
_ERROR = re.compile(r"[A-Z][A-Z0-9_]*")


class Knobs:
    def __init__(self, world: World, bot_api: BotApi, faults: Faults, network: Network) -> None:
        self._world = world
        self._bot_api = bot_api
        self._faults = faults
        self._network = network
        self._hashes: dict[int, str] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/state", self.state),
            web.get("/files/{id}", self.file),
            web.get("/documents", self.documents),
            web.get("/auth-keys", self.auth_keys),
            web.get("/auth-keys/duplicated", self.duplicated_keys),
            web.get("/accounts", self.accounts),
            web.post("/accounts", self.add_accounts),
            web.get("/names", self.names),
            web.post("/accounts/{id}", self.account),
            web.post("/accounts/{id}/accept-login", self.accept_login),
            web.get("/faults", self.faults),
            web.post("/faults", self.fault),
            web.delete("/faults", self.no_faults),
            web.get("/network", self.show_network),
            web.post("/network", self.network),
            web.post("/clock", self.clock),
            web.get("/calls", self.calls),
            web.delete("/calls", self.reset_calls),
        ]

    async def state(self, _: web.Request) -> web.Response:
        return web.json_response(view.state(self._world))

    async def file(self, request: web.Request) -> web.StreamResponse:
        document = self._bot_api.files.find(path_integer(request, "id"))
        if document is None:
            raise missing("there is no such file")
        return await send_file(request, self._world, document, file_headers(self._world, document))

    async def documents(self, _: web.Request) -> web.Response:
        rows = self._world.documents()
        unknown = [document for _, _, document in rows if document.id not in self._hashes]
        # 150 MiB take a second: in a thread, and once. A document's bytes never change.
        self._hashes |= await asyncio.to_thread(self._hash, unknown)
        return web.json_response(
            [
                {
                    "id": document.id,
                    "channel": channel.peer,
                    "message": message.id,
                    "name": document.name,
                    "size": document.size,
                    "sha256": self._hashes[document.id],
                }
                for channel, message, document in rows
            ]
        )

    async def auth_keys(self, _: web.Request) -> web.Response:
        """Every auth key that was ever agreed on, in hex: so that a test can look for them where none may lie."""
        return web.json_response([key.key.hex() for key in self._world.auth_keys.values()])

    async def duplicated_keys(self, _: web.Request) -> web.Response:
        """Whose auth keys were used from two addresses at a time, and are dead for it. 0: not signed in."""
        return web.json_response([key.user or 0 for key in self._world.auth_keys.values() if key.duplicated])

    async def accounts(self, _: web.Request) -> web.Response:
        """What one must know to log in as each."""
        people = [account for account in self._world.accounts.values() if account.phone is not None]
        return web.json_response([view.credentials(account) for account in people])

    async def names(self, request: web.Request) -> web.Response:
        """?of=ID,ID: what these people, bots and channels are called; who is unknown is left out."""
        try:
            ids = [int(text) for text in request.query.get("of", "").split(",") if text]
        except ValueError:
            raise bad("of must be whole numbers with commas between them") from None
        known = {peer: view.name(self._world, peer) for peer in ids}
        return web.json_response({str(peer): name for peer, name in known.items() if name is not None})

    async def add_accounts(self, request: web.Request) -> web.Response:
        """That many new accounts with a phone, members of the public channels; what one must know to log in as each."""
        body = await read_body(request)
        count = body.integer("count", low=1, high=MAX_ACCOUNTS)
        body.done()
        added = add_accounts(self._world, count)
        return web.json_response([view.credentials(account) for account in added])

    async def accept_login(self, request: web.Request) -> web.Response:
        """The account scans a QR login: the url, or the picture that a message shows, whoever's chat it stands in."""
        account = self._world.account(path_integer(request, "id"))
        body = await read_body(request)
        url = body.text("url") if body.has("url") else await self._url_in_picture(body)
        body.done()
        found = _LOGIN_URL.fullmatch(url)
        if found is None:
            raise bad("what is scanned must read tg://login?token=...")
        token = found["token"]
        self._world.accept_login(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).hex(), account.id)
        return web.json_response({"accepted": account.id})

    async def account(self, request: web.Request) -> web.Response:
        """Where the account lives, and how its next login codes are sent."""
        account = self._world.account(path_integer(request, "id"))
        body = await read_body(request)
        ways = body.texts("code_ways") if body.has("code_ways") else account.code_ways
        if not ways or ways[0] not in SENT or any(way not in NEXT for way in ways[1:]):
            raise bad(f"code_ways begins with one of {', '.join(SENT)}; behind it stand those of {', '.join(NEXT)}")
        home_dc = body.integer("home_dc", account.home_dc)
        if home_dc not in DCS:
            raise bad(f"home_dc is one of {', '.join(map(str, DCS))}")
        resend_after_s = body.integer("resend_after_s", account.resend_after_s, low=0, high=3600)
        body.done()
        account.code_ways, account.home_dc, account.resend_after_s = ways, home_dc, resend_after_s
        self._world.touch()
        return web.json_response({"code_ways": ways, "home_dc": home_dc, "resend_after_s": resend_after_s})

    async def _url_in_picture(self, body: Body) -> str:
        message = self._message(body.integer("peer"), body.integer("message"))
        if message.document is None or message.document.kind != "photo":
            raise bad(f"message {message.id} has no photo")
        content = self._world.document_bytes(message.document, 0, message.document.size)
        # Decoding takes long enough to be felt: not in the event loop.
        read = await asyncio.to_thread(qr_code_in, content)
        if read is None:
            raise bad(f"there is no QR code in the photo of message {message.id}")
        return read

    def _message(self, peer: int, message_id: int) -> Message:
        """In a channel, or in a private chat of a bot: `peer` is the bot, or the person, whose camera sees it."""
        if peer < 0:
            found = self._world.channel_by_peer(peer).messages.get(message_id)
        else:
            chats = [
                messages
                for bot_id, people in self._world.chats.items()
                for user_id, messages in people.items()
                if peer in (bot_id, user_id)
            ]
            found = next((messages[message_id] for messages in chats if message_id in messages), None)
        if found is None or found.deleted:
            raise missing(f"there is no message {message_id}")
        return found

    async def fault(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        if body.has("revoke"):
            user_id = self._world.account(body.integer("revoke")).id
            body.done()
            self._world.revoke(user_id)
            return web.json_response({"revoked": user_id})
        method = body.text("method")
        if not _METHOD.fullmatch(method):
            raise bad("method is named as Telegram does: messages.getHistory, sendMessage")
        error = body.text("error") if body.has("error") else None
        if error is not None and not _ERROR.fullmatch(error):
            raise bad("error is named as Telegram does: FLOOD_WAIT_3")
        drop, delay_ms = body.flag("drop", False), body.integer("delay_ms", 0, low=0, high=600_000)
        times = body.integer("times", 1, low=1, high=1_000_000)
        body.done()
        try:
            self._faults.add(method, error=error, drop=drop, delay_ms=delay_ms, times=times)
        except ValueError as refused:
            raise bad(str(refused)) from None
        return web.json_response({"method": method, "times": times})

    async def faults(self, _: web.Request) -> web.Response:
        return web.json_response(view.faults(self._faults))

    async def no_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({})

    async def network(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        rtt_ms = body.number("rtt_ms") if body.has("rtt_ms") else None
        mbit = body.number("mbit") if body.has("mbit") else None
        limits = body.flag("bot_limits") if body.has("bot_limits") else self._bot_api.limits.enabled
        cap = body.integer("requests_page_cap", self._world.requests_page_cap, low=1, high=MAX_REQUESTS_PAGE)
        body.done()
        self._network.shape(rtt_ms=rtt_ms, mbit=mbit)
        self._world.requests_page_cap = cap
        self._bot_api.limits.enabled = limits
        return await self.show_network(request)

    async def show_network(self, _: web.Request) -> web.Response:
        """`file_bytes`: what of upload.getFile's answers has left so far; `bot_refused`: calls answered with 429;
        `requests_page_cap`: the most people who wait that one page of them has."""
        return web.json_response(
            {
                "rtt_ms": self._network.rtt_ms,
                "mbit": self._network.mbit,
                "bot_limits": self._bot_api.limits.enabled,
                "bot_refused": self._bot_api.limits.refused,
                "requests_page_cap": self._world.requests_page_cap,
                "file_bytes": self._network.file_bytes,
            }
        )

    async def clock(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        self._world.clock_offset_s += body.integer("advance_s", low=0, high=10 * 365 * 86400)
        body.done()
        self._world.touch()
        return web.json_response({"now": self._world.now()})

    async def calls(self, _: web.Request) -> web.Response:
        """By account id (0: not signed in), by method."""
        return web.json_response({str(account): dict(counts) for account, counts in self._faults.counts.items()})

    async def reset_calls(self, _: web.Request) -> web.Response:
        self._faults.reset()
        return web.json_response({})

    def _hash(self, documents: list[Document]) -> dict[int, str]:
        return {document.id: self._sha256(document) for document in documents}

    def _sha256(self, document: Document) -> str:
        digest = hashlib.sha256()
        for offset in range(0, document.size, HASHED_AT_ONCE_BYTES):
            digest.update(self._world.document_bytes(document, offset, HASHED_AT_ONCE_BYTES))
        return digest.hexdigest()


def file_headers(world: World, document: Document) -> dict[str, str]:
    """What somebody sent never runs in this origin: only photos that are pictures are shown, all else is saved."""
    headers = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}
    begin = world.document_bytes(document, 0, 8)
    kind = next((mime for magic, mime in PICTURES.items() if begin.startswith(magic)), None)
    if document.kind == "photo" and kind is not None:
        return headers | {"Content-Type": kind}
    return headers | {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
