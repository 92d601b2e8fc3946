"""Claims of links and names: their forms, and the words of what leads nowhere."""

import secrets

from bot.doctor.live_claim import Claim, NotSeen, Seen, refused
from bot.doctor.live_scene import Account, input_channel
from services import errors
from services.clients.peers import id_of_channel
from services.clients.probe import Refusal
from services.links import ChannelLink, InviteLink, read_link

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


_METHOD = "https://core.telegram.org/method"

CLAIMS: tuple[Claim[Account], ...] = (
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
)
