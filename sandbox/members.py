"""What admins do to people: appoint, add, remove, ban. https://core.telegram.org/api/rights

The actor's right is checked here, so that both APIs refuse alike. Errors are WorldError with MTProto's names.
"""

from collections.abc import Iterable
from typing import Literal

from sandbox.world import AdminEvent, Channel, Membership, MembershipChanged, World, WorldError

RIGHTS = frozenset({"invite", "ban", "topics"})
"""What an administrator may be allowed beside reading along; in a Membership: may_invite and so on."""


def rights_of(member: Membership) -> list[str]:
    """Sorted; the creator has all."""
    if member.role == "creator":
        return sorted(RIGHTS)
    return sorted(right for right in RIGHTS if getattr(member, f"may_{right}"))


def appoint(world: World, channel: Channel, user_id: int, actor: int, rights: Iterable[str]) -> None:
    """Make them an administrator with these rights and no others. Somebody who is not in comes in by it."""
    _check_owner(channel, actor, user_id)
    old = channel.members.get(user_id)
    allowed = {f"may_{right}": True for right in rights}
    new = Membership(user_id, old.date if old else world.now(), "admin", **allowed)
    _put(world, channel, user_id, new, actor)


def dismiss(world: World, channel: Channel, user_id: int, actor: int) -> None:
    """An administrator becomes a member like others."""
    _check_owner(channel, actor, user_id)
    old = channel.members.get(user_id)
    if old is None:
        raise WorldError("USER_NOT_PARTICIPANT")
    _put(world, channel, user_id, Membership(user_id, old.date), actor)


def add(world: World, channel: Channel, user_id: int, actor: int) -> None:
    """Bring somebody in as a member; one who is an administrator is one no more."""
    if user_id in channel.members:
        dismiss(world, channel, user_id, actor)
    else:
        _put(world, channel, user_id, Membership(user_id, world.now()), actor)


def remove(world: World, channel: Channel, user_id: int, actor: int) -> None:
    """Out, and free to come back; a ban is lifted. Nothing happens to somebody who is neither in nor banned."""
    _check_may_ban(channel, actor, user_id)
    was_banned = user_id in channel.banned
    old = channel.members.pop(user_id, None)
    channel.banned.discard(user_id)
    if was_banned:
        _log(world, channel, user_id, actor, "unban")
    if was_banned or old is not None:
        world.tell(MembershipChanged(channel, user_id, old, None, actor, was_banned))


def unban(world: World, channel: Channel, user_id: int, actor: int) -> None:
    """Lift a ban. A member stays one."""
    if user_id in channel.members:
        _check_may_ban(channel, actor, user_id)
    else:
        remove(world, channel, user_id, actor)


def ban(world: World, channel: Channel, user_id: int, actor: int) -> None:
    """Out for good. Whoever waits at the gate goes on waiting: no source tells that a ban settles a request."""
    _check_may_ban(channel, actor, user_id)
    if user_id in channel.banned:
        return
    old = channel.members.pop(user_id, None)
    channel.banned.add(user_id)
    _log(world, channel, user_id, actor, "ban", since=old.date if old else None)
    world.tell(MembershipChanged(channel, user_id, old, None, actor))


def _put(world: World, channel: Channel, user_id: int, new: Membership, actor: int) -> None:
    old, was_banned = channel.members.get(user_id), user_id in channel.banned
    if old == new:
        return
    channel.banned.discard(user_id)
    channel.members[user_id] = new
    world.tell(MembershipChanged(channel, user_id, old, new, actor, was_banned))


def _check_owner(channel: Channel, actor: int, user_id: int) -> None:
    """Only the owner appoints here: no administrator is given the right to appoint others."""
    appointer = channel.members.get(actor)
    if appointer is None or appointer.role == "member":
        raise WorldError("CHAT_ADMIN_REQUIRED")
    if appointer.role != "creator":
        raise WorldError("RIGHT_FORBIDDEN", 403)
    if user_id == actor:
        raise WorldError("USER_CREATOR")


def _check_may_ban(channel: Channel, actor: int, user_id: int) -> None:
    """An administrator is out of reach for all but the owner, and the owner for everybody."""
    if not channel.may_ban(actor):
        raise WorldError("CHAT_ADMIN_REQUIRED")
    target = channel.members.get(user_id)
    if target is None or target.role == "member":
        return
    if target.role == "creator" or channel.members[actor].role != "creator":
        raise WorldError("USER_ADMIN_INVALID")


def _log(
    world: World, channel: Channel, user_id: int, actor: int, action: Literal["ban", "unban"], since: int | None = None
) -> None:
    event = AdminEvent(len(channel.admin_log) + 1, world.now(), actor, user_id, action, since=since)
    channel.admin_log.append(event)
