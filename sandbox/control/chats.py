"""Chats as an account sees them: reading, writing, sharing, forwarding, pressing."""

from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.bot_api import BotApi
from sandbox.bot_api.formatting import plain, utf16_length, with_detected
from sandbox.bot_api.methods.commands import shown_to
from sandbox.bot_api.params import MAX_UPLOAD_BYTES
from sandbox.bot_api.render import bot_blocked
from sandbox.control import looking, view
from sandbox.control.body import Body, ControlError, bad, missing, path_integer, query_integer, read_body
from sandbox.control.sharing import answered_request, contact_of, share_chat, share_users
from sandbox.world import Account, Channel, Message, World

MAX_TEXT = 4096


class Chats:
    """`press_timeout_s`: how long a press waits for the bot."""

    def __init__(self, world: World, bot_api: BotApi, press_timeout_s: float) -> None:
        self._world = world
        self._bot_api = bot_api
        self._press_timeout_s = press_timeout_s

    def routes(self) -> list[web.RouteDef]:
        chat = "/chats/{peer}"
        return [
            web.get("/chats", self.list_chats),
            web.get(f"{chat}/commands", self.list_commands),
            web.get(f"{chat}/messages", self.list_messages),
            web.post(f"{chat}/messages", self.send),
            web.post(f"{chat}/messages/{{id}}/press", self.press),
            web.post(f"{chat}/block", self.block),
        ]

    async def list_chats(self, request: web.Request) -> web.Response:
        return web.json_response(looking.chats(self._world, looking.account_of(self._world, request)))

    async def list_commands(self, request: web.Request) -> web.Response:
        """What the menu of that bot shows to that person."""
        account, bot = looking.account_of(self._world, request), looking.bot(self._world, path_integer(request, "peer"))
        return web.json_response(shown_to(self._bot_api.updates.state(bot.id), account))

    async def list_messages(self, request: web.Request) -> web.Response:
        """Behind `after` and before `before`; of these, with `limit`, the newest that are still there."""
        account = looking.account_of(self._world, request)
        messages = looking.messages(self._world, account, path_integer(request, "peer"))
        after, before = query_integer(request, "after", 0), query_integer(request, "before", looking.MAX_ID)
        shown = looking.between(messages, after, before, query_integer(request, "limit", looking.MAX_ID))
        return web.json_response([view.message(message) for message in shown])

    async def send(self, request: web.Request) -> web.Response:
        account, peer = looking.account_of(self._world, request), path_integer(request, "peer")
        if request.content_type == "multipart/form-data":
            content = await self._upload(request)
        else:
            content = self._content(account, peer, await read_body(request))
        return web.json_response(view.message(self._put(account, peer, content)))

    async def press(self, request: web.Request) -> web.Response:
        """Waits for the bot's answer. {"forged": true}: data that is on no button, as a hand-made client sends it."""
        account = looking.account_of(self._world, request)
        message = looking.message(self._world, account, path_integer(request, "peer"), path_integer(request, "id"))
        body = await read_body(request)
        if body.has("data"):
            wanted, name, forged = body.text("data"), "callback_data", body.flag("forged", False)
        else:
            wanted, name, forged = body.text("text"), "text", False
        body.done()
        rows = (message.reply_markup or {}).get("inline_keyboard", [])
        button = next((button for row in rows for button in row if button.get(name) == wanted), None)
        if button is None and not forged:
            raise missing(f"message {message.id} has no button {wanted!r}")
        data = wanted if button is None else button.get("callback_data")
        if data is None or message.bot_id is None:
            assert button is not None
            return web.json_response({"answer": None, "alert": False, "url": button.get("url")})
        try:
            answer = await self._bot_api.callbacks.press(account.id, message, data, self._press_timeout_s)
        except TimeoutError:
            raise ControlError(504, f"the bot did not answer within {self._press_timeout_s:g} s") from None
        return web.json_response({"answer": answer.text, "alert": answer.alert, "url": answer.url})

    async def block(self, request: web.Request) -> web.Response:
        """{"blocked": true or false}: the account stops the bot, or lets it write again."""
        account, bot = looking.account_of(self._world, request), looking.bot(self._world, path_integer(request, "peer"))
        body = await read_body(request)
        blocked = body.flag("blocked")
        body.done()
        self._set_blocked(bot, account, blocked)
        return web.json_response({"blocked": blocked})

    # -- what is sent

    async def _upload(self, request: web.Request) -> dict[str, Any]:
        """The first part with a file name; a part `text` is its caption, a part `kind` may say "photo"."""
        fields: dict[str, str] = {}
        name, mime, content = "", "", b""
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.filename is None:
                fields[part.name or ""] = await part.text()
            else:
                name, mime = part.filename, part.headers.get("Content-Type", "application/octet-stream")
                content = bytes(await part.read())
        if not name:
            raise bad("the form has no file")
        if len(content) > MAX_UPLOAD_BYTES:
            raise ControlError(413, "the file is larger than 50 MB")
        kind = "photo" if fields.get("kind") == "photo" else "document"
        document = self._world.new_document(name, mime, content, "photo" if kind == "photo" else "document")
        return {"text": fields.get("text", ""), "document": document}

    def _content(self, account: Account, peer: int, body: Body) -> dict[str, Any]:
        world = self._world
        if body.has("forward"):
            inner = body.inner("forward")
            origin = looking.message(self._world, account, inner.integer("peer"), inner.integer("id"))
            inner.done()
            content = _forwarded(origin)
        elif body.has("contact"):
            if not body.flag("contact"):
                raise bad("contact must be true")
            content = {"contact": contact_of(account)}
        elif body.has("share_chat"):
            shown = looking.messages(self._world, account, peer)
            channel = world.channel_by_peer(body.integer("share_chat"))
            answered = answered_request(shown.values(), "request_chat", channel)
            content = {"chat_shared": share_chat(world, account, looking.bot(self._world, peer), channel, answered)}
        elif body.has("share_users"):
            answered = answered_request(looking.messages(self._world, account, peer).values(), "request_users", None)
            content = {"users_shared": share_users(world, body.integers("share_users"), answered)}
        else:
            text, _ = plain(body.text("text"))
            if not 1 <= utf16_length(text) <= MAX_TEXT:
                raise bad(f"a text has 1 to {MAX_TEXT} characters")
            content = {"text": text, "entities": with_detected(text, [])}
        body.done()
        return content

    def _put(self, account: Account, peer: int, content: dict[str, Any]) -> Message:
        world = self._world
        if peer < 0:
            channel = world.channel_by_peer(peer)
            _check_may_post(channel, account)
            world.burn_codes(content.get("text", ""))
            return world.post(channel, account.id if channel.megagroup else channel.peer, **content)
        bot = looking.bot(self._world, peer)
        if account.id in world.blocked_bots.get(bot.id, ()):
            self._set_blocked(bot, account, False)  # writing to a blocked bot starts it again
        return world.send_private(bot.id, account.id, account.id, **content)

    def _set_blocked(self, bot: Account, account: Account, blocked: bool) -> None:
        blockers = self._world.blocked_bots.setdefault(bot.id, set())
        if (account.id in blockers) == blocked:
            return
        (blockers.add if blocked else blockers.discard)(account.id)
        self._bot_api.updates.put(bot.id, "my_chat_member", bot_blocked(self._world, bot, account, blocked=blocked))


def _forwarded(origin: Message) -> dict[str, Any]:
    """A copy that says where it comes from: the first origin, when it has been forwarded before."""
    forward = origin.forward or {"peer": origin.sender, "id": origin.id, "date": origin.date}
    return {
        "text": origin.text,
        "entities": origin.entities,
        "document": origin.document,
        "contact": origin.contact,
        "forward": forward,
    }


def _check_may_post(channel: Channel, account: Account) -> None:
    if channel.migrated_to is None and not looking.may_post(channel, account):
        raise ControlError(403, f"account {account.id} may not write in {channel.peer}")
