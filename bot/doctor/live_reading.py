"""Claims of reading: the list of chats, and the history of a channel."""

from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_scene import Account, Answer, input_channel, input_peer
from services.clients.peers import channel_of, id_of_channel
from services.clients.probe import Tl

PAGE = 100
LARGEST_CHANNEL = 997_852_516_352
LARGEST_GROUP = 999_999_999_999
LARGEST_USER = 2**40 - 1
FAR_AHEAD = 1_000_000
"""So many posts come in no minute: the id so far above the newest one stands for none."""

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


async def _noforwards(account: Account) -> Seen:
    sealed = [channel for channel in await account.channels() if channel["noforwards"]]
    if not sealed:
        raise NotSeen("no channel of the account forbids forwarding", "Let an account join a channel that does.")
    page = await account.history(sealed[0], limit=10)
    return Seen(bool(page["messages"]), f"{len(page['messages'])} messages of a channel with noforwards")


_METHOD = "https://core.telegram.org/method"
_READING = "services/clients/telethon_reading.py"

CLAIMS: tuple[Claim[Account], ...] = (
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
        "noforwards",
        "A channel that forbids forwarding (noforwards) gives its members its history all the same.",
        "https://core.telegram.org/constructor/channel",
        _noforwards,
        "services/scraping.py",
    ),
)
