"""An account that signs in, with Telethon."""

import asyncio
from typing import Any

from telethon import TelegramClient
from telethon.password import compute_check
from telethon.tl import functions, types

from services.clients import telethon_convert as convert
from services.clients.base import Account, ApiCredentials, CodeKind, Credential, SentCode
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

PASSWORD_NEEDED = "SESSION_PASSWORD_NEEDED"  # noqa: S105 - one of Telegram's words


class TelethonLogin:
    """Implements base.LoginClient. The client is connected."""

    def __init__(self, client: TelegramClient, api: ApiCredentials) -> None:
        self._client = client
        self._api = api

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

    async def _signed_in_already(self) -> Account | None:
        try:
            return convert.account(
                (await ask(self._client, functions.users.GetUsersRequest([types.InputUserSelf()])))[0]
            )
        except TelegramError:
            return None  # the caller then raises what brought it here

    @staticmethod
    def _authorized(answer: Any) -> Account:
        if not isinstance(answer, types.auth.Authorization):
            raise PhoneUnregistered  # authorizationSignUpRequired
        return convert.account(answer.user)
