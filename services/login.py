"""Logging in, step by step, over restarts.

An attempt is a sealed row: application, number, auth key, code hash. Between the steps its connection stays open
(services/login_connections.py); after a restart, or when it was lost, the next step opens it anew with the same auth
key, and Telegram goes on where it was. An attempt lives 15 minutes, however many steps it takes. What it does by itself
is watched over by services/login_watch.py.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from services.clients.base import (
    Account,
    ApiCredentials,
    ClientFactory,
    LoginClient,
    LoginToken,
    SentCode,
)
from services.clients.pacing import answered
from services.credentials import plain_phone
from services.enrolment import Enrolment, SignedIn
from services.errors import (
    AccountDiffers,
    CodeExpired,
    LoginTimedOut,
    NotAllowed,
    NotFound,
    PhoneInvalid,
    PorterError,
    ResendTooEarly,
    SessionExists,
)
from services.login_connections import CONNECT_SECONDS, STEP_SECONDS, LoginConnections
from services.login_payload import LoginPayload
from services.login_steps import (
    CodeWanted,
    LoginState,
    PasswordWanted,
    QrWanted,
    code_wanted,
    password_wanted,
    qr_wanted,
    state_of,
)
from services.login_watch import LoginAudience, LoginWatch
from storage.logins import LoginRepository
from storage.models import LoginAttempt, LoginStep
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

Waiting = TypeVar("Waiting", bound=LoginState)

Acting = Callable[[int], AbstractAsyncContextManager[object]]
"""By the id of an admin."""

ATTEMPT_LIFETIME = timedelta(minutes=15)


class LoginService:
    """Methods raise LoginError, FloodWait, Unreachable, TelegramRefused; an attempt outlives all but its deadline.

    `audience`: hears of what happens to an attempt without the admin's doing. `acting`: what is done inside was done by
    that admin, who may do it still; a scanned QR code ends a login where nobody writes.
    """

    def __init__(
        self,
        logins: LoginRepository,
        sessions: SessionRepository,
        enrolment: Enrolment,
        factory: ClientFactory,
        audience: LoginAudience | None = None,
        *,
        acting: Acting = nullcontext,
        clock: Clock = utc_now,
    ) -> None:
        self._logins = logins
        self._sessions = sessions
        self._enrolment = enrolment
        self._connections = LoginConnections(factory, sessions, clock)
        self._acting = acting
        self._clock = clock
        self._one_step: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)  # by admin
        self._watch = LoginWatch(self, audience, clock=clock) if audience is not None else None

    async def start(self) -> None:
        """Go on with the attempts that the last process left: a QR code may have been scanned meanwhile, or ended."""
        for attempt in await self._logins.all():
            try:
                self._follow(state_of(attempt, LoginPayload.unpack(await self._logins.payload(attempt.id))))
            except PorterError as error:
                log.warning("a login does not go on by itself: %s", type(error).__name__)

    # -- steps

    async def begin(self, admin_id: int, api: ApiCredentials, phone: str) -> CodeWanted:
        """Ask Telegram for a code. An older attempt of this admin ends, once this one has begun."""
        return await self._begin(admin_id, api, phone, None)

    async def begin_again(self, admin_id: int, session_id: int) -> CodeWanted | QrWanted:
        """The same for a dead session, whose application and number are known; no other account gets its row.

        By QR code where its number was never told. Raises NotFound.
        """
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        api = ApiCredentials(session.api_id, await self._sessions.api_hash(session_id))
        phone = await self._sessions.phone(session_id) or ""
        if not phone:
            return await self._begin_qr(admin_id, api, "", session_id)
        return await self._begin(admin_id, api, phone, session_id)

    async def begin_qr(self, admin_id: int, api: ApiCredentials) -> QrWanted:
        """Ask Telegram for a QR code that a phone can scan. An older attempt ends, once this one has begun."""
        return await self._begin_qr(admin_id, api, "", None)

    async def to_qr(self, attempt_id: int) -> QrWanted:
        """A QR code in place of the code that is waited for; the same application, the same session to repair."""
        attempt = await self._alive(attempt_id, LoginStep.CODE)
        payload = LoginPayload.unpack(await self._logins.payload(attempt_id))
        phone = payload.phone if payload.session_id is not None else ""
        return await self._begin_qr(attempt.admin_id, payload.credential.api, phone, payload.session_id)

    async def to_number(self, attempt_id: int) -> CodeWanted | None:
        """A code to the number in place of the QR code. None: the attempt is over, its number is to be asked for."""
        attempt = await self._alive(attempt_id, LoginStep.QR)
        payload = LoginPayload.unpack(await self._logins.payload(attempt_id))
        if payload.session_id is None:
            await self.cancel(attempt.admin_id)
            return None
        return await self._begin(attempt.admin_id, payload.credential.api, payload.phone, payload.session_id)

    async def _begin(self, admin_id: int, api: ApiCredentials, phone: str, session_id: int | None) -> CodeWanted:
        phone = plain_phone(phone)
        if not phone:
            raise PhoneInvalid
        async with self._one_step[admin_id]:
            older = await self._logins.of_admin(admin_id)
            client = await self._connections.new(api, phone, session_id)
            try:
                sent = await answered(client.send_code(phone), STEP_SECONDS)
                credential = client.credential()
                payload = LoginPayload(phone, credential, session_id=session_id)
                payload = payload.with_code(sent, credential, self._clock())
                deadline = self._clock() + ATTEMPT_LIFETIME
                attempt = await self._logins.put(admin_id, LoginStep.CODE, payload.pack(), deadline)
            except BaseException:
                await client.close()
                raise
            await self._take_over(attempt, client, older)
            return self._follow(code_wanted(attempt, payload))

    async def _begin_qr(self, admin_id: int, api: ApiCredentials, phone: str, session_id: int | None) -> QrWanted:
        async with self._one_step[admin_id]:
            older = await self._logins.of_admin(admin_id)
            client = await self._connections.new(api, phone, session_id, hears=True)
            try:
                token = await answered(client.export_token(), STEP_SECONDS)
                if not isinstance(token, LoginToken):
                    raise LoginTimedOut  # nobody has seen a code of this key yet
                payload = LoginPayload(phone, client.credential(), session_id=session_id)
                deadline = self._clock() + ATTEMPT_LIFETIME
                attempt = await self._logins.put(admin_id, LoginStep.QR, payload.pack(), deadline)
            except BaseException:
                await client.close()
                raise
            await self._take_over(attempt, client, older)
            return self._follow(qr_wanted(attempt, payload, token))

    async def resume(self, admin_id: int) -> CodeWanted | QrWanted | PasswordWanted | None:
        """What this admin's attempt waits for. Asks nobody: a keypad calls it at each tap."""
        attempt = await self._logins.of_admin(admin_id)
        if attempt is None or attempt.deadline <= self._clock():
            return None
        return state_of(attempt, LoginPayload.unpack(await self._logins.payload(attempt.id)))

    async def code(self, attempt_id: int, code: str) -> PasswordWanted | SignedIn:
        """Raises CodeInvalid and CodeExpired; the attempt goes on after both."""
        attempt = await self._alive(attempt_id, LoginStep.CODE)
        async with self._one_step[attempt.admin_id]:
            payload, client = await self._open(attempt)
            try:
                account = await self._connections.ask(
                    attempt, client.sign_in(payload.phone, code, payload.code_hash, payload.kind)
                )
            except CodeExpired:
                await self._save(attempt, LoginStep.CODE, replace(payload, is_code_void=True))
                raise
            if account is not None:
                return await self._finish(attempt, payload, client, account)
            return await self._want_password(attempt, payload, client)

    async def burnt(self, attempt_id: int) -> None:
        """The code was said in a chat. Nothing happens to an attempt that waits for none."""
        attempt = await self._logins.get(attempt_id)
        if attempt is not None and attempt.step is LoginStep.CODE:
            payload = LoginPayload.unpack(await self._logins.payload(attempt.id))
            await self._save(attempt, LoginStep.CODE, replace(payload, is_code_void=True))

    async def scan(self, attempt_id: int) -> QrWanted | PasswordWanted | SignedIn:
        """A new QR code; or what came of the last one, once it was scanned, in whichever process that was drawn."""
        attempt = await self._logins.get(attempt_id)
        if attempt is None:
            raise LoginTimedOut
        async with self._one_step[attempt.admin_id]:
            attempt = await self._logins.get(attempt_id)  # the watch and the admin may both have asked
            if attempt is not None and attempt.step is LoginStep.PASSWORD:
                return password_wanted(attempt, LoginPayload.unpack(await self._logins.payload(attempt.id)))
            attempt = await self._alive(attempt_id, LoginStep.QR)
            payload, client = await self._open(attempt)
            answer = await self._connections.ask(attempt, client.export_token(), CONNECT_SECONDS)
            if isinstance(answer, LoginToken):
                return qr_wanted(attempt, payload, answer)
            if answer is None:
                return await self._want_password(attempt, payload, client)
            return await self._finish(attempt, payload, client, answer)

    async def scan_again(self, attempt_id: int) -> QrWanted | PasswordWanted | SignedIn:
        """The same for an admin who comes back to the attempt: from here on it is watched again."""
        return self._follow(await self.scan(attempt_id))

    async def scanned(self, attempt_id: int, seconds: float) -> bool:
        """Whether the QR code is scanned within that time. False at once when the attempt has no connection."""
        client = self._connections.kept(attempt_id)
        return client is not None and await client.scanned(seconds)

    async def password(self, attempt_id: int, password: str) -> SignedIn:
        """Raises PasswordInvalid; the attempt goes on after it."""
        attempt = await self._alive(attempt_id, LoginStep.PASSWORD)
        async with self._one_step[attempt.admin_id]:
            payload, client = await self._open(attempt)
            account = await self._connections.ask(attempt, client.check_password(password))
            return await self._finish(attempt, payload, client, account)

    def check_resend(self, wanted: CodeWanted) -> None:
        """Raises ResendTooEarly. A void code is no reason to wait: a new one is sent then."""
        if wanted.next_kind is None or wanted.is_void or wanted.resend_at is None:
            return
        if self._clock() < wanted.resend_at:
            raise ResendTooEarly(wanted.resend_at)

    async def resend(self, attempt_id: int) -> CodeWanted:
        """The code by the next way that Telegram names, else a new code. Raises ResendUnavailable, and ResendTooEarly
        without asking."""
        attempt = await self._alive(attempt_id, LoginStep.CODE)
        async with self._one_step[attempt.admin_id]:
            payload, client = await self._open(attempt)
            self.check_resend(code_wanted(attempt, payload))
            sent: SentCode | None = None
            if payload.next_kind is not None and not payload.is_code_void:
                try:
                    sent = await self._connections.ask(attempt, client.resend_code(payload.phone, payload.code_hash))
                except CodeExpired:
                    log.info("the code to send again has expired, asking for a new one")
            if sent is None:
                sent = await self._connections.ask(attempt, client.send_code(payload.phone))
            payload = payload.with_code(sent, client.credential(), self._clock())
            return self._follow(code_wanted(await self._save(attempt, LoginStep.CODE, payload), payload))

    async def cancel(self, admin_id: int) -> None:
        """End this admin's attempt, if there is one."""
        async with self._one_step[admin_id]:
            await self._drop(await self._logins.of_admin(admin_id))

    async def close(self) -> None:
        """Close the connections. The attempts stay: the next start goes on with them."""
        if self._watch is not None:
            await self._watch.stop()
        await self._connections.close()

    # -- attempts

    async def _open(self, attempt: LoginAttempt) -> tuple[LoginPayload, LoginClient]:
        """The row is read again: while this step waited for its turn, another may have changed it."""
        attempt = await self._alive(attempt.id, attempt.step)
        payload = LoginPayload.unpack(await self._logins.payload(attempt.id))
        return payload, await self._connections.of(attempt, payload)

    def _follow(self, state: Waiting) -> Waiting:
        if self._watch is not None:
            self._watch.follow(state)
        return state

    async def _alive(self, attempt_id: int, step: LoginStep) -> LoginAttempt:
        attempt = await self._logins.get(attempt_id)
        if attempt is None or attempt.step is not step or attempt.deadline <= self._clock():
            raise LoginTimedOut
        return attempt

    async def _want_password(self, attempt: LoginAttempt, payload: LoginPayload, client: LoginClient) -> PasswordWanted:
        """The step is stored before anything else is asked: code or token are used up."""
        payload = replace(payload, credential=client.credential())
        attempt = await self._save(attempt, LoginStep.PASSWORD, payload)
        try:
            payload = replace(payload, hint=await self._connections.ask(attempt, client.password_hint()))
        except PorterError as error:
            log.warning("the password's hint is not known: %s", type(error).__name__)
        else:
            await self._save(attempt, LoginStep.PASSWORD, payload)
        return password_wanted(attempt, payload)

    async def _take_over(self, attempt: LoginAttempt, client: LoginClient, older: LoginAttempt | None) -> None:
        """Its row has taken the older one's place. Not before: what Telegram refuses leaves the older one as it was."""
        self._connections.keep(attempt, client)
        if older is not None:
            self._connections.drop(older.id)
        await self._logins.sweep()

    async def _save(self, attempt: LoginAttempt, step: LoginStep, payload: LoginPayload) -> LoginAttempt:
        await self._logins.update(attempt.id, step, payload.pack(), attempt.deadline)
        return replace(attempt, step=step)

    async def _drop(self, attempt: LoginAttempt | None) -> None:
        if attempt is not None:
            self._connections.drop(attempt.id)
            await self._logins.delete(attempt.id)

    async def _finish(
        self, attempt: LoginAttempt, payload: LoginPayload, client: LoginClient, account: Account
    ) -> SignedIn:
        """Store the session; an account that is here already keeps the session it has.

        The attempt goes last: until then a kill leaves its key in our hands, and the same step can be taken again.
        """
        try:
            async with self._acting(attempt.admin_id):
                signed_in = await self._enrolment.store(
                    client.credential(account.user_id), account, payload.phone, payload.session_id
                )
        except (SessionExists, AccountDiffers, NotAllowed):
            await self._give_up(client)
            await self._drop(attempt)
            raise
        await self._drop(attempt)
        log.info("signed in", extra={"session_id": signed_in.session.id})
        return signed_in

    async def _give_up(self, client: LoginClient) -> None:
        """Sign a second key of the account out again. It is in nobody's hands, so failing is no harm."""
        try:
            await answered(client.log_out(), STEP_SECONDS)
        except PorterError as error:
            log.warning("the second login of an account is not signed out: %s", type(error).__name__)
