"""messages.*: who waits at a channel's gate, and letting them in. https://core.telegram.org/api/invites#join-requests"""

import heapq
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import Channel, Request

DEFAULT_PAGE = 20


@method(functions.messages.GetChatInviteImportersRequest)
async def get_chat_invite_importers(call: Call, request: Any) -> Any:
    """A page of the waiting people (or, not `requested`, of those who were let in), newest first.

    Rows of one second are ordered by user id, descending: a page starts strictly behind (offset_date, offset_user),
    so none is skipped or told twice, even if that user has gone. The end is an empty page.
    """
    channel = peers.managed_channel(call, request.peer)
    if request.link and request.q:
        raise fail("SEARCH_WITH_LINK_NOT_SUPPORTED")
    rows = list(channel.requests.values()) if request.requested else _let_in(channel)
    if request.link:
        wanted = invite_hash(request.link)
        rows = [row for row in rows if row.link is not None and invite_hash(row.link) == wanted]
    if request.q:
        rows = [row for row in rows if _matches(call, row.user, request.q)]
    count = len(rows)
    rows.sort(key=lambda row: (row.date, row.user), reverse=True)
    if request.offset_date is not None and (date := int(request.offset_date.timestamp())) > 0:
        # An empty offset_user means: everybody of that second is past.
        user_id = 0
        if not isinstance(request.offset_user, types.InputUserEmpty):
            user_id = peers.known_user(call, request.offset_user).id
        rows = [row for row in rows if (row.date, row.user) < (date, user_id)]
    page = rows[: min(request.limit if request.limit > 0 else DEFAULT_PAGE, call.world.requests_page_cap)]
    people = {row.user for row in page} | {channel.approved[row.user] for row in page if not request.requested}
    return types.messages.ChatInviteImporters(
        count,
        [
            types.ChatInviteImporter(
                row.user,
                row.date,
                requested=bool(request.requested),
                about=call.world.account(row.user).bio or None,
                approved_by=None if request.requested else channel.approved[row.user],
            )
            for row in page
        ],
        render.users(call.world, people, call.user.id),
    )


@method(functions.messages.HideChatJoinRequestRequest)
async def hide_chat_join_request(call: Call, request: Any) -> Any:
    channel = peers.managed_channel(call, request.peer)
    person = peers.known_user(call, request.user_id)
    call.world.decide(channel, person.id, call.user.id, approve=bool(request.approved))
    return pending(call, channel)


@method(functions.messages.HideAllChatJoinRequestsRequest)
async def hide_all_chat_join_requests(call: Call, request: Any) -> Any:
    """Everybody who waits at this second; with `link`, those who came by it. What became of each is not told."""
    channel = peers.managed_channel(call, request.peer)
    links: set[str | None] = {None}
    if request.link:
        wanted = invite_hash(request.link)
        links = {row.link for row in channel.requests.values() if row.link and invite_hash(row.link) == wanted}
    for link in links:
        call.world.decide_all(channel, call.user.id, approve=bool(request.approved), link=link)
    return pending(call, channel)


def pending(call: Call, channel: Channel) -> Any:
    """The answer to a decision, as Telegram gives it: how many wait now."""
    update = pending_update(channel)
    users = render.users(call.world, set(update.recent_requesters), call.user.id)
    return types.Updates([update], users, [render.channel(channel, call.user.id)], call.world.now(), seq=0)


def pending_update(channel: Channel) -> Any:
    """How many wait, and the three who asked last."""
    recent = heapq.nlargest(3, channel.requests.values(), key=lambda row: (row.date, row.user))
    return types.UpdatePendingJoinRequests(
        render.peer(channel.peer), len(channel.requests), [row.user for row in recent]
    )


def invite_hash(link: str) -> str:
    """`https://t.me/+HASH` and `https://t.me/joinchat/HASH` are one link."""
    return link.rstrip("/").rpartition("/")[2].lstrip("+")


def _let_in(channel: Channel) -> list[Request]:
    return [
        Request(user_id, channel.members[user_id].date, channel.invite_link)
        for user_id in channel.approved
        if user_id in channel.members
    ]


def _matches(call: Call, user_id: int, q: str) -> bool:
    account = call.world.account(user_id)
    return q.casefold() in f"{account.name}\n{account.username or ''}".casefold()
