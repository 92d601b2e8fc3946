"""Importing a session that exists: look at it without connecting, then, when an admin says so, try it and keep it.

Between the two a candidate is a string in the admin's conversation, which is sealed. Nothing is stored before Telegram
has said whose session it is: a key that Telegram does not know leaves no trace.
"""

import base64
import json
import logging
from dataclasses import dataclass, replace

from services import session_files, session_formats
from services.clients.base import Account, ApiCredentials, ClientFactory, Credential, MtprotoServer
from services.clients.pacing import answered
from services.clients.proxy import Proxy
from services.enrolment import Enrolment, SignedIn
from services.errors import PorterError, SessionTrouble, SessionUnreadable
from services.session_formats import Address, FoundSession, SessionFormat

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
"""The first time, the library is imported."""
STEP_SECONDS = 10.0
MAX_STRING_BYTES = 4096
SHOWN_FINGERPRINT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session that could be imported. `address`: where it will be tried. `fingerprint`: the start of the key's."""

    found: FoundSession
    address: Address
    fingerprint: bytes

    def __repr__(self) -> str:
        return f"Candidate({self.found!r})"

    @property
    def mark(self) -> int:
        """Ties a button to its candidate."""
        return int.from_bytes(self.fingerprint, "big")


class ImportService:
    """`default_api`: the operator's application. `server`: the MTProto server in Telegram's place. `own_bot_id`: of the
    bot that Porter is, which reads for nobody (services/bot_accounts.py)."""

    def __init__(
        self,
        enrolment: Enrolment,
        factory: ClientFactory,
        default_api: ApiCredentials | None,
        server: MtprotoServer | None,
        own_bot_id: int = 0,
    ) -> None:
        self._enrolment = enrolment
        self._factory = factory
        self._default_api = default_api
        self._server = server
        self._own_bot_id = own_bot_id

    async def inspect(self, content: str | bytes) -> Candidate:
        """What was typed, or the bytes of a file (which may hold a string). Connects nowhere, stores nothing.

        Raises SessionUnreadable, SessionExists.
        """
        found = session_formats.read_string(content) if isinstance(content, str) else await _read_bytes(content)
        self._refuse_own(found.user_id)
        address = self._address(found)
        await self._enrolment.refuse_known(found.auth_key, found.user_id)
        return Candidate(found, address, self._enrolment.fingerprint(found.auth_key)[:SHOWN_FINGERPRINT_BYTES])

    def known_api(self, candidate: Candidate) -> ApiCredentials | None:
        """The operator's application, unless the session was made by another one; None: an admin must be asked.

        No format has the hash. Where one has the id, the session goes on with that application.
        """
        if self._default_api is None or candidate.found.api_id in (None, self._default_api.api_id):
            return self._default_api
        return None

    async def confirm(self, candidate: Candidate, api: ApiCredentials) -> SignedIn:
        """Try it at Telegram, and keep it under the account's name.

        Raises SessionDead, FloodWait, Unreachable, TelegramRefused; SessionExists; SessionUnreadable.
        """
        found = candidate.found
        host, port = candidate.address
        credential = Credential(
            dc_id=found.dc_id,
            host=host,
            port=port,
            auth_key=found.auth_key,
            api=api,
            user_id=found.user_id or 0,
            test_mode=found.test_mode,
        )
        await self._enrolment.refuse_known(found.auth_key, found.user_id)
        account = await self._whose(credential, await self._enrolment.proxy_of(found.user_id))
        self._refuse_own(account.user_id)
        # Formats without a user id leave it to Telegram, and where both speak, Telegram is right.
        credential = replace(credential, user_id=account.user_id, is_bot=account.is_bot)
        signed_in = await self._enrolment.store(credential, account)
        log.info("imported a session: %s", found.format, extra={"session_id": signed_in.session.id})
        return signed_in

    def _refuse_own(self, user_id: int | None) -> None:
        if user_id is not None and user_id == self._own_bot_id:
            raise SessionUnreadable(SessionTrouble.OWN_BOT)

    async def _whose(self, credential: Credential, proxy: Proxy | None) -> Account:
        """The account, as Telegram says. Closed before the pool opens the key: nobody uses it twice."""
        client = await answered(self._factory.reading(credential, proxy), CONNECT_SECONDS)
        try:
            return await answered(client.me(), STEP_SECONDS)
        finally:
            try:
                await answered(client.close(), STEP_SECONDS)
            except PorterError as error:
                log.warning("a tried session did not close: %s", type(error).__name__)

    def _address(self, found: FoundSession) -> Address:
        """Where the session lives. Raises SessionUnreadable for an address that is none of this Porter's network.

        A stranger's string could name a server that plays Telegram to us. So on Telegram the address must be one of
        Telegram's, and then the table's is used: kurigram leaves DC 2's in what it wrote for other DCs. On another
        server Telegram's addresses say nothing: clients leave them in as they were.
        """
        given = found.address
        if self._server is None:
            if given is not None and not session_formats.is_telegrams(given):
                raise SessionUnreadable(SessionTrouble.FOREIGN)
            return found.home
        if given is not None and not session_formats.is_telegrams(given):
            return given
        if found.dc_id != self._server.dc_id:
            raise SessionUnreadable(SessionTrouble.DC_UNKNOWN)
        return self._server.host, self._server.port


async def _read_bytes(content: bytes) -> FoundSession:
    if len(content) > MAX_STRING_BYTES or b"\x00" in content:
        return session_formats.read_tables(await session_files.read_file(content))
    try:
        return session_formats.read_string(content.decode("ascii"))
    except UnicodeDecodeError:
        raise SessionUnreadable(SessionTrouble.NOT_A_SESSION) from None


# -- a candidate as a string for the sealed conversation


def pack(candidate: Candidate) -> str:
    found = candidate.found
    return json.dumps(
        {
            "format": found.format,
            "dc_id": found.dc_id,
            "auth_key": base64.b64encode(found.auth_key).decode(),
            "address": candidate.address,
            "api_id": found.api_id,
            "user_id": found.user_id,
            "is_bot": found.is_bot,
            "test_mode": found.test_mode,
            "version": found.version,
            "fingerprint": candidate.fingerprint.hex(),
        }
    )


def unpack(packed: str) -> Candidate:
    fields = json.loads(packed)
    host, port = fields["address"]
    found = FoundSession(
        format=SessionFormat(fields["format"]),
        dc_id=fields["dc_id"],
        auth_key=base64.b64decode(fields["auth_key"]),
        api_id=fields["api_id"],
        user_id=fields["user_id"],
        is_bot=fields.get("is_bot", False),  # a candidate of an older Porter may wait in a conversation
        test_mode=fields["test_mode"],
        version=fields["version"],
    )
    return Candidate(found, (host, port), bytes.fromhex(fields["fingerprint"]))
