"""Sending and deleting."""

from typing import Any

from sandbox.bot_api import content, render
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.chats import check_writable, message_of, not_found, peer_of
from sandbox.bot_api.content import Content
from sandbox.bot_api.errors import BotApiError, bad_request
from sandbox.bot_api.markup import read_markup
from sandbox.groups import has_topic
from sandbox.world import MediaKind, Message

DELETE_WITHIN_S = 48 * 3600
MAX_DELETED_AT_ONCE = 100
CHAT_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)


@method("sendMessage")
def send_message(call: Call) -> dict[str, Any]:
    return _send(call, content.text(call))


@method("sendDocument")
def send_document(call: Call) -> dict[str, Any]:
    return _send_media(call, "document", "document")


@method("sendPhoto")
def send_photo(call: Call) -> dict[str, Any]:
    return _send_media(call, "photo", "photo")


@method("sendChatAction")
def send_chat_action(call: Call) -> bool:
    check_writable(call, peer_of(call))
    if call.params.text("action").lower() not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    return True


@method("deleteMessage")
def delete_message(call: Call) -> bool:
    peer = peer_of(call)
    if not call.params.has("message_id"):
        raise bad_request("message identifier is not specified")
    message = message_of(call, peer, call.params.integer("message_id"), "message to delete")
    _check_deletable(call, message)
    call.world.delete(message)
    return True


@method("deleteMessages")
def delete_messages(call: Call) -> bool:
    """Those that are gone already are skipped; one that may not be deleted refuses the call."""
    peer = peer_of(call)
    ids = call.params.structure("message_ids", "message identifiers")
    if not isinstance(ids, list) or not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > MAX_DELETED_AT_ONCE:
        raise bad_request("too many message identifiers specified")
    found = []
    for message_id in ids:
        try:
            found.append(message_of(call, peer, int(message_id), "message to delete"))
        except BotApiError:
            continue
        except (TypeError, ValueError):
            raise bad_request("message identifier is not a Number") from None
    for message in found:
        _check_deletable(call, message)
    for message in found:
        call.world.delete(message)
    return True


def _send_media(call: Call, name: str, kind: MediaKind) -> dict[str, Any]:
    caption = content.caption(call.world, call.params)
    return _send(call, {**caption, "document": content.document(call, call.params, name, kind)})


def _send(call: Call, fields: Content) -> dict[str, Any]:
    markup = read_markup(call.params)
    peer = peer_of(call)
    check_writable(call, peer)
    _check_reply(call, peer)
    thread = _thread(call, peer)
    call.spend(peer)
    world = call.world
    if peer > 0:
        message = world.send_private(call.bot.id, peer, call.bot.id, reply_markup=markup, **fields)
    else:
        channel = world.channel_by_peer(peer)
        sender = call.bot.id if channel.megagroup else channel.peer
        message = world.post(channel, sender, reply_markup=markup, bot_id=call.bot.id, thread=thread, **fields)
    return render.message(world, message)


def _thread(call: Call, peer: int) -> int | None:
    """The topic that the message is for. Telegram takes no number for the general one: it goes without."""
    thread = call.params.integer("message_thread_id")
    if not thread:
        return None
    if peer > 0 or not has_topic(call.world.channel_by_peer(peer), thread):
        raise not_found("message thread")
    return thread


def _check_reply(call: Call, peer: int) -> None:
    reply = call.params.structure("reply_parameters", "reply parameters") or {}
    if not isinstance(reply, dict):
        raise bad_request("object expected as reply parameters")
    message_id = reply.get("message_id") or call.params.integer("reply_to_message_id")
    if not message_id:
        return
    try:
        message_of(call, peer, int(message_id), "message to be replied")
    except (TypeError, ValueError):
        raise not_found("message to be replied") from None
    except BotApiError:
        if not (reply.get("allow_sending_without_reply") or call.params.flag("allow_sending_without_reply")):
            raise


def _check_deletable(call: Call, message: Message) -> None:
    """A private chat: both sides' messages, for 48 hours. A channel: its administrators, and one's own."""
    if message.chat > 0:
        if call.world.now() - message.date > DELETE_WITHIN_S:
            raise bad_request("message can't be deleted for everyone")
        return
    check_writable(call, message.chat)
    member = call.world.channel_by_peer(message.chat).members[call.bot.id]
    if message.bot_id != call.bot.id and member.role == "member":
        raise bad_request("message can't be deleted")
