"""Small groups: how they begin, and how they become supergroups. https://core.telegram.org/api/channel#migration
And forums: supergroups with topics. https://core.telegram.org/api/forum

What is left of a group that moved can be read on by its members, and written to by nobody: PEER_ID_INVALID.
"""

from collections.abc import Iterable

from sandbox.world import Channel, Membership, Message, World, WorldError

FIRST_GROUP, FIRST_SUPERGROUP = 4_100_000_001, 2_300_000_001


def found(world: World, title: str, creator: int, members: Iterable[int] = ()) -> Channel:
    """A new small group; its first message says so."""
    group = Channel(_free_id(world, FIRST_GROUP), title, megagroup=True, basic=True, created=world.now())
    group.members = {user_id: Membership(user_id, world.now()) for user_id in members}
    group.members[creator] = Membership(creator, world.now(), "creator", may_invite=True)
    world.channels[group.id] = group
    world.post(group, creator, text=title, action="chat_create")
    return group


def found_forum(world: World, title: str, creator: int, members: Iterable[int] = ()) -> Channel:
    """A new supergroup whose talk is in topics. It has the general one, which messages without a topic belong to."""
    forum = Channel(_free_id(world, FIRST_SUPERGROUP), title, megagroup=True, forum=True, created=world.now())
    forum.members = {user_id: Membership(user_id, world.now()) for user_id in members}
    forum.members[creator] = Membership(creator, world.now(), "creator", may_invite=True)
    world.channels[forum.id] = forum
    world.post(forum, creator, text=title, action="channel_create")
    return forum


def open_topic(world: World, forum: Channel, actor: int, name: str) -> Message:
    """The topic is known by the id of this first message. Raises WorldError where there are no topics."""
    if not forum.forum:
        raise WorldError("CHANNEL_FORUM_MISSING")
    return world.post(forum, actor, text=name, action="topic_create")


def has_topic(channel: Channel, thread: int) -> bool:
    """False for one that was deleted. The general topic has no message of its own: to name it is to name none."""
    first = channel.messages.get(thread)
    return first is not None and first.action == "topic_create" and not first.deleted


def migrate(world: World, group: Channel) -> Channel:
    """The supergroup that it becomes: the same people, those at its gate too, and ids of messages that begin anew."""
    creator = next(member.user for member in group.members.values() if member.role == "creator")
    grown = Channel(_free_id(world, FIRST_SUPERGROUP), group.title, megagroup=True, created=world.now())
    grown.members = dict(group.members)
    grown.requests, group.requests = group.requests, {}
    grown.approval, grown.invite_hash, group.invite_hash = group.approval, group.invite_hash, ""
    grown.links, group.links = group.links, []
    grown.banned = set(group.banned)
    world.channels[grown.id] = grown
    group.migrated_to = grown.id
    world.post(group, creator, action="migrate_to", moved=grown.id)
    world.post(grown, creator, text=group.title, action="migrate_from", moved=group.id)
    return grown


def _free_id(world: World, first: int) -> int:
    return max(
        (channel_id + 1 for channel_id in world.channels if first <= channel_id < first + 1_000_000), default=first
    )
