"""updates.*: where the sequences of updates stand, and what a client has missed. https://core.telegram.org/api/updates"""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import dialogs, history, peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import Change, Message

CHANNEL_DIFFERENCE_PAGE = 100
CHANNEL_DIFFERENCE_PAGE_FOR_BOTS = 100_000


@method(functions.updates.GetStateRequest)
async def get_state(call: Call, _request: Any) -> Any:
    return dialogs.state(call)


@method(functions.updates.GetDifferenceRequest)
async def get_difference(call: Call, request: Any) -> Any:
    """What happened in private chats since `pts`."""
    world, viewer = call.world, call.user
    pts = world.private_pts.get(viewer.id, 1)
    if request.pts >= pts:
        return types.updates.DifferenceEmpty(world.now(), 1)
    missed = _since(world.private_changes.get(viewer.id, []), request.pts)
    if missed is None:
        return types.updates.DifferenceTooLong(pts)
    changed = [(change, _private(call, change)) for change in missed]
    new = _once([message for change, message in changed if change.kind == "new" and message and not message.deleted])
    others = []
    for change, message in changed:
        if change.kind == "edit" and message is not None and not message.deleted:
            rendered = render.message(world, message, viewer.id)
            others.append(types.UpdateEditMessage(rendered, change.pts, 1))
        elif change.kind == "delete":
            others.append(types.UpdateDeleteMessages([change.message_id], change.pts, 1))
    named = [message for _, message in changed if message is not None]
    _, chats, users = history.with_peers(call, named)
    rendered_new = [render.message(world, message, viewer.id) for message in new]
    return types.updates.Difference(rendered_new, [], others, chats, users, dialogs.state(call))


@method(functions.updates.GetChannelDifferenceRequest)
async def get_channel_difference(call: Call, request: Any) -> Any:
    """What happened in a channel since `pts`: a page, or its newest state for those who lag too far behind."""
    world, viewer = call.world, call.user
    channel = peers.readable_channel(call, request.channel)
    if request.pts < 1:
        raise fail("PERSISTENT_TIMESTAMP_INVALID")
    if request.pts >= channel.pts:
        return types.updates.ChannelDifferenceEmpty(channel.pts, final=True)
    missed = _since(channel.changes, request.pts)
    if missed is None:
        return dialogs.too_long(call, channel)
    most = CHANNEL_DIFFERENCE_PAGE_FOR_BOTS if viewer.is_bot else CHANNEL_DIFFERENCE_PAGE
    page = missed[: min(request.limit or CHANNEL_DIFFERENCE_PAGE, most)]
    found = [(change, channel.messages[change.message_id]) for change in page]
    new = _once([message for change, message in found if change.kind == "new" and not message.deleted])
    others: list[Any] = []
    for change, message in found:
        if change.kind == "edit" and not message.deleted:
            rendered = render.message(world, message, viewer.id)
            others.append(types.UpdateEditChannelMessage(rendered, change.pts, 1))
        elif change.kind == "delete":
            others.append(types.UpdateDeleteChannelMessages(channel.id, [change.message_id], change.pts, 1))
    rendered_new, chats, users = history.with_peers(call, new, channel)
    return types.updates.ChannelDifference(
        page[-1].pts, rendered_new, others, chats, users, final=len(page) == len(missed)
    )


def _since(changes: list[Change], pts: int) -> list[Change] | None:
    """The changes after `pts`; None when some of them are forgotten."""
    missed = [change for change in changes if change.pts > pts]
    return missed if missed and missed[0].pts == pts + 1 else None


def _once(messages: list[Message]) -> list[Message]:
    return list({id(message): message for message in messages}.values())


def _private(call: Call, change: Change) -> Message | None:
    world, viewer = call.world, call.user
    if change.chat is not None:
        return world.channel_by_peer(change.chat).messages.get(change.message_id)
    if change.bot_id is None:
        return world.service.get(viewer.id, {}).get(change.message_id)
    return world.chats.get(change.bot_id, {}).get(viewer.id, {}).get(change.message_id)
