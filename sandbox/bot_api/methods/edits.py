"""Editing the bot's own messages."""

from typing import Any

from sandbox.bot_api import content, render
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.chats import message_of, peer_of
from sandbox.bot_api.content import Content
from sandbox.bot_api.errors import NOT_MODIFIED, bad_request
from sandbox.bot_api.markup import read_markup
from sandbox.bot_api.params import Params
from sandbox.world import MediaKind, Message

MEDIA_KINDS: dict[str, MediaKind] = {"photo": "photo", "document": "document", "audio": "audio", "video": "video"}


@method("editMessageText")
def edit_message_text(call: Call) -> dict[str, Any]:
    fields = content.text(call)
    message = _own_message(call)
    if message.document is not None:
        raise bad_request("there is no text in the message to edit")
    return _edit(call, message, fields)


@method("editMessageCaption")
def edit_message_caption(call: Call) -> dict[str, Any]:
    fields = content.caption(call.world, call.params)
    message = _own_message(call)
    if message.document is None:
        raise bad_request("there is no caption in the message to edit")
    return _edit(call, message, fields)


@method("editMessageMedia")
def edit_message_media(call: Call) -> dict[str, Any]:
    media = call.params.structure("media", "input media")
    if not isinstance(media, dict):
        raise bad_request("can't parse InputMedia: expected an Object")
    kind = MEDIA_KINDS.get(str(media.get("type")))
    if kind is None:
        raise bad_request(f'can\'t parse InputMedia: type "{media.get("type")}" is unsupported')
    params = Params(media, call.params.files)
    fields = content.caption(call.world, params)
    message = _own_message(call)
    return _edit(call, message, {**fields, "document": content.document(call, params, "media", kind)})


@method("editMessageReplyMarkup")
def edit_message_reply_markup(call: Call) -> dict[str, Any]:
    return _edit(call, _own_message(call), {})


def _own_message(call: Call) -> Message:
    """Raises BotApiError 400 for a message that is gone, somebody else's, or sent with a reply keyboard."""
    peer = peer_of(call)
    if not call.params.has("message_id"):
        raise bad_request("message identifier is not specified")
    message = message_of(call, peer, call.params.integer("message_id"), "message to edit")
    own = message.bot_id == call.bot.id and message.sender in (call.bot.id, message.chat if peer < 0 else None)
    had_other_markup = message.reply_markup is not None and "inline_keyboard" not in message.reply_markup
    if not own or message.forward is not None or had_other_markup:
        raise bad_request("message can't be edited")
    return message


def _edit(call: Call, message: Message, fields: Content) -> dict[str, Any]:
    fields["reply_markup"] = read_markup(call.params, inline_only=True)  # none given: the keyboard goes
    call.spend(message.chat)
    if all(getattr(message, name) == value for name, value in fields.items()):
        raise bad_request(NOT_MODIFIED)
    return render.message(call.world, call.world.edit(message, **fields))
