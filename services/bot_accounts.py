"""Bots that read: signed in with the token of BotFather, kept and repaired like any account.

Porter's own bot is none of them. Telegram's limits are a bot's own: what it reads as a reader would be missing where
admins tap, and a flood wait of its reading would silence Porter.
"""

import logging
import re
from dataclasses import replace

from services.clients.base import Account, ApiCredentials, ClientFactory, LoginClient
from services.clients.pacing import answered
from services.enrolment import Enrolment, SignedIn
from services.errors import (
    AccountDiffers,
    NotAllowed,
    NotFound,
    OwnBot,
    PorterError,
    SessionExists,
    TokenInvalid,
)
from storage.models import SessionState
from storage.sessions import SessionRepository

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
"""The first time, the library is imported; an auth key is agreed on each time."""
STEP_SECONDS = 10.0

TOKEN = re.compile(r"(?P<id>[0-9]{6,16}):[A-Za-z0-9_-]{35}", re.ASCII)
"""As BotFather writes them."""


class BotAccounts:
    """`own_bot_id`: of the bot that Porter is."""

    def __init__(
        self, own_bot_id: int, sessions: SessionRepository, enrolment: Enrolment, factory: ClientFactory
    ) -> None:
        self._own_bot_id = own_bot_id
        self._sessions = sessions
        self._enrolment = enrolment
        self._factory = factory

    def check(self, token: str) -> int:
        """The id of the bot whose token it is. Asks nobody. Raises TokenInvalid, OwnBot."""
        found = TOKEN.fullmatch(token)
        if found is None:
            raise TokenInvalid
        if int(found["id"]) == self._own_bot_id:
            raise OwnBot
        return int(found["id"])

    async def sign_in(self, api: ApiCredentials, token: str, repaired_id: int | None = None) -> SignedIn:
        """A new session, or the bot's dead one renewed. `repaired_id`: the one that this is to repair.

        Raises TokenInvalid, OwnBot, SessionExists, AccountDiffers, ApiCredentialsInvalid, FloodWait, Unreachable.
        """
        bot_id = self.check(token)
        known = await self._sessions.by_user(bot_id)
        if known is not None and known.state is SessionState.ACTIVE:
            raise SessionExists(known.name)
        proxy = await self._enrolment.proxy_of(bot_id)
        client = await answered(self._factory.login(api, proxy=proxy), CONNECT_SECONDS)
        try:
            account = await answered(client.sign_in_bot(token), STEP_SECONDS)
            signed_in = await self._store(client, account, token, repaired_id)
        finally:
            await _close(client)
        log.info("a bot signed in", extra={"session_id": signed_in.session.id})
        return signed_in

    async def sign_in_again(self, session_id: int) -> SignedIn | None:
        """By the token that is kept. None: a new one is wanted, for it was revoked, or the bot came as a session file.

        Raises NotFound, and what `sign_in` raises otherwise.
        """
        api = await self.application_of(session_id)
        token = await self._sessions.token(session_id)
        if token is None:
            return None
        try:
            return await self.sign_in(api, token, session_id)
        except TokenInvalid:
            return None

    async def application_of(self, session_id: int) -> ApiCredentials:
        """Raises NotFound."""
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return ApiCredentials(session.api_id, await self._sessions.api_hash(session_id))

    async def _store(self, client: LoginClient, account: Account, token: str, repaired_id: int | None) -> SignedIn:
        credential = replace(client.credential(account.user_id), is_bot=True)
        try:
            return await self._enrolment.store(credential, account, repaired_id=repaired_id, token=token)
        except (SessionExists, AccountDiffers, NotAllowed):
            try:
                await answered(client.log_out(), STEP_SECONDS)
            except PorterError as error:
                log.warning("the second login of a bot is not signed out: %s", type(error).__name__)
            raise


async def _close(client: LoginClient) -> None:
    try:
        await answered(client.close(), STEP_SECONDS)
    except PorterError as error:
        log.warning("a login client did not close in time: %s", type(error).__name__)
