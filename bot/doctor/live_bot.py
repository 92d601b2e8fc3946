"""Claims of the Bot API: what the bot is told of itself, of channels and people, and the words of its refusals.

The words stand in https://github.com/tdlib/telegram-bot-api (Client.cpp); the Bot API's own page names none of them.
"""

from collections.abc import Awaitable

from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import ChatMemberAdministrator

from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_scene import BotSide
from services.clients.peers import channel_of, group_of

NOBODY = 1
"""No account has this id."""
NO_CHAT = -1_000_000_000_001
HEARD = {"callback_query", "chat_join_request", "message", "my_chat_member"}


async def _me(side: BotSide) -> Seen:
    me = await side.bot.get_me()
    is_ours = me.id == side.bot.id
    told = me.can_join_groups is not None and me.can_read_all_group_messages is not None
    agrees = is_ours and me.is_bot and bool(me.username) and (me.username or "").lower().endswith("bot") and told
    return Seen(agrees, f"id {'of the token' if is_ours else 'of ANOTHER'}, is_bot {me.is_bot}, rights told: {told}")


async def _webhook(side: BotSide) -> Seen:
    info = await side.bot.get_webhook_info()
    state = "set" if info.url else "empty"
    return Seen(info.pending_update_count >= 0, f"url {state}, pending_update_count {info.pending_update_count}")


async def _allowed_updates(side: BotSide) -> Seen:
    info = await side.bot.get_webhook_info()
    if not info.allowed_updates:
        raise NotSeen("getWebhookInfo names no updates", "Let Porter poll once, then start the round.")
    missing = HEARD - set(info.allowed_updates)
    return Seen(not missing, f"{len(info.allowed_updates)} kinds, missing {sorted(missing)}")


async def _chat(side: BotSide) -> Seen:
    asked, chat = await side.inside(), await side.chat()
    is_same = chat.id == asked
    wanted = {"channel", "supergroup"} if channel_of(asked) is not None else {"group"}
    agrees = is_same and chat.type in wanted and bool(chat.title)
    return Seen(
        agrees,
        f"type {chat.type}, id {'as asked' if is_same else 'ANOTHER'}, title {'told' if chat.title else 'missing'}",
    )


async def _count(side: BotSide) -> Seen:
    members = await side.bot.get_chat_member_count(await side.inside())
    return Seen(members >= 1, f"{members} members")


async def _rights(side: BotSide) -> Seen:
    for channel_id in side.channels:
        member = await side.standing(channel_id)
        if isinstance(member, ChatMemberAdministrator):
            rights = (member.can_invite_users, member.can_restrict_members)
            words = f"can_invite_users {rights[0]}, can_restrict_members {rights[1]}"
            return Seen(all(isinstance(each, bool) for each in rights), f"administrator, {words}")
    raise NotSeen("the bot administers no channel that Porter knows", "Make the bot an administrator of a channel.")


async def _outside(side: BotSide) -> Seen:
    for channel_id in side.channels:
        member = await side.standing(channel_id)
        if isinstance(member, TelegramAPIError):
            return Seen(True, _words(member))
        if member.status in {"left", "kicked"}:
            return Seen(True, f"status {member.status}")
    raise NotSeen("the bot is in every channel that was looked at", "Nothing: it is good that it is.")


async def _no_chat(side: BotSide) -> Seen:
    return await _says(side.bot.get_chat(NO_CHAT), "chat not found")


async def _no_person(side: BotSide) -> Seen:
    return await _says(side.bot.get_chat(NOBODY), "chat not found")


async def _no_member(side: BotSide) -> Seen:
    channel_id = await side.inside()
    try:
        member = await side.bot.get_chat_member(channel_id, NOBODY)
    except (TelegramBadRequest, TelegramForbiddenError) as error:
        return Seen(True, _words(error))
    return Seen(member.status in {"left", "kicked"}, f"status {member.status}")


async def _person(side: BotSide) -> Seen:
    for owner in side.owners:
        try:
            chat = await side.bot.get_chat(owner)
        except (TelegramBadRequest, TelegramForbiddenError):
            continue  # has never pressed Start
        agrees = chat.id == owner and chat.type == "private" and bool(chat.full_name)
        return Seen(agrees, f"type {chat.type}, id as asked: {chat.id == owner}, a name: {bool(chat.full_name)}")
    raise NotSeen("no owner has spoken with the bot", "Press Start in the chat with the bot.")


async def _same_ids(side: BotSide) -> Seen:
    chat = await side.chat()
    is_channel = chat.type in {"channel", "supergroup"}
    agrees = (channel_of(chat.id) is not None) == is_channel and (group_of(chat.id) is not None) == (
        chat.type == "group"
    )
    return Seen(
        agrees, f"type {chat.type}, an id of {'a channel' if channel_of(chat.id) is not None else 'a small group'}"
    )


async def _words_of_writes(_: BotSide) -> Seen:
    raise NotSeen(
        "only a write provokes them, and the round writes nothing",
        "Compare them with the Bot API server's source at each release of it.",
    )


async def _says(call: Awaitable[object], words: str) -> Seen:
    try:
        await call
    except (TelegramBadRequest, TelegramForbiddenError) as error:
        return Seen(words in error.message, _words(error))
    return Seen(False, "no refusal at all")


def _words(error: TelegramAPIError) -> str:
    kind = "400" if isinstance(error, TelegramBadRequest) else "403"
    return f'{kind} "{error.message}"'


_API = "https://core.telegram.org/bots/api"
_SOURCE = "https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp"

CLAIMS: tuple[Claim[BotSide], ...] = (
    Claim(
        "bot-me",
        "getMe answers the bot whose number stands before the colon of its token, with a name that ends in bot, and "
        "its rights in groups.",
        f"{_API}#getme",
        _me,
        "bot/app.py",
    ),
    Claim(
        "bot-webhook",
        "getWebhookInfo has an empty url where no webhook is set.",
        f"{_API}#getwebhookinfo",
        _webhook,
        "bot/polling.py",
    ),
    Claim(
        "bot-updates",
        "getWebhookInfo names the updates that getUpdates last asked for, my_chat_member and chat_join_request too.",
        f"{_API}#webhookinfo",
        _allowed_updates,
        "bot/polling.py",
    ),
    Claim(
        "bot-chat",
        "getChat of a channel answers its id as asked, its type and its title.",
        f"{_API}#getchat",
        _chat,
        "bot/gate.py",
    ),
    Claim(
        "bot-ids",
        "Ids below -1000000000000 are channels and supergroups, other negative ones small groups.",
        "https://core.telegram.org/api/bots/ids",
        _same_ids,
        "services/clients/peers.py",
    ),
    Claim(
        "bot-count",
        "getChatMemberCount is a number of one at least.",
        f"{_API}#getchatmembercount",
        _count,
        "bot/gate.py",
    ),
    Claim(
        "bot-rights",
        "getChatMember of an administrator says can_invite_users and can_restrict_members.",
        f"{_API}#chatmemberadministrator",
        _rights,
        "bot/gate.py",
    ),
    Claim(
        "bot-outside",
        "Where the bot is no member getChatMember of itself is refused with 400 or 403, or says left or kicked.",
        f"{_API}#getchatmember",
        _outside,
        "bot/gate.py",
    ),
    Claim(
        "bot-no-chat",
        'Of a chat that the bot cannot know it is told "chat not found".',
        _SOURCE,
        _no_chat,
        "bot/gate.py",
    ),
    Claim(
        "bot-no-person",
        'Of a person that the bot never met it is told "chat not found".',
        _SOURCE,
        _no_person,
        "bot/gate.py",
    ),
    Claim(
        "bot-no-member",
        "getChatMember of somebody who does not exist is refused with 400 or 403, or says left or kicked.",
        _SOURCE,
        _no_member,
        "bot/gate.py",
    ),
    Claim(
        "bot-person",
        "getChat of a person answers their id, type private and a name.",
        f"{_API}#chatfullinfo",
        _person,
        "bot/gate.py",
    ),
    Claim(
        "bot-words-of-writes",
        'Refusals of writes carry these words: "message is not modified", "thread not found", "TOPIC_CLOSED", '
        '"TOPIC_DELETED", "TOPIC_ID_INVALID", "have no rights to send", "not enough rights", "user is deactivated", '
        '"webhook", "HIDE_REQUESTER_MISSING", "USER_ALREADY_PARTICIPANT", "USER_CHANNELS_TOO_MUCH".',
        _SOURCE,
        _words_of_writes,
        "bot/gate.py",
    ),
)
