"""Invite links as bots see them: those of other admins are cut and end with an ellipsis; accounts see them whole.

https://core.telegram.org/bots/api#chatinvitelink. Where the cut falls is not documented. So a cut link stands for the
whole one that begins with it, from the moment an account has told that one.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import IncomingRequest

CUT = "…"
"""Sorts behind every character of a link: the whole one stands before the cut one."""

_OF_CHANNEL = "channel_id = :channel_id AND status = 'PENDING' AND link IS NOT NULL"
_WHOLE = text(f"SELECT min(link) FROM join_requests WHERE {_OF_CHANNEL} AND link > :begin AND link < :begin || :cut")
_KNOWN = text(f"SELECT EXISTS (SELECT 1 FROM join_requests WHERE {_OF_CHANNEL} AND link = :link)")
_COMPLETE = text(
    f"UPDATE join_requests SET link = :link, judged_at = NULL WHERE {_OF_CHANNEL} AND link LIKE '%' || :cut "
    "AND substr(:link, 1, length(link) - 1) || :cut = link"
)


async def with_whole_links(
    connection: AsyncConnection, channel_id: int, requests: Sequence[IncomingRequest]
) -> list[IncomingRequest]:
    """The requests of one channel, with whole links where one is known. A whole link that is new completes those that
    are stored."""
    meant: dict[str, str] = {}
    for link in {request.link for request in requests if request.link}:
        if link.endswith(CUT):
            values = {"channel_id": channel_id, "begin": link.removesuffix(CUT), "cut": CUT}
            meant[link] = await connection.scalar(_WHOLE, values) or link
        elif not await connection.scalar(_KNOWN, {"channel_id": channel_id, "link": link}):
            await connection.execute(_COMPLETE, {"channel_id": channel_id, "link": link, "cut": CUT})
    return [replace(request, link=meant[request.link]) if request.link in meant else request for request in requests]
