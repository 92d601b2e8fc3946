"""Claims of reading: the account, its channels, their history. Source pages stand beside each claim."""

import secrets
from datetime import UTC, datetime
from typing import Any

from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_scene import Account, Answer, input_channel, input_peer
from services import errors
from services.clients.answers import translate
from services.clients.peers import channel_of, id_of_channel
from services.clients.probe import Refusal, Tl
from services.links import ChannelLink, InviteLink, read_link

PAGE = 100
CLOCK_SECONDS = 30
"""Telegram refuses messages dated further ahead (https://core.telegram.org/mtproto/description#message-identifier-msg-id)."""
LARGEST_CHANNEL = 997_852_516_352
LARGEST_GROUP = 999_999_999_999
LARGEST_USER = 2**40 - 1
FAR_AHEAD = 1_000_000
"""So many posts come in no minute: the id so far above the newest one stands for none."""


async def refused(call: Any, *kinds: type[errors.PorterError]) -> Seen:
    """Whether Telegram says no, with a word that Porter takes for one of `kinds`."""
    try:
        await call
    except Refusal as refusal:
        ours = translate(refusal.word, refusal.code)
        return Seen(
            isinstance(ours, kinds), f"{refusal.code} {refusal.word}, which Porter takes for {type(ours).__name__}"
        )
    return Seen(False, "no refusal at all")


# -- the connection and the account


async def _layers(account: Account) -> Seen:
    config = await account.config()
    ours, theirs = account.probe.layer, await account.gate_layer()
    return Seen(ours == theirs, f"Telethon {ours}, kurigram {theirs}; {config['_']} was understood")


async def _data_centres(account: Account) -> Seen:
    config = await account.config()
    usable = {each["id"] for each in config["dc_options"] if not (each["cdn"] or each["tcpo_only"])}
    home = account.probe.home_dc
    return Seen(
        config["this_dc"] == home and home in usable,
        f"this_dc {config['this_dc']}, the session's {home}, listed {sorted(usable)}",
    )


async def _clock(account: Account) -> Seen:
    config = await account.ask("help.getConfig")  # anew: it is the moment that counts
    ahead = (datetime.now(UTC) - config["date"]).total_seconds()
    return Seen(abs(ahead) <= CLOCK_SECONDS, f"this machine is {ahead:+.0f} s ahead of Telegram")


async def _self(account: Account) -> Seen:
    answer = await account.ask("users.getUsers", id=[Tl("inputUserSelf")])
    if len(answer) != 1:
        return Seen(False, f"{len(answer)} users")
    user = answer[0]
    is_ours = user["id"] == account.session.user_id
    agrees = bool(user["_"] == "User" and user["is_self"] and is_ours and not user["bot"])
    flags = f"self {user['is_self']}, bot {user['bot']}, premium {user['premium']}"
    return Seen(agrees, f"{user['_']} with {flags}; its id is {'the stored one' if is_ours else 'ANOTHER'}")


# -- the list of chats


async def _dialogs_page(account: Account) -> Seen:
    answer = await account.dialogs()
    given, count = len(answer["dialogs"]), answer.get("count")
    if count is None or count <= PAGE:
        if given > PAGE:
            return Seen(False, f"{given} chats at once")
        raise NotSeen(f"the account has {given} chats", "Let an account with more than 100 chats take part.")
    return Seen(given <= PAGE, f"{given} of {count} chats where 200 were asked for")


async def _ids(account: Account) -> Seen:
    answer = await account.dialogs()
    limits = {"Channel": LARGEST_CHANNEL, "Chat": LARGEST_GROUP, "User": LARGEST_USER}
    of_kind = [
        each for each in [*answer["chats"], *answer["users"]] if each["_"] in limits and not each.get("monoforum")
    ]
    if not of_kind:
        raise NotSeen("the account has no chats", "Let an account with chats take part.")
    outside = [each["_"] for each in of_kind if not 1 <= each["id"] <= limits[each["_"]]]
    channels = [each["id"] for each in of_kind if each["_"] == "Channel"]
    back = all(channel_of(id_of_channel(each)) == each for each in channels)
    return Seen(not outside and back, f"{len(of_kind)} ids, {len(outside)} outside the ranges {outside[:3]}")


async def _newest_told(account: Account) -> Seen:
    channel, page = await account.library(), await account.newest()
    answer = await account.ask("messages.getPeerDialogs", peers=[Tl("inputDialogPeer", {"peer": input_peer(channel)})])
    told, newest = answer["dialogs"][0]["top_message"], page["messages"][0]["id"]
    # Somebody may post in between.
    return Seen(told >= newest, f"top_message {told}, the newest page begins with {newest}")


# -- history


async def _history_page(account: Account) -> Seen:
    page = await account.newest()
    given, count = len(page["messages"]), page.get("count", len(page["messages"]))
    if count <= PAGE and given <= PAGE:
        raise NotSeen(f"the channel has {count} messages", "Let an account join a channel with more than 100 posts.")
    return Seen(given == PAGE, f"{given} of {count} where 200 were asked for")


async def _history_order(account: Account) -> Seen:
    ids = [message["id"] for message in (await account.newest())["messages"]]
    return Seen(ids == sorted(ids, reverse=True), f"{len(ids)} ids from {ids[0]} to {ids[-1]}")


async def _window_above(account: Account) -> tuple[Answer, list[int], int]:
    """A page of ten cut above a message in the middle of the newest page, the ids of that page, and the message's."""
    ids = [message["id"] for message in (await account.newest())["messages"]]
    if len(ids) < 3:
        raise NotSeen("the channel has less than three messages", "Let an account join a channel with posts.")
    after_id = ids[min(15, len(ids) - 1)]
    channel = await account.library()
    page = await account.once(
        "window", lambda: account.history(channel, offset_id=after_id + 1, add_offset=-10, limit=10)
    )
    return page, ids, after_id


async def _history_window(account: Account) -> Seen:
    page, ids, after_id = await _window_above(account)
    above = sorted(each["id"] for each in page["messages"] if each["id"] > after_id)
    expected = sorted(each for each in ids if each > after_id)[:10]
    return Seen(
        bool(above) and above == expected,
        f"{len(above)} messages right above the id, without a gap: {above == expected}",
    )


async def _history_position(account: Account) -> Seen:
    page, ids, _ = await _window_above(account)
    told = page.get("offset_id_offset")
    if told is None:
        return Seen(False, "no offset_id_offset beside an offset_id")
    newer = sum(each > page["messages"][0]["id"] for each in ids)
    return Seen(told == newer, f"offset_id_offset {told}, newer messages on the newest page {newer}")


async def _by_ids(account: Account) -> Answer:
    async def make() -> Answer:
        newest = (await account.newest())["messages"][0]["id"]
        ids = [newest + FAR_AHEAD, *range(newest, max(newest - PAGE + 1, 0), -1)]
        wanted = [Tl("inputMessageID", {"id": each}) for each in ids]
        answer = await account.ask("channels.getMessages", channel=input_channel(await account.library()), id=wanted)
        return {"asked": len(ids), "gone": ids[0], "messages": answer["messages"]}

    return await account.once("by ids", make)


async def _ids_at_once(account: Account) -> Seen:
    answer = await _by_ids(account)
    if answer["asked"] < PAGE:
        raise NotSeen(f"the channel has {answer['asked'] - 1} ids", "Let an account join a channel with 100 posts.")
    return Seen(len(answer["messages"]) == PAGE, f"{len(answer['messages'])} messages for {answer['asked']} ids")


async def _message_gone(account: Account) -> Seen:
    answer = await _by_ids(account)
    kinds = [each["_"] for each in answer["messages"] if each["id"] == answer["gone"]]
    return Seen(kinds in (["MessageEmpty"], []), f"{kinds or 'nothing'} for an id that was never given out")


async def _counters(account: Account) -> Seen:
    names = ("inputMessagesFilterDocument", "inputMessagesFilterPhotos", "inputMessagesFilterMusic")
    answer = await account.ask(
        "messages.getSearchCounters", peer=input_peer(await account.library()), filters=[Tl(name) for name in names]
    )
    told = {each["filter"]["_"]: each["count"] for each in answer}
    wanted = {name[0].upper() + name[1:] for name in names}
    return Seen(set(told) == wanted, f"counts {sorted(told.values())} for {len(told)} of {len(names)} filters")


# -- links


async def _message_link(account: Account) -> Seen:
    channel, newest = await account.library(), (await account.newest())["messages"][0]["id"]
    try:
        answer = await account.ask("channels.exportMessageLink", channel=input_channel(channel), id=newest)
    except Refusal as refusal:  # Porter itself asks for no link: people send them
        raise NotSeen(
            f"Telegram gives the account no link to a post ({refusal.word})",
            "Compare the link that an official app copies with the claim.",
        ) from refusal
    link = read_link(answer["link"])
    leads_to = {id_of_channel(channel["id"]), (channel["username"] or "").lower() or None}
    agrees = (
        isinstance(link, ChannelLink)
        and link.post == newest
        and (link.channel.lower() if isinstance(link.channel, str) else link.channel) in leads_to
    )
    form = "by name" if isinstance(link, ChannelLink) and isinstance(link.channel, str) else "by number (t.me/c/)"
    return Seen(agrees, f"a link {form} that Porter reads: {agrees}")


async def _invite_link(account: Account) -> Seen:
    for channel in (await account.channels())[:3]:
        invite = (await account.full(channel))["full_chat"].get("exported_invite")
        if invite and invite.get("link"):
            return Seen(
                isinstance(read_link(invite["link"]), InviteLink),
                f"{invite['_']} with a link that Porter reads as an invitation",
            )
    raise NotSeen("no channel shows the account its invite link", "Make an account the administrator of a channel.")


async def _own_invite(account: Account) -> Seen:
    for channel in (await account.channels())[:3]:
        invite = (await account.full(channel))["full_chat"].get("exported_invite")
        link = read_link(invite["link"]) if invite and invite.get("link") else None
        if isinstance(link, InviteLink):
            answer = await account.ask("messages.checkChatInvite", hash=link.hash)
            return Seen(answer["_"] == "ChatInviteAlready", f"{answer['_']} for the link of a channel that it is in")
    raise NotSeen("no channel shows the account its invite link", "Make an account the administrator of a channel.")


# -- refusals


async def _no_such_invite(account: Account) -> Seen:
    call = account.ask("messages.checkChatInvite", hash=secrets.token_urlsafe(12))
    return await refused(call, errors.InviteInvalid)


async def _no_such_name(account: Account) -> Seen:
    call = account.ask("contacts.resolveUsername", username=f"nobody_{secrets.token_hex(8)}")
    return await refused(call, errors.ChannelNotFound)


async def _impossible_name(account: Account) -> Seen:
    return await refused(account.ask("contacts.resolveUsername", username="1_2"), errors.ChannelNotFound)


async def _wrong_hash(account: Account) -> Seen:
    channel = dict(await account.library())
    channel["access_hash"] ^= 1
    call = account.ask("channels.getFullChannel", channel=input_channel(channel))
    return await refused(call, errors.ChannelUnavailable)


async def _noforwards(account: Account) -> Seen:
    sealed = [channel for channel in await account.channels() if channel["noforwards"]]
    if not sealed:
        raise NotSeen("no channel of the account forbids forwarding", "Let an account join a channel that does.")
    page = await account.history(sealed[0], limit=10)
    return Seen(bool(page["messages"]), f"{len(page['messages'])} messages of a channel with noforwards")


# -- waits


async def _flood_wait(account: Account) -> Seen:
    """The last claim of the account: whether a wait came meanwhile."""
    if not account.probe.waits:
        raise NotSeen("no flood wait came, and none is provoked", "Nothing: it is good that none came.")
    wrong = [each for each in account.probe.waits if each.code != 420 or each.seconds < 0 or "_WAIT_X" not in each.word]
    words = ", ".join(f"{each.code} {each.word} of {each.seconds} s" for each in account.probe.waits[:3])
    return Seen(not wrong, words)


# -- bots' accounts


async def _bot_no_lists(account: Account) -> Seen:
    call = account.ask(
        "messages.getDialogs", offset_date=None, offset_id=0, offset_peer=Tl("inputPeerEmpty"), limit=1, hash=0
    )
    return await refused(call, errors.AccountRequired)


async def _bot_self(account: Account) -> Seen:
    answer = await account.ask("users.getUsers", id=[Tl("inputUserSelf")])
    return Seen(bool(answer[0]["bot"] and answer[0]["id"] == account.session.user_id), f"bot {answer[0]['bot']}")


async def _bot_sees(account: Account) -> tuple[Answer, Answer]:
    """A channel that Porter knows and the bot is in, named without an access hash: its InputChannel and channelFull."""

    async def make() -> tuple[Answer, Answer]:
        for channel_id in filter(None, map(channel_of, account.known)):
            named = {"id": channel_id, "access_hash": 0}
            try:
                answer = await account.ask("channels.getFullChannel", channel=input_channel(named))
            except Refusal as refusal:
                if not issubclass(type(translate(refusal.word, refusal.code)), errors.ChannelUnavailable):
                    raise
                continue
            return named, answer["full_chat"]
        raise NotSeen("the bot reads no channel that Porter knows", "Make that bot an administrator of a channel.")

    return await account.once("seen by the bot", make)


async def _bot_no_hash(account: Account) -> Seen:
    _, full = await _bot_sees(account)
    return Seen(full["pts"] > 0, f"{full['_']} with pts {full['pts']}")


async def _bot_difference(account: Account) -> Seen:
    named, full = await _bot_sees(account)
    answer = await account.ask(
        "updates.getChannelDifference",
        channel=input_channel(named),
        filter=Tl("channelMessagesFilterEmpty"),
        pts=max(1, full["pts"] - PAGE),
        limit=PAGE,
    )
    kinds = {"ChannelDifference", "ChannelDifferenceEmpty", "ChannelDifferenceTooLong"}
    return Seen(answer["_"] in kinds and answer.get("pts", 1) > 0, f"{answer['_']} from pts {full['pts']} - {PAGE} on")


_METHOD = "https://core.telegram.org/method"
_READING = "services/clients/telethon_reading.py"

CLAIMS: tuple[Claim[Account], ...] = (
    Claim(
        "layers",
        "Telethon and kurigram, as pinned, speak one layer of the schema, and Telegram takes it.",
        "https://core.telegram.org/api/invoking#layers",
        _layers,
        "services/clients/factory.py",
    ),
    Claim(
        "data-centres",
        "help.getConfig lists the data centres, the session's own (this_dc) among them, with addresses of no CDN.",
        f"{_METHOD}/help.getConfig",
        _data_centres,
        "services/clients/telethon_files.py",
    ),
    Claim(
        "clock",
        "Telegram's clock and this machine's are at most 30 s apart.",
        "https://core.telegram.org/mtproto/description#message-identifier-msg-id",
        _clock,
        "services/schedule.py",
    ),
    Claim(
        "self",
        "users.getUsers of inputUserSelf answers the account that the session is stored for, with the self flag.",
        f"{_METHOD}/users.getUsers",
        _self,
        _READING,
    ),
    Claim(
        "dialogs-page",
        "messages.getDialogs gives 100 chats at most, whatever is asked for.",
        "https://core.telegram.org/api/offsets",
        _dialogs_page,
        "services/clients/walks.py",
    ),
    Claim(
        "ids",
        "Ids of channels, groups and people lie in the ranges that make the Bot API's form (-100...) unambiguous.",
        "https://core.telegram.org/api/bots/ids",
        _ids,
        "services/clients/peers.py",
    ),
    Claim(
        "newest-told",
        "messages.getPeerDialogs tells the id of a channel's newest message as top_message.",
        f"{_METHOD}/messages.getPeerDialogs",
        _newest_told,
        "services/live.py",
    ),
    Claim(
        "history-page",
        "messages.getHistory gives 100 messages at most, whatever is asked for.",
        f"{_METHOD}/messages.getHistory",
        _history_page,
        _READING,
    ),
    Claim(
        "history-order",
        "A page of history comes newest first.",
        f"{_METHOD}/messages.getHistory",
        _history_order,
        _READING,
    ),
    Claim(
        "history-window",
        "With offset_id = N + 1 and add_offset = -limit a page holds the messages right above N, without a gap.",
        "https://core.telegram.org/api/offsets",
        _history_window,
        _READING,
    ),
    Claim(
        "history-position",
        "With an offset_id a page of a channel tells as offset_id_offset how many messages stand before its first.",
        "https://core.telegram.org/api/offsets",
        _history_position,
        _READING,
    ),
    Claim(
        "ids-at-once",
        "channels.getMessages takes 100 ids at once and answers each.",
        f"{_METHOD}/channels.getMessages",
        _ids_at_once,
        "services/clients/telethon_bot.py",
    ),
    Claim(
        "message-gone",
        "For an id without a message channels.getMessages answers messageEmpty or nothing, and no error.",
        f"{_METHOD}/channels.getMessages",
        _message_gone,
        _READING,
    ),
    Claim(
        "counters",
        "messages.getSearchCounters answers one count for each filter that was asked for.",
        f"{_METHOD}/messages.getSearchCounters",
        _counters,
        "services/clients/telethon_search.py",
    ),
    Claim(
        "message-link",
        "The link to a post is t.me/NAME/ID or t.me/c/CHANNEL/ID, with the channel's bare id.",
        "https://core.telegram.org/api/links#message-links",
        _message_link,
        "services/links.py",
    ),
    Claim(
        "invite-link",
        "An invite link is t.me/+HASH or t.me/joinchat/HASH.",
        "https://core.telegram.org/api/links#chat-invite-links",
        _invite_link,
        "services/links.py",
    ),
    Claim(
        "own-invite",
        "messages.checkChatInvite answers chatInviteAlready where the account is in already.",
        f"{_METHOD}/messages.checkChatInvite",
        _own_invite,
        "services/invites.py",
    ),
    Claim(
        "no-such-invite",
        "A hash that belongs to no invite link is refused as INVITE_HASH_EXPIRED or INVITE_HASH_INVALID.",
        f"{_METHOD}/messages.checkChatInvite",
        _no_such_invite,
        "services/clients/answers.py",
    ),
    Claim(
        "no-such-name",
        "A free username is refused as USERNAME_NOT_OCCUPIED.",
        f"{_METHOD}/contacts.resolveUsername",
        _no_such_name,
        "services/clients/answers.py",
    ),
    Claim(
        "impossible-name",
        "What can be no username is refused as USERNAME_INVALID (or USERNAME_NOT_OCCUPIED).",
        f"{_METHOD}/contacts.resolveUsername",
        _impossible_name,
        "services/clients/answers.py",
    ),
    Claim(
        "wrong-access-hash",
        "A channel that is named with another access hash is refused as CHANNEL_INVALID or CHANNEL_PRIVATE.",
        "https://core.telegram.org/api/peers#access-hash",
        _wrong_hash,
        "services/clients/answers.py",
    ),
    Claim(
        "noforwards",
        "A channel that forbids forwarding (noforwards) gives its members its history all the same.",
        "https://core.telegram.org/constructor/channel",
        _noforwards,
        "services/scraping.py",
    ),
)

LAST: tuple[Claim[Account], ...] = (
    Claim(
        "flood-wait",
        "A flood wait is error 420 with a word that carries the seconds (FLOOD_WAIT_X, FLOOD_PREMIUM_WAIT_X).",
        "https://core.telegram.org/api/errors#420-flood",
        _flood_wait,
        "services/clients/pacing.py",
    ),
)

OF_BOTS: tuple[Claim[Account], ...] = (
    Claim(
        "bot-account",
        "users.getUsers of inputUserSelf says of a bot's account that it is one.",
        f"{_METHOD}/users.getUsers",
        _bot_self,
        "services/bot_accounts.py",
    ),
    Claim(
        "bot-account-lists",
        "A bot's account that asks for what is for people is refused as BOT_METHOD_INVALID.",
        "https://core.telegram.org/api/bots",
        _bot_no_lists,
        "services/clients/telethon_bot.py",
    ),
    Claim(
        "bot-account-no-hash",
        "A bot's account names channels that it is in with the access hash 0.",
        "https://core.telegram.org/api/peers#access-hash",
        _bot_no_hash,
        "services/clients/telethon_bot.py",
    ),
    Claim(
        "bot-account-news",
        "updates.getChannelDifference tells a bot what a channel had of late, from an older pts on.",
        f"{_METHOD}/updates.getChannelDifference",
        _bot_difference,
        "services/clients/telethon_bot.py",
    ),
)
