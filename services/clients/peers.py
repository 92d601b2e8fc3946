"""Ids as the Bot API shows them <-> MTProto's bare ids.

A channel or supergroup C is -1_000_000_000_000 - C, a small group G is -G, a person keeps the id.
https://core.telegram.org/api/bots/ids
"""

_CHANNELS = 1_000_000_000_000


def id_of_channel(channel_id: int) -> int:
    return -_CHANNELS - channel_id


def id_of_group(chat_id: int) -> int:
    return -chat_id


def channel_of(peer_id: int) -> int | None:
    """The bare id of a channel or supergroup; None: it is a small group or a person."""
    return -peer_id - _CHANNELS if peer_id < -_CHANNELS else None


def group_of(peer_id: int) -> int | None:
    """The bare id of a small group; None: it is something else."""
    return -peer_id if -_CHANNELS <= peer_id < 0 else None
