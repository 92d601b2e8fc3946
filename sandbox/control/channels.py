"""What happens in channels by other people's hands: posts, and people at the door."""

import mimetypes
from typing import Any

from aiohttp import web

from sandbox import groups, members
from sandbox.control import view
from sandbox.control.body import Body, bad, missing, path_integer, read_body
from sandbox.world import Account, Channel, Document, MediaKind, Message, World

MAX_COUNT = 100_000
MAX_FILE_BYTES = 2_000 * 1024 * 1024

FIRST_NAMES = (
    "Mara",
    "Иван",
    "Li Wei",
    "نور",
    "Zoë",
    "Ayşe",
    "Kofi",
    "さくら",
    "Søren",
    "Ana & Co",
    "<i>Tim</i>",
    "🦊",
)


class Channels:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        channel = "/channels/{peer}"
        return [
            web.get(f"{channel}/requests", self.list_requests),
            web.post(f"{channel}/requests", self.ask),
            web.post(f"{channel}/posts", self.post),
            web.post(f"{channel}/members", self.member),
            web.post("/groups", self.found),
        ]

    async def found(self, request: web.Request) -> web.Response:
        """A small group (or a forum) of the sandbox's admin, and whoever else is named."""
        body = await read_body(request)
        title = body.text("title")
        found = groups.found_forum if body.flag("forum", False) else groups.found
        people = [self._world.account(body.integer("account")).id] if body.has("account") else []
        body.done()
        return web.json_response(view.channel(found(self._world, title, self._world.admin_id, people)))

    async def list_requests(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        return web.json_response(
            {
                "pending": list(channel.requests),
                "approved": list(channel.approved),
                "denied": list(channel.denied),
            }
        )

    async def ask(self, request: web.Request) -> web.Response:
        channel, body = self._channel(request), await read_body(request)
        if body.has("withdraw"):
            user_id = body.integer("withdraw")
            body.done()
            self._world.withdraw(channel, user_id)
            return web.json_response({"withdrawn": user_id})
        if body.has("account"):
            user_ids = [self._world.account(body.integer("account")).id]
        else:
            user_ids = self._newcomers(channel, body.integer("count", low=1, high=MAX_COUNT))
        link = body.text("link") if body.has("link") else None
        body.done()
        asked = self._world.ask_to_join(channel, user_ids, link)
        return web.json_response({"asked": [each.user for each in asked]})

    async def member(self, request: web.Request) -> web.Response:
        """What the owner does to somebody: appoint, demote, add, remove, ban."""
        channel, body = self._channel(request), await read_body(request)
        account = self._world.account(body.integer("account"))
        role = body.text("role")
        rights = body.texts("rights") if body.has("rights") else []
        body.done()
        if unknown := set(rights) - members.RIGHTS:
            raise bad(f"there is no right {', '.join(sorted(unknown))}")
        owner = next(member.user for member in channel.members.values() if member.role == "creator")
        match role:
            case "admin":
                members.appoint(self._world, channel, account.id, owner, rights)
            case "member":
                members.add(self._world, channel, account.id, owner)
            case "left":
                members.remove(self._world, channel, account.id, owner)
            case "banned":
                members.ban(self._world, channel, account.id, owner)
            case _:
                raise bad("role is admin, member, left or banned")
        return web.json_response(view.member(channel, account.id))

    async def post(self, request: web.Request) -> web.Response:
        channel, body = self._channel(request), await read_body(request)
        if body.has("edit"):
            message = self._message(channel, body.integer("edit"))
            text = body.text("text")
            body.done()
            return web.json_response(view.message(self._world.edit(message, text=text, entities=[])))
        if body.has("migrate"):
            if not body.flag("migrate", True) or not channel.basic or channel.migrated_to is not None:
                raise bad("only a small group becomes a supergroup, and once")
            body.done()
            return web.json_response(view.channel(groups.migrate(self._world, channel)))
        if body.has("delete"):
            message = self._message(channel, body.integer("delete"))
            body.done()
            self._world.delete(message)
            return web.json_response(view.message(message))
        if body.has("count"):
            count = body.integer("count", low=1, high=MAX_COUNT)
            body.done()
            posts = [self._post(channel, {"text": f"Note {channel.next_message_id}"}) for _ in range(count)]
            return web.json_response({"ids": [post.id for post in posts]})
        content: dict[str, Any] = {"text": body.text("text", "")}
        if body.has("file"):
            content["document"] = self._file(body.inner("file"))
        elif not content["text"]:
            raise bad("a post needs a text or a file")
        body.done()
        return web.json_response(view.message(self._post(channel, content)))

    def _post(self, channel: Channel, content: dict[str, Any]) -> Message:
        creator = next(member.user for member in channel.members.values() if member.role == "creator")
        return self._world.post(channel, creator if channel.megagroup else channel.peer, **content)

    def _file(self, body: Body) -> Document:
        """A document whose bytes are derived from its id: any size costs nothing to keep."""
        world = self._world
        name, size = body.text("name"), body.integer("size", low=1, high=MAX_FILE_BYTES)
        dc_id = body.integer("dc", 4)
        body.done()
        if dc_id not in (2, 4):
            raise bad("dc must be 2 or 4")
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        document = Document(world.next_document_id, name, mime, size, _kind(mime), dc_id=dc_id)
        if document.kind in ("photo", "video"):
            document.width, document.height = 1280, 720
        world.next_document_id += 1
        return document

    def _newcomers(self, channel: Channel, count: int) -> list[int]:
        """People who are free to ask, in the order of their ids; new ones where they do not suffice."""
        world = self._world
        taken = channel.members.keys() | channel.requests.keys() | channel.banned
        free = [
            account.id
            for account in world.accounts.values()
            if account.phone is None and not (account.is_bot or account.deactivated or account.id in taken)
        ][:count]
        next_id = max(world.accounts) + 1
        for user_id in range(next_id, next_id + count - len(free)):
            name = FIRST_NAMES[user_id % len(FIRST_NAMES)]
            world.accounts[user_id] = Account(user_id, name, str(user_id), bio="Read about you and would like to join.")
            free.append(user_id)
        return free

    def _channel(self, request: web.Request) -> Channel:
        peer = path_integer(request, "peer")
        found = next((each for each in self._world.channels.values() if each.peer == peer), None)
        if found is None:
            raise missing(f"there is no channel {peer}")
        return found

    def _message(self, channel: Channel, message_id: int) -> Message:
        message = channel.messages.get(message_id)
        if message is None or message.deleted:
            raise missing(f"channel {channel.peer} has no message {message_id}")
        return message


def _kind(mime: str) -> MediaKind:
    if mime == "image/jpeg":
        return "photo"
    family = mime.partition("/")[0]
    if family == "video":
        return "video"
    return "audio" if family == "audio" else "document"
