"""The bot as Telegram's Bot API sees it. Never getUpdates: a second poll would throw Porter out of its own."""

from collections.abc import AsyncIterator
from typing import Any

from bot.doctor.bot_api import Refused, Unreachable
from bot.doctor.case import Case, NotLooked, error, note, ok, warning
from bot.doctor.findings import Finding
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, SessionState
from storage.notices import NoticeRepository
from storage.sessions import all_sessions

VOID_TOKEN = (401, 404)
SKEW_WARNING_SECONDS, SKEW_ERROR_SECONDS = 5, 60
CHANNELS_ASKED = 30
"""One call each, and a bot has thirty a second; those where most people wait come first."""
HOLDERS = ("creator", "administrator")
MEMBERS = (*HOLDERS, "member", "restricted")


async def bot(case: Case) -> AsyncIterator[Finding]:
    api = case.bot_api
    where = "The server of BOT_API_URL" if case.settings.bot_api_url else "api.telegram.org"
    try:
        case.me = await api.call("getMe")
    except Unreachable as error_:
        case.no_bot = "the Bot API cannot be reached"
        cure = "Look at this machine's network, its proxy and firewall"
        cure += ", and at BOT_API_URL." if case.settings.bot_api_url else ": it must reach api.telegram.org, port 443."
        yield error("bot-api-unreachable", f"{where} cannot be reached: {error_}.", cure)
    except Refused as refused:
        if refused.wait_seconds is not None:
            case.no_bot = _pause(refused)
            raise NotLooked(case.no_bot) from None
        if refused.code in VOID_TOKEN:
            case.no_bot = "the token is refused"
            yield error(
                "bot-token-refused", "Telegram refuses BOT_TOKEN.", "Take a new token from @BotFather (/token)."
            )
        else:
            case.no_bot = "the Bot API refuses to answer"
            what = f"{where} answers {refused.code}."
            yield error(
                "bot-api-unreachable", what, "Wait a few minutes and ask again; look at BOT_API_URL if it is set."
            )
    else:
        case.no_bot = ""
        yield ok("bot", f"Telegram knows the bot @{case.me.get('username', case.settings.bot_id)}.")
        if not case.me.get("can_join_groups", True):
            what = "The bot may not be added to groups."
            yield warning("bot-joins-no-groups", what, "Allow it: @BotFather, /setjoingroups, Enable.")


async def _ask(case: Case, method: str, **arguments: Any) -> Any:
    """Of a bot that is known. Raises NotLooked; Refused where that is an answer."""
    if not case.me:
        raise NotLooked(case.no_bot)
    try:
        return await case.bot_api.call(method, **arguments)
    except Unreachable:
        raise NotLooked("the Bot API does not answer any more") from None
    except Refused as refused:
        if refused.wait_seconds is not None:
            raise NotLooked(_pause(refused)) from None
        raise


def _pause(refused: Refused) -> str:
    return f"Telegram wants a pause of {refused.wait_seconds} seconds"


async def clock(case: Case) -> AsyncIterator[Finding]:
    """By the date of the newest answer, a refusal's too."""
    skew = case.bot_api.skew_seconds
    if skew is None:
        raise NotLooked("no answer with a date came")
    seconds = abs(skew)
    where = "behind" if skew > 0 else "ahead of"
    what = f"This machine's clock is {seconds:.0f} seconds {where} the Bot API's."
    cure = "Let the system keep the time (timedatectl set-ntp true): logins, schedules and waits go by it."
    if seconds > SKEW_ERROR_SECONDS:
        yield error("clock-skew", what, cure)
    elif seconds > SKEW_WARNING_SECONDS:
        yield warning("clock-skew", what, cure)
    else:
        yield ok("clock", "This machine's clock agrees with Telegram's.")


async def webhook(case: Case) -> AsyncIterator[Finding]:
    info = await _ask(case, "getWebhookInfo")
    waiting = info.get("pending_update_count", 0)
    if waiting and not case.runs_here:
        what = f"{waiting} updates wait for Porter, which is off."
        yield note("updates-wait", what, "Start Porter: Telegram keeps them for a day.")
    if not info.get("url"):
        yield ok("webhook", "No webhook is set.")
        return
    what = "A webhook is set for this bot: Telegram gives its updates to that address, and none to Porter."
    cure = "If no other program needs this bot, delete the webhook (--fix, or deleteWebhook of the Bot API)."
    if case.fix:
        await _ask(case, "deleteWebhook", drop_pending_updates=False)
        cure = "It was deleted; updates that wait are kept."
    yield error("webhook-left", what, cure, fixed=case.fix)


async def gates(case: Case) -> AsyncIterator[Finding]:
    """Where people wait: whether the bot, or else an account, may let them in."""
    waiting = await JoinRequestRepository(case.database).overview()
    waiting.sort(key=lambda row: -row.pending)
    async with case.database.read() as connection:
        active = {row.id for row in await all_sessions(connection) if row.state is SessionState.ACTIVE}
    troubles = 0
    for row in waiting[:CHANNELS_ASKED]:
        finding = await _gate(case, row.channel, row.pending, active)
        if finding is not None:
            troubles += 1
            yield finding
    if len(waiting) > CHANNELS_ASKED:
        what = f"{len(waiting) - CHANNELS_ASKED} more channels where people wait were not asked about."
        yield note("gates-many", what, "Nothing to do: in the chat, /requests shows them all.")
    asked = min(len(waiting), CHANNELS_ASKED)
    what = f"The bot may let people in at {asked - troubles} of {asked} channels where people wait."
    yield ok("gates", what if waiting else "Nobody waits at any channel.")


async def _gate(case: Case, channel: Channel, pending: int, active: set[int]) -> Finding | None:
    member = await _membership(case, channel.id)
    if member.get("status") == "creator" or member.get("can_invite_users"):
        return None
    if member.get("status") == "administrator":
        check, lack = "bot-may-not-invite", "is an administrator without the right to invite"
    else:
        check, lack = "bot-not-administrator", "is no administrator"
    what = f"{pending} wait at {channel.title} ({channel.id}), where the bot {lack}."
    cure = "Make the bot an administrator there with the right 'Invite users via link'."
    accounts = active & set(await ChannelRepository(case.database).sessions_of(channel.id, may_invite=True))
    if accounts:
        return note(check, f"{what} An account may let them in.", f"{cure} Then new people are told of at once.")
    return warning(check, f"{what} No account may let them in either.", cure)


async def _membership(case: Case, chat_id: int) -> dict[str, Any]:
    """As getChatMember answers; of a refusal nothing: the bot is not in there."""
    try:
        member: dict[str, Any] = await _ask(case, "getChatMember", chat_id=chat_id, user_id=case.settings.bot_id)
    except Refused:
        return {}
    return member


async def notify_chat(case: Case) -> AsyncIterator[Finding]:
    configured = case.settings.notify_chat
    if configured is None:
        return
    group = configured
    if case.opened is not None:
        group = await NoticeRepository(case.opened).group_after(configured) or configured
    if group != configured:
        what = f"The group of NOTIFY_CHAT became the supergroup {group}, and Porter follows it."
        yield note("notify-chat-moved", what, f"Set NOTIFY_CHAT={group}, for when this database is not at hand.")
    invite = "Add the bot to the group, and set NOTIFY_CHAT to the id that Porter's log names then."
    try:
        chat = await _ask(case, "getChat", chat_id=group)
    except Refused as refused:
        if refused.moved_to is not None:
            what = f"The group of NOTIFY_CHAT became the supergroup {refused.moved_to}."
            yield warning("notify-chat-moved", what, f"Set NOTIFY_CHAT={refused.moved_to}.")
        else:
            yield error("notify-chat-unreachable", f"The bot does not reach the group {group} of NOTIFY_CHAT.", invite)
        return
    member = await _membership(case, group)
    if member.get("status") not in MEMBERS or member.get("can_send_messages") is False:
        yield error("notify-chat-unreachable", f"The bot may not write to the group {group} of NOTIFY_CHAT.", invite)
    elif chat.get("is_forum") and not (member.get("status") == "creator" or member.get("can_manage_topics")):
        what = "The group of NOTIFY_CHAT has topics, and the bot may not manage them."
        yield note("notify-chat-topics", what, "For a topic a channel, give the bot the right 'Manage topics'.")
    else:
        yield ok("notify-chat", f"The bot may write to the group {group}.")
