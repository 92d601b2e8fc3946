"""How a bot account comes to know a channel: somebody names it, and the bot proves by a read that it is in there.

Telegram lists no channels to bots. What a bot has met is stored like what a person's account was shown, and never asked
twice. It is stored as a reader alone: who waits at a channel is not told to bots over MTProto.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from services.clients.base import Peer, SeenChannel
from services.clients.pool import ClientPool
from services.errors import BotOutside, ChannelUnavailable
from storage.models import Channel

log = logging.getLogger(__name__)

LOOKED_AGAIN = 20

ANY_ID = 1
"""Of a message that need not be there: only the answer's kind counts."""


async def meet(pool: ClientPool, session_id: int, reference: Peer | str) -> SeenChannel:
    """The channel of that address or username. Where it is a member, a bot needs no access hash: 0 does.

    Raises BotOutside, ChannelNotFound, AccountRequired (a small group).
    """
    async with pool.reading(session_id) as client:
        try:
            peer = reference if isinstance(reference, Peer) else (await client.resolve(reference)).peer
            seen = await client.look(peer)
            await client.posts(seen.peer, [ANY_ID])  # a bot may look at channels that it may not read
        except ChannelUnavailable as error:
            raise BotOutside from error
    return replace(seen, may_invite=False)


async def meet_again(pool: ClientPool, session_id: int, met: Sequence[Channel]) -> list[Channel]:
    """Those that it can read still, as they are now; of many the first ones are looked at, the others stay as they are.

    Each costs three calls.
    """
    found = []
    for channel in met[:LOOKED_AGAIN]:
        try:
            found.append((await meet(pool, session_id, await pool.peer(session_id, channel.id))).channel)
        except BotOutside:
            log.info("a bot cannot read a channel any more", extra={"session_id": session_id})
    return [*found, *met[LOOKED_AGAIN:]]
