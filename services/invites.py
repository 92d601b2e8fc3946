"""Invite links of private channels: what they lead to, and joining by one - only when an admin has said so.

The link itself is a secret: it is passed on to Telegram and nowhere else.
"""

import logging
from dataclasses import dataclass

from services import audit
from services.channels import ChannelService
from services.clients.base import Invitation, SeenChannel
from services.clients.pool import ClientPool
from services.errors import AlreadyMember, ChannelUnavailable, InviteInvalid, JoinAsked, SessionRequired, TelegramError
from storage.models import AuditVerb, Session, SessionChannel, SessionKind, SessionState
from storage.sessions import SessionRepository
from storage.sources import SourceRepository

log = logging.getLogger(__name__)

MOST_LOOKS = 3
"""Accounts that look at one link: Telegram counts these calls."""


@dataclass(frozen=True, slots=True)
class Invited:
    """`member`: the channel as an account of ours sees it that is in there already; no joining is needed then.
    `accounts`: those that could join, the proposed one first."""

    invitation: Invitation
    member: SessionChannel | None
    accounts: tuple[Session, ...]


class InviteService:
    def __init__(
        self, sessions: SessionRepository, sources: SourceRepository, listings: ChannelService, pool: ClientPool
    ) -> None:
        self._sessions = sessions
        self._sources = sources
        self._listings = listings
        self._pool = pool

    async def look(self, link_hash: str, session_id: int | None = None) -> Invited:
        """What a link leads to; nobody joins. `session_id`: that account alone looks.

        Raises InviteInvalid, SessionRequired, TelegramError.
        """
        accounts = await self.accounts()
        asked = [each for each in accounts if session_id in (None, each.id)][:MOST_LOOKS]
        if not asked:
            raise SessionRequired(bots_do=False)
        found: Invitation | None = None
        failed: TelegramError | None = None
        for session in asked:
            try:
                invitation = await self._look(session.id, link_hash)
            except InviteInvalid:
                raise
            except TelegramError as error:
                log.info("a link was not looked at: %s", type(error).__name__, extra={"session_id": session.id})
                failed = failed or error
                continue
            if invitation.seen is not None:
                member = await self._listings.keep(session.id, invitation.seen)
                return Invited(invitation, member, tuple(accounts))
            found = found or invitation
        if found is None:
            assert failed is not None
            raise failed
        return Invited(found, None, tuple(accounts))

    async def join(self, link_hash: str, session_id: int, title: str) -> SessionChannel | None:
        """One try, for that account; None: the admins there decide, and it has asked them. `title`: for the audit.

        Raises InviteInvalid, ChannelsTooMany, ChannelUnavailable (banned there), FloodWait, TelegramError.
        """
        async with audit.act(AuditVerb.JOIN, title) as detail:
            try:
                async with self._pool.reading(session_id) as client:
                    seen = await client.join(link_hash)
            except JoinAsked:
                detail["step"] = "asked"
                return None
            except AlreadyMember:
                seen = None
            return await self._listings.keep(session_id, seen or await self._own(session_id, link_hash))

    async def _own(self, session_id: int, link_hash: str) -> SeenChannel:
        seen = (await self._look(session_id, link_hash)).seen
        if seen is None:
            raise ChannelUnavailable
        return seen

    async def _look(self, session_id: int, link_hash: str) -> Invitation:
        async with self._pool.reading(session_id) as client:
            return await client.invitation(link_hash)

    async def accounts(self) -> list[Session]:
        """Of persons: a bot joins nothing. First the one with the fewest saved channels."""
        people = [
            each
            for each in await self._sessions.all()
            if each.state is SessionState.ACTIVE and each.kind is SessionKind.USER
        ]
        saved = {each.id: len(await self._sources.of_session(each.id)) for each in people}
        return sorted(people, key=lambda each: (saved[each.id], each.id))
