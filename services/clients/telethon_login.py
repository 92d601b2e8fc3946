"""An account that signs in, with Telethon."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from telethon import TelegramClient, events
from telethon.password import compute_check
from telethon.tl import functions, types

from services.clients import telethon_convert as convert
from services.clients.base import Account, ApiCredentials, CodeKind, Credential, LoginToken, SentCode
from services.clients.telethon_calls import ask
from services.errors import (
    CodeExpired,
    LoginTimedOut,
    PasswordInvalid,
    PhoneUnregistered,
    SessionDead,
    TelegramError,
    TelegramRefused,
)
from storage.types import utc_now

PASSWORD_NEEDED = "SESSION_PASSWORD_NEEDED"  # noqa: S105 - one of Telegram's words
TOKEN_SECONDS = 30
"""How long a token lives, should Telegram's clock and ours not agree (https://core.telegram.org/api/qr-login)."""
REDEEMING_TRIES = 3

OpenAt = Callable[[ApiCredentials, int, str, int], Awaitable[TelegramClient]]
"""A connected client at that DC: id, host, port."""


class TelethonLogin:
    """Implements base.LoginClient. The client is connected."""

    def __init__(
        self, client: TelegramClient, api: ApiCredentials, open_at: OpenAt, *, hears: bool, is_resumed: bool
    ) -> None:
        self._client = client
        self._api = api
        self._open_at = open_at
        self._was_scanned = asyncio.Event()
        self._may_be_done = is_resumed
        if hears:
            client.add_event_handler(self._hear, events.Raw(types.UpdateLoginToken))

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected())

    async def try_application(self) -> None:
        """A QR token that nobody scans: of the calls that look at the hash, the one that bothers nobody."""
        await self._ask(functions.auth.ExportLoginTokenRequest(self._api.api_id, self._api.api_hash, []))

    # -- code

    async def send_code(self, phone: str) -> SentCode:
        request = functions.auth.SendCodeRequest(phone, self._api.api_id, self._api.api_hash, types.CodeSettings())
        return self._sent(await self._ask(request))

    async def resend_code(self, phone: str, code_hash: str) -> SentCode:
        return self._sent(await self._ask(functions.auth.ResendCodeRequest(phone, code_hash)))

    @staticmethod
    def _sent(answer: Any) -> SentCode:
        if not isinstance(answer, types.auth.SentCode):
            # sentCodeSuccess needs tokens that we never send; sentCodePaymentRequired asks for money.
            raise TelegramRefused(type(answer).__name__)
        return convert.sent_code(answer)

    async def sign_in(self, phone: str, code: str, code_hash: str, kind: CodeKind = CodeKind.APP) -> Account | None:
        if kind is CodeKind.EMAIL:
            proof = types.EmailVerificationCode(code)
            request = functions.auth.SignInRequest(phone, code_hash, email_verification=proof)
        else:
            request = functions.auth.SignInRequest(phone, code_hash, phone_code=code)
        try:
            answer = await ask(self._client, request)
        except SessionDead as error:
            if error.reason == PASSWORD_NEEDED:
                return None
            raise LoginTimedOut from error
        except CodeExpired:
            # Perhaps Telegram took the code before, and only its answer was lost on the way.
            if (account := await self._signed_in_already()) is not None:
                return account
            raise
        return self._authorized(answer)

    # -- QR code

    async def export_token(self) -> LoginToken | Account | None:
        """Not Telethon's own qr_login(): it fails when the code was scanned while nobody listened."""
        if self._may_be_done:
            # Scanned, and perhaps even redeemed, while we were away; Telegram would give out a new token all the same.
            try:
                return await self._me()
            except SessionDead as error:
                if error.reason == PASSWORD_NEEDED:
                    return None
        self._may_be_done = False
        self._was_scanned.clear()
        first = functions.auth.ExportLoginTokenRequest(self._api.api_id, self._api.api_hash, except_ids=[])
        request: Any = first
        for _ in range(REDEEMING_TRIES):
            try:
                answer = await ask(self._client, request)
            except SessionDead as error:
                if error.reason == PASSWORD_NEEDED:
                    return None
                raise LoginTimedOut from error
            except TelegramRefused as error:
                if request is first or not error.word.startswith("AUTH_TOKEN_"):
                    raise
                request = first  # too late for the token that we brought along: a new one, from where we are now
                continue
            if isinstance(answer, types.auth.LoginToken):
                return _token(answer)
            if isinstance(answer, types.auth.LoginTokenSuccess):
                return self._authorized(answer.authorization)
            await self._move(answer.dc_id)
            request = functions.auth.ImportLoginTokenRequest(answer.token)
        raise TelegramRefused("AUTH_TOKEN_INVALID")

    async def scanned(self, seconds: float) -> bool:
        heard = asyncio.create_task(self._was_scanned.wait())
        lost = self._client.disconnected
        lost.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # looked at
        try:
            await asyncio.wait({heard, lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard.cancel()
        return self._was_scanned.is_set()

    async def _hear(self, _update: Any) -> None:
        self._was_scanned.set()

    async def _move(self, dc_id: int) -> None:
        """The account lives at another DC: go on there. The key here was never signed in, and is left behind."""
        config = await self._ask(functions.help.GetConfigRequest())
        v6 = ":" in (self._client.session.server_address or "")
        address = next(
            (
                option
                for option in config.dc_options
                if option.id == dc_id and bool(option.ipv6) is v6 and not (option.media_only or option.cdn)
            ),
            None,
        )
        if address is None:
            raise TelegramRefused("DC_ID_INVALID")
        client = await self._open_at(self._api, dc_id, address.ip_address, address.port)
        left, self._client = self._client, client
        await left.disconnect()

    # -- bots

    async def sign_in_bot(self, token: str) -> Account:
        request = functions.auth.ImportBotAuthorizationRequest(0, self._api.api_id, self._api.api_hash, token)
        return self._authorized(await self._ask(request))

    # -- password

    async def password_hint(self) -> str | None:
        hint = (await self._ask(functions.account.GetPasswordRequest())).hint
        return str(hint) if hint else None

    async def check_password(self, password: str) -> Account:
        challenge = await self._ask(functions.account.GetPasswordRequest())
        try:
            # 100,000 rounds of PBKDF2: not in the event loop.
            proof = await asyncio.to_thread(compute_check, challenge, password)
        except ValueError as error:
            raise TelegramRefused("PASSWORD_ALGORITHM_UNKNOWN") from error
        try:
            return self._authorized(await self._ask(functions.auth.CheckPasswordRequest(proof)))
        except PasswordInvalid:
            if (account := await self._signed_in_already()) is not None:
                return account
            raise

    # -- the end

    def credential(self, user_id: int = 0) -> Credential:
        session = self._client.session
        return Credential(
            dc_id=session.dc_id,
            host=session.server_address,
            port=session.port,
            auth_key=session.auth_key.key,
            api=self._api,
            user_id=user_id,
        )

    async def log_out(self) -> None:
        await self._ask(functions.auth.LogOutRequest())

    async def close(self) -> None:
        await self._client.disconnect()

    async def _ask(self, request: Any) -> Any:
        """An auth key that Telegram no longer knows ends the attempt, not a session."""
        try:
            return await ask(self._client, request)
        except SessionDead as error:
            raise LoginTimedOut from error

    async def _me(self) -> Account:
        return convert.account((await ask(self._client, functions.users.GetUsersRequest([types.InputUserSelf()])))[0])

    async def _signed_in_already(self) -> Account | None:
        try:
            return await self._me()
        except TelegramError:
            return None  # the caller then raises what brought it here

    @staticmethod
    def _authorized(answer: Any) -> Account:
        if not isinstance(answer, types.auth.Authorization):
            raise PhoneUnregistered  # authorizationSignUpRequired
        return convert.account(answer.user)


def _token(answer: Any) -> LoginToken:
    """A QR code carries the link; how long it lives is known by Telegram's clock, which ours need not follow."""
    seconds = (answer.expires - utc_now()).total_seconds()
    if not 0 < seconds <= 2 * TOKEN_SECONDS:
        seconds = TOKEN_SECONDS
    return LoginToken(f"tg://login?token={base64.urlsafe_b64encode(answer.token).decode().rstrip('=')}", seconds)
