"""Claims of the connection: the account, its server, its waits; and what bots' accounts may ask."""

from datetime import UTC, datetime

from bot.doctor.live_claim import Claim, NotSeen, Seen, refused
from bot.doctor.live_scene import Account, Answer, input_channel
from services import errors
from services.clients.answers import translate
from services.clients.peers import channel_of
from services.clients.probe import Refusal, Tl

PAGE = 100
CLOCK_SECONDS = 30
"""Telegram refuses messages dated further ahead."""

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
        "services/clients/telethon_reading.py",
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
