"""Who came in meanwhile: what tells somebody who was let in by others from somebody who asks no more.

A channel's own log names everybody who came in the last 48 hours and who let them in, a hundred in a call. Of the few
whom it does not name each is asked about; of many, the list of those who came last is read. Whoever is found nowhere is
taken for no member, which a large channel can make untrue: Telegram shows only the last thousands of its members.
"""

from collections.abc import Mapping, Set
from datetime import datetime, timedelta

from services.clients.base import Joined, Peer
from services.clients.peers import group_of
from services.clients.pool import ClientPool
from services.errors import RightMissing
from storage.sessions import SessionRepository

LOG_PAGES = 250
"""25,000 who came in. Beyond that the list of members is read."""
ASKED_SINGLY = 20
MEMBER_PAGES = 50
CLOCKS_APART = timedelta(minutes=5)
"""Telegram's clock and ours."""


class Membership:
    def __init__(self, sessions: SessionRepository, pool: ClientPool) -> None:
        self._sessions = sessions
        self._pool = pool

    async def came_in(self, session_id: int, peer: Peer, since: datetime) -> dict[int, Joined]:
        """Who became a member since then, by user id, as far back as Telegram's log goes (48 hours).

        Empty where the account may not read the log. Raises TelegramError.
        """
        return await self._logged(session_id, peer, since, frozenset())

    async def who_is_in(self, session_id: int, peer: Peer, asked: Mapping[int, datetime]) -> dict[int, int | None]:
        """Which of these came in after they had asked; with who let them in, None where nobody says so.

        `asked`: by user id, when. Raises TelegramError.
        """
        if not asked:
            return {}
        joins = await self._logged(session_id, peer, min(asked.values()), asked.keys())
        found = {
            user_id: joins[user_id].by
            for user_id, asked_at in asked.items()
            if user_id in joins and joins[user_id].at >= asked_at - CLOCKS_APART
        }
        left = asked.keys() - found.keys()
        if len(left) > ASKED_SINGLY or group_of(peer.id) is not None:
            return {**found, **dict.fromkeys(await self._listed(session_id, peer, left))}
        hashes = await self._sessions.access_hashes(session_id, sorted(left))
        async with self._pool.gate(session_id) as client:
            for user_id, access_hash in hashes.items():
                if await client.is_member(peer, user_id, access_hash):
                    found[user_id] = None
        return found

    async def is_in(self, session_id: int, peer: Peer, user_id: int) -> bool:
        """One person. Whom the account has never met is taken for no member. Raises TelegramError."""
        if group_of(peer.id) is not None:
            return bool(await self._listed(session_id, peer, {user_id}))
        access_hash = await self._sessions.access_hash(session_id, user_id)
        if access_hash is None:
            return False
        async with self._pool.gate(session_id) as client:
            return await client.is_member(peer, user_id, access_hash)

    async def _logged(self, session_id: int, peer: Peer, since: datetime, wanted: Set[int]) -> dict[int, Joined]:
        """Reads back to `since`, or until all of `wanted` (not empty) are found. The newest joining of each counts."""
        joins: dict[int, Joined] = {}
        before = 0
        since -= CLOCKS_APART
        for _ in range(LOG_PAGES):
            try:
                async with self._pool.gate(session_id) as client:
                    page = await client.admin_log_joins(peer, before)
            except RightMissing:
                break
            for joined in page.joins:
                if joined.at >= since:
                    joins.setdefault(joined.user_id, joined)
            is_over = page.next is None or page.oldest is None or page.oldest < since
            if is_over or (wanted and wanted <= joins.keys()):
                break
            before = page.next or 0
        return joins

    async def _listed(self, session_id: int, peer: Peer, wanted: set[int]) -> set[int]:
        """Those of `wanted` that stand in the list of members."""
        found: set[int] = set()
        offset = 0
        for _ in range(MEMBER_PAGES):
            async with self._pool.gate(session_id) as client:
                page = await client.recent_members(peer, offset)
            found |= wanted & set(page.user_ids)
            offset += len(page.user_ids)
            if not page.user_ids or offset >= page.total or found == wanted:
                break
        return found
