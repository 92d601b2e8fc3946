"""What a person gives by a button of the keyboard below the chat: their number, a chat, other people."""

from collections.abc import Iterable
from typing import Any

from sandbox.control import view
from sandbox.control.body import ControlError, bad
from sandbox.world import Account, Channel, Membership, Message, World

Json = dict[str, Any]


def contact_of(account: Account) -> Json:
    if account.phone is None:
        raise bad(f"account {account.id} has no number to share")
    contact = {
        "phone_number": account.phone.lstrip("+"),
        "first_name": account.first_name,
        "last_name": account.last_name,
        "user_id": account.id,
    }
    return {name: value for name, value in contact.items() if value != ""}


def answered_request(messages: Iterable[Message], kind: str, channel: Channel | None) -> Json:
    """The request of the shown keyboard that this answers: for a chat, the one that asks for its kind.

    Raises ControlError 409 when no button shown asks for it.
    """
    keyboards = [view.reply_keyboard(message) for message in messages if not message.deleted]
    shown = next((keyboard for keyboard in reversed(keyboards) if keyboard is not None), [])
    requests: list[Json] = [button[kind] for row in shown for button in row if kind in button]
    if channel is not None:
        requests = [request for request in requests if _fits(request, channel)]
    if not requests:
        raise ControlError(409, f"no button below the chat asks for this ({kind})")
    return requests[0]


def _fits(request: Json, channel: Channel) -> bool:
    if bool(request.get("chat_is_channel")) == channel.megagroup:
        return False
    has_username = request.get("chat_has_username")
    return has_username is None or has_username == (channel.username is not None)


def share_chat(world: World, account: Account, bot: Account, channel: Channel, request: Json) -> Json:
    """Choose a chat in Telegram's picker, which grants the bot what the button asks for.

    Raises ControlError 409 where the picker would not offer the chat.
    """
    member = channel.members.get(account.id)
    if member is None or (request.get("user_administrator_rights") and member.role == "member"):
        raise ControlError(409, f"the picker does not offer {channel.peer} to account {account.id}")
    rights = request.get("bot_administrator_rights")
    if rights and member.role != "creator":
        raise ControlError(409, f"account {account.id} may not appoint administrators in {channel.peer}")
    old = channel.members.get(bot.id)
    if rights and (old is None or old.role != "creator"):
        new = Membership(
            bot.id,
            old.date if old else world.now(),
            "admin",
            may_invite=bool(rights.get("can_invite_users")) or (old is not None and old.may_invite),
            may_ban=bool(rights.get("can_restrict_members")) or (old is not None and old.may_ban),
            may_topics=bool(rights.get("can_manage_topics")) or (old is not None and old.may_topics),
        )
        if new != old:
            world.set_member(channel, bot.id, new, account.id)
    elif request.get("bot_is_member") and old is None:
        world.set_member(channel, bot.id, Membership(bot.id, world.now()), account.id)
    shared: Json = {"request_id": request["request_id"], "chat_id": channel.peer}
    if request.get("request_title"):
        shared["title"] = channel.title
    if request.get("request_username") and channel.username:
        shared["username"] = channel.username
    return shared


def share_users(world: World, user_ids: list[int], request: Json) -> Json:
    """Choose people in Telegram's picker."""
    if not 1 <= len(user_ids) <= int(request.get("max_quantity") or 1):
        raise ControlError(409, "the picker does not take so many people")
    users = []
    for user_id in user_ids:
        account = world.account(user_id)
        user: Json = {"user_id": user_id}
        if request.get("request_name"):
            user["first_name"] = account.first_name
            if account.last_name:
                user["last_name"] = account.last_name
        if request.get("request_username") and account.username:
            user["username"] = account.username
        users.append(user)
    return {"request_id": request["request_id"], "users": users, "user_ids": user_ids}
