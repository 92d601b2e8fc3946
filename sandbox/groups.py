"""Small groups: how they begin, and how they become supergroups. https://core.telegram.org/api/channel#migration

What is left of a group that moved can be read on by its members, and written to by nobody: PEER_ID_INVALID.
"""

from collections.abc import Iterable

from sandbox.world import Channel, Membership, World

FIRST_GROUP, FIRST_SUPERGROUP = 4_100_000_001, 2_300_000_001


def found(world: World, title: str, creator: int, members: Iterable[int] = ()) -> Channel:
    """A new small group; its first message says so."""
    group = Channel(_free_id(world, FIRST_GROUP), title, megagroup=True, basic=True, created=world.now())
    group.members = {user_id: Membership(user_id, world.now()) for user_id in members}
    group.members[creator] = Membership(creator, world.now(), "creator", may_invite=True)
    world.channels[group.id] = group
    world.post(group, creator, text=title, action="chat_create")
    return group


def migrate(world: World, group: Channel) -> Channel:
    """The supergroup that it becomes: the same people, and ids of messages that begin anew."""
    creator = next(member.user for member in group.members.values() if member.role == "creator")
    grown = Channel(_free_id(world, FIRST_SUPERGROUP), group.title, megagroup=True, created=world.now())
    grown.members = dict(group.members)
    world.channels[grown.id] = grown
    group.migrated_to = grown.id
    world.post(group, creator, action="migrate_to", moved=grown.id)
    world.post(grown, creator, text=group.title, action="migrate_from", moved=group.id)
    return grown


def _free_id(world: World, first: int) -> int:
    return max(
        (channel_id + 1 for channel_id in world.channels if first <= channel_id < first + 1_000_000), default=first
    )
