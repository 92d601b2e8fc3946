"""Handing a session over: a file under a passphrase, and Porter uses the session no more.

Telegram kills an auth key that it sees from two addresses. So the session stops here before its file leaves: its row is
marked first, its clients are closed, and only when the file has gone the row goes. docs/decisions/0009 says more.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from services import audit, session_formats
from services.clients.base import Credential
from services.clients.pool import ClientPool
from services.credentials import unpack
from services.errors import ExportOff, ExportUnsent, PassphraseInvalid, SessionDead
from services.names import safe_name
from services.repairs import SessionRepairs
from services.session_formats import FoundSession, SessionFormat
from services.sessions import SessionService
from storage import age_file
from storage.models import HANDED_OVER, AuditVerb, Session, SessionState
from storage.sessions import SessionRepository

log = logging.getLogger(__name__)

SHORTEST_PASSPHRASE = 12
LONGEST_PASSPHRASE = 256


class ExportForm(StrEnum):
    TELETHON = "TELETHON"
    PYROGRAM = "PYROGRAM"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent. `content`: the session's string under the passphrase, as an age file."""

    name: str
    content: bytes = field(repr=False)


class ExportService:
    """`refuse`: raises where user clients rest after a restore."""

    def __init__(
        self,
        service: SessionService,
        sessions: SessionRepository,
        pool: ClientPool,
        repairs: SessionRepairs,
        refuse: Callable[[], None],
    ) -> None:
        self._service = service
        self._sessions = sessions
        self._pool = pool
        self._repairs = repairs
        self._refuse = refuse

    async def check(self, session_id: int) -> Session:
        """The session, if it may go now. Raises ExportOff, NotFound, SessionInUse, SessionDead, RestoreUnconfirmed."""
        if not self._service.may_export:
            raise ExportOff
        self._refuse()
        session = await self._service.refuse_if_used(session_id)
        if session.state is not SessionState.ACTIVE:
            raise SessionDead(session.state_reason or session.state)
        return session

    @staticmethod
    def check_passphrase(passphrase: str) -> None:
        """Raises PassphraseInvalid."""
        if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
            raise PassphraseInvalid

    @asynccontextmanager
    async def handing_over(self, session_id: int, form: ExportForm, passphrase: str) -> AsyncIterator[Parcel]:
        """Send the parcel inside. Left without an error, the session is gone here; it is not signed out at Telegram.

        Left by ExportUnsent, everything is as before. Left by anything else, nobody knows whether the file has arrived:
        the row stays and is used no more, until an admin deletes it or checks it. Raises what `check` raises, and
        PassphraseInvalid.
        """
        self.check_passphrase(passphrase)
        session = await self.check(session_id)
        async with audit.act(AuditVerb.SESSION_EXPORT, session.name), self._going(session, form, passphrase) as parcel:
            yield parcel

    @asynccontextmanager
    async def _going(self, session: Session, form: ExportForm, passphrase: str) -> AsyncIterator[Parcel]:
        session_id = session.id
        credential = unpack(await self._sessions.credential(session_id))
        content = await asyncio.to_thread(age_file.seal, f"{string_of(credential, form)}\n".encode(), passphrase)
        async with self._pool.kept_closed(session_id):
            await self.check(session_id)  # deriving the key took its time
            await self._sessions.set_state(session_id, SessionState.SIGNED_OUT, HANDED_OVER, None)
            try:
                yield Parcel(file_name(session.name, form), content)
            except ExportUnsent:
                await self._sessions.set_state(session_id, SessionState.ACTIVE, None, None)
                raise
            await self._sessions.delete(session_id)
        await self._repairs.forgotten(session_id)
        log.info("a session was handed over", extra={"session_id": session_id})


def file_name(name: str, form: ExportForm) -> str:
    """Goes into a command line as it is: no blanks, nothing that a shell reads, no dash in front."""
    plain = re.sub(r"[^\w.]+", "-", safe_name(name)).strip("-.")
    return f"{plain or 'account'}-{form.lower()}.age"


def string_of(credential: Credential, form: ExportForm) -> str:
    """As the library itself would write it."""
    address = (credential.host, credential.port)
    if form is ExportForm.TELETHON:
        return session_formats.write_telethon_string(credential.dc_id, address, credential.auth_key)
    found = FoundSession(
        SessionFormat.PYROGRAM_STRING_362,
        credential.dc_id,
        credential.auth_key,
        address=address,
        api_id=credential.api.api_id,
        user_id=credential.user_id,
        is_bot=credential.is_bot,
        test_mode=credential.test_mode,
    )
    return session_formats.write_pyrogram_string(found)
