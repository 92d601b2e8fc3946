"""Logging in against the sandbox, step by step, with a restart wherever one can happen."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.world import Account as WorldAccount
from services.clients.base import ApiCredentials, CodeKind
from services.credentials import pack, unpack
from services.enrolment import Enrolment, SignedIn
from services.errors import (
    AccountDiffers,
    ApiCredentialsInvalid,
    CodeExpired,
    CodeInvalid,
    FloodWait,
    LoginTimedOut,
    NotFound,
    PasswordInvalid,
    PhoneBanned,
    PhoneFlood,
    PhoneInvalid,
    PhoneUnregistered,
    ResendTooEarly,
    SessionDead,
    SessionExists,
    Unreachable,
)
from services.login import LoginService
from services.login_steps import CodeWanted, PasswordWanted
from services.outages import GoingOn
from storage.models import LoginStep, Session, SessionState
from tests.services.conftest import FakeTime, Jetty, Store

OPERATOR = 42
"""The admin who logs accounts in. No Telegram account of the sandbox."""


class Desk:
    """A LoginService that can be restarted: a new one on the same database, all connections gone."""

    def __init__(self, jetty: Jetty, store: Store) -> None:
        self._jetty = jetty
        self._store = store
        self.time = FakeTime()
        self.renewed: list[int] = []
        self.logins = self._new()

    def _new(self) -> LoginService:
        store = self._store
        enrolment = Enrolment(store.sessions, store.vault, self._hear)
        return LoginService(store.logins, store.sessions, enrolment, self._jetty.clients, clock=self.time)

    async def _hear(self, session_id: int) -> GoingOn:
        self.renewed.append(session_id)
        return GoingOn(sources=12, run=None)

    async def restart(self) -> None:
        await self.logins.close()
        self.logins = self._new()

    async def begin(self, account: WorldAccount) -> CodeWanted:
        return await self.logins.begin(OPERATOR, self._jetty.api(account), account.phone or "")


@pytest.fixture
async def desk(jetty: Jetty, store: Store) -> AsyncIterator[Desk]:
    opened = Desk(jetty, store)
    yield opened
    await opened.logins.close()


async def test_a_code_is_enough(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Number and code make a session that works, called by the account's first name."""
    wanted = await desk.begin(jetty.second)
    assert (wanted.kind, wanted.length, wanted.next_kind) == (CodeKind.APP, 5, CodeKind.SMS)
    assert wanted.masked_phone == "+1••••02"
    assert timedelta(minutes=15) - (wanted.deadline - desk.time.now) < timedelta(milliseconds=1)
    signed_in = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(signed_in, SignedIn)
    assert not signed_in.existed
    assert desk.renewed == []
    session = signed_in.session
    assert (session.name, session.account_name, session.user_id) == ("Boris", "Boris Klein", jetty.second.id)
    assert session.state is SessionState.ACTIVE
    assert await store.sessions.phone(session.id) == "+15550100102"
    client = await jetty.clients.reading(unpack(await store.sessions.credential(session.id)))
    assert (await client.me()).user_id == jetty.second.id
    await client.close()


async def test_an_account_with_a_password(jetty: Jetty, desk: Desk) -> None:
    """After the code the password is asked for, with its hint; a wrong one may be followed by the right one."""
    wanted = await desk.begin(jetty.admin)
    step = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(step, PasswordWanted)
    assert step.hint == jetty.admin.password_hint
    assert step.deadline == wanted.deadline
    for wrong in ("wrong", ""):
        with pytest.raises(PasswordInvalid):
            await desk.logins.password(wanted.attempt_id, wrong)
    signed_in = await desk.logins.password(wanted.attempt_id, jetty.admin.password or "")
    assert signed_in.session.user_id == jetty.admin.id
    assert await desk.logins.resume(OPERATOR) is None


async def test_a_wrong_code(jetty: Jetty, desk: Desk) -> None:
    """A wrong code is told, and the right one still works."""
    wanted = await desk.begin(jetty.second)
    with pytest.raises(CodeInvalid):
        await desk.logins.code(wanted.attempt_id, "00000")
    assert await desk.logins.resume(OPERATOR) == wanted
    assert isinstance(await desk.logins.code(wanted.attempt_id, jetty.code()), SignedIn)


async def test_a_burnt_code(jetty: Jetty, desk: Desk) -> None:
    """A code that was said in a chat is void; sending again brings a new one, which works."""
    wanted = await desk.begin(jetty.second)
    burnt = jetty.code()
    jetty.sandbox.world.burn_codes(f"my code is {burnt}")
    with pytest.raises(CodeExpired):
        await desk.logins.code(wanted.attempt_id, burnt)
    again = await desk.logins.resend(wanted.attempt_id)
    assert again.kind is CodeKind.APP
    assert jetty.calls("auth.sendCode") == 2
    assert isinstance(await desk.logins.code(wanted.attempt_id, jetty.code()), SignedIn)


async def test_an_expired_code(jetty: Jetty, desk: Desk) -> None:
    """A code that is too old is void, and sending again does not ask for that one by another way."""
    wanted = await desk.begin(jetty.second)
    late = jetty.code()
    jetty.sandbox.world.clock_offset_s += 600
    desk.time.pass_seconds(600)
    again = await desk.logins.resend(wanted.attempt_id)
    assert again.kind is CodeKind.APP
    with pytest.raises((CodeInvalid, CodeExpired)):
        await desk.logins.code(wanted.attempt_id, late)
    assert isinstance(await desk.logins.code(wanted.attempt_id, jetty.code()), SignedIn)


async def test_sending_again(jetty: Jetty, desk: Desk) -> None:
    """The code comes by the way that Telegram named; behind the last way there is a new code."""
    wanted = await desk.begin(jetty.second)
    with pytest.raises(ResendTooEarly) as early:
        await desk.logins.resend(wanted.attempt_id)
    assert early.value.at == wanted.resend_at
    assert jetty.calls("auth.resendCode") == 0
    desk.time.pass_seconds(60)
    by_sms = await desk.logins.resend(wanted.attempt_id)
    assert (by_sms.kind, by_sms.next_kind, by_sms.deadline) == (CodeKind.SMS, None, wanted.deadline)
    anew = await desk.logins.resend(wanted.attempt_id)
    assert anew.kind is CodeKind.APP
    assert isinstance(await desk.logins.code(wanted.attempt_id, jetty.code()), SignedIn)


@pytest.mark.parametrize("password", [True, False])
async def test_a_restart_between_all_steps(jetty: Jetty, desk: Desk, password: bool) -> None:
    """Killed after each step, a new process goes on with the same auth key, without another code."""
    account = jetty.admin if password else jetty.second
    begun = await desk.begin(account)
    await desk.restart()
    assert await desk.logins.resume(OPERATOR) == begun
    await desk.restart()
    with pytest.raises(CodeInvalid):
        await desk.logins.code(begun.attempt_id, "00000")
    await desk.restart()
    step = await desk.logins.code(begun.attempt_id, jetty.code())
    if password:
        assert isinstance(step, PasswordWanted)
        await desk.restart()
        assert await desk.logins.resume(OPERATOR) == step
        with pytest.raises(PasswordInvalid):
            await desk.logins.password(begun.attempt_id, "wrong")
        await desk.restart()
        step = await desk.logins.password(begun.attempt_id, account.password or "")
    assert isinstance(step, SignedIn)
    assert step.session.user_id == account.id
    assert jetty.calls("auth.sendCode") == 1


async def test_a_restart_before_sending_again(jetty: Jetty, desk: Desk) -> None:
    """A new process sends the code again as the old one would have."""
    begun = await desk.begin(jetty.second)
    desk.time.pass_seconds(60)
    await desk.restart()
    assert (await desk.logins.resend(begun.attempt_id)).kind is CodeKind.SMS


@pytest.mark.parametrize("method", ["auth.signIn", "auth.checkPassword", "account.getPassword", "auth.resendCode"])
async def test_a_lost_connection(jetty: Jetty, desk: Desk, method: str) -> None:
    """A connection that ends in the middle of a step is told, and the step can be taken again."""
    jetty.admin.resend_after_s = 0
    wanted = await desk.begin(jetty.admin)
    jetty.sandbox.faults.add(method, drop=True)
    if method == "auth.resendCode":
        with pytest.raises(Unreachable):
            await desk.logins.resend(wanted.attempt_id)
        await desk.logins.resend(wanted.attempt_id)
    if method == "auth.signIn":
        with pytest.raises(Unreachable):
            await desk.logins.code(wanted.attempt_id, jetty.code())
    step = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(step, PasswordWanted)
    assert (step.hint is None) is (method == "account.getPassword")
    if method == "auth.checkPassword":
        with pytest.raises(Unreachable):
            await desk.logins.password(wanted.attempt_id, jetty.admin.password or "")
    assert await desk.logins.password(wanted.attempt_id, jetty.admin.password or "")


async def test_an_answer_that_was_lost(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Telegram took the code, but we never heard: the same code, given again, finds the account signed in."""
    wanted = await desk.begin(jetty.second)
    code = jetty.code()
    payload = await store.logins.payload(wanted.attempt_id)
    signed_in = await desk.logins.code(wanted.attempt_id, code)
    assert isinstance(signed_in, SignedIn)
    # As a kill between Telegram's answer and our own writing of it would have left things:
    await store.sessions.delete(signed_in.session.id)
    attempt = await store.logins.put(OPERATOR, LoginStep.CODE, payload, wanted.deadline)
    again = await desk.logins.code(attempt.id, code)
    assert isinstance(again, SignedIn)
    assert again.session.user_id == jetty.second.id


async def test_a_kill_after_storing(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Killed between storing the session and ending the attempt, the step ends well: the session keeps its key."""
    wanted = await desk.begin(jetty.second)
    code = jetty.code()
    payload = await store.logins.payload(wanted.attempt_id)
    signed_in = await desk.logins.code(wanted.attempt_id, code)
    attempt = await store.logins.put(OPERATOR, LoginStep.CODE, payload, wanted.deadline)
    assert await desk.logins.code(attempt.id, code) == signed_in
    assert await desk.logins.resume(OPERATOR) is None
    assert isinstance(signed_in, SignedIn)
    client = await jetty.clients.reading(unpack(await store.sessions.credential(signed_in.session.id)))
    assert (await client.me()).user_id == jetty.second.id
    await client.close()


async def test_fifteen_minutes(jetty: Jetty, desk: Desk) -> None:
    """Past its deadline an attempt is over, whatever it waited for; steps before it do not move it."""
    wanted = await desk.begin(jetty.second)
    desk.time.pass_seconds(10 * 60)
    assert (await desk.logins.resend(wanted.attempt_id)).deadline == wanted.deadline
    desk.time.pass_seconds(5 * 60)
    assert await desk.logins.resume(OPERATOR) is None
    for step in (desk.logins.code(wanted.attempt_id, jetty.code()), desk.logins.resend(wanted.attempt_id)):
        with pytest.raises(LoginTimedOut):
            await step


async def test_the_wrong_step(jetty: Jetty, desk: Desk) -> None:
    """A password for an attempt that waits for a code, or for none at all, is out of time."""
    wanted = await desk.begin(jetty.second)
    for attempt_id in (wanted.attempt_id, 999):
        with pytest.raises(LoginTimedOut):
            await desk.logins.password(attempt_id, "password")


async def test_cancelling(jetty: Jetty, desk: Desk) -> None:
    """A cancelled attempt is gone, its connection too; cancelling nothing is no error."""
    wanted = await desk.begin(jetty.second)
    await desk.logins.cancel(OPERATOR)
    await desk.logins.cancel(OPERATOR)
    assert await desk.logins.resume(OPERATOR) is None
    with pytest.raises(LoginTimedOut):
        await desk.logins.code(wanted.attempt_id, jetty.code())
    async with asyncio.timeout(5):
        while jetty.sandbox.servers._connections:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.02)


async def test_a_new_attempt_replaces_the_old_one(jetty: Jetty, desk: Desk) -> None:
    """An admin has one attempt; beginning again drops the first one's connection."""
    first = await desk.begin(jetty.second)
    second = await desk.begin(jetty.second)
    assert second.attempt_id != first.attempt_id
    assert len(desk.logins._connections) == 1
    with pytest.raises(LoginTimedOut):
        await desk.logins.code(first.attempt_id, jetty.code())


async def test_two_admins_at_once(jetty: Jetty, desk: Desk) -> None:
    """Two admins log two accounts in without touching each other's attempt."""
    mine = await desk.begin(jetty.second)
    my_code = jetty.code()
    theirs = await desk.logins.begin(OPERATOR + 1, jetty.api(jetty.admin), jetty.admin.phone or "")
    their_code = jetty.code()
    one, two = await asyncio.gather(
        desk.logins.code(mine.attempt_id, my_code), desk.logins.code(theirs.attempt_id, their_code)
    )
    assert isinstance(one, SignedIn)
    assert isinstance(two, PasswordWanted)


async def test_an_account_that_is_here(jetty: Jetty, desk: Desk, store: Store) -> None:
    """A second login of a stored account is refused with the session's name, and signed out again."""
    await store.add_session(jetty.sign_in(jetty.second), "Night shift")
    wanted = await desk.begin(jetty.second)
    with pytest.raises(SessionExists) as caught:
        await desk.logins.code(wanted.attempt_id, jetty.code())
    assert caught.value.name == "Night shift"
    assert len([key for key in jetty.sandbox.world.auth_keys.values() if key.user == jetty.second.id]) == 1
    assert await desk.logins.resume(OPERATOR) is None


async def test_an_account_that_was_signed_out(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Logging a dead session's account in again mends that session: name and id stay, the key is new."""
    session = await store.add_session(jetty.sign_in(jetty.second), "Night shift")
    jetty.sandbox.world.revoke(jetty.second.id)
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    old = await jetty.clients.reading(unpack(await store.sessions.credential(session.id)))
    with pytest.raises(SessionDead):
        await old.me()
    await old.close()
    wanted = await desk.begin(jetty.second)
    signed_in = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(signed_in, SignedIn)
    assert signed_in.existed
    assert (signed_in.session.id, signed_in.session.name) == (session.id, "Night shift")
    assert signed_in.session.state is SessionState.ACTIVE
    new = unpack(await store.sessions.credential(session.id))
    client = await jetty.clients.reading(new)
    assert (await client.me()).user_id == jetty.second.id
    await client.close()


async def dead_session(jetty: Jetty, store: Store) -> Session:
    """Of the second account."""
    credential = jetty.sign_in(jetty.second)
    session = await store.sessions.add(
        name="Night shift",
        user_id=jetty.second.id,
        account_name="Boris Klein",
        username=None,
        masked_phone="+1••••02",
        api_id=credential.api.api_id,
        api_hash=credential.api.api_hash,
        phone=jetty.second.phone,
        credential=pack(credential),
        fingerprint=store.vault.fingerprint(credential.auth_key),
    )
    jetty.sandbox.world.revoke(jetty.second.id)
    await store.sessions.died(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", session.created_at)
    return session


async def test_signing_in_again_asks_for_the_code_alone(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Number and application are known. Over a restart too, the same row works again, and what that frees is told."""
    session = await dead_session(jetty, store)
    wanted = await desk.logins.begin_again(OPERATOR, session.id)
    assert wanted.masked_phone == "+1••••02"
    await desk.restart()
    signed_in = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(signed_in, SignedIn)
    assert (signed_in.session.id, signed_in.session.state) == (session.id, SessionState.ACTIVE)
    assert signed_in.going_on == GoingOn(sources=12, run=None)
    assert desk.renewed == [session.id]


async def test_a_number_that_went_to_another_account(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Refused for that row, which stays dead; the key of the other account is signed out again."""
    session = await dead_session(jetty, store)
    jetty.admin.password = None
    jetty.admin.phone, jetty.second.phone = jetty.second.phone, jetty.admin.phone
    wanted = await desk.logins.begin_again(OPERATOR, session.id)
    await desk.restart()
    with pytest.raises(AccountDiffers) as caught:
        await desk.logins.code(wanted.attempt_id, jetty.code())
    assert (caught.value.name, caught.value.account_name) == ("Night shift", "Anna Berg")
    assert "Anna" not in str(caught.value)
    stored = await store.sessions.get(session.id)
    assert stored is not None
    assert (stored.state, stored.user_id) == (SessionState.SIGNED_OUT, jetty.second.id)
    assert not [key for key in jetty.sandbox.world.auth_keys.values() if key.user == jetty.admin.id]
    assert await desk.logins.resume(OPERATOR) is None
    assert desk.renewed == []


async def test_signing_in_again_to_what_is_gone(desk: Desk) -> None:
    """A session that was deleted meanwhile says so."""
    with pytest.raises(NotFound):
        await desk.logins.begin_again(OPERATOR, 999)


async def test_a_name_that_is_taken(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Another Boris gets a number behind his name."""
    credential = jetty.sign_in(jetty.second)
    await store.add_session(replace(credential, user_id=1, auth_key=bytes(256)), "Boris")
    wanted = await desk.begin(jetty.second)
    signed_in = await desk.logins.code(wanted.attempt_id, jetty.code())
    assert isinstance(signed_in, SignedIn)
    assert signed_in.session.name == "Boris 2"


async def test_typed_numbers(jetty: Jetty, desk: Desk) -> None:
    """A number may be written with spaces and dashes."""
    wanted = await desk.logins.begin(OPERATOR, jetty.api(jetty.second), "+1 (555) 010-0102")
    assert wanted.masked_phone == "+1••••02"


@pytest.mark.parametrize("phone", ["", "hello", "+1"])
async def test_what_is_no_number(jetty: Jetty, desk: Desk, phone: str) -> None:
    """What Telegram cannot read is no number, and leaves no attempt."""
    with pytest.raises(PhoneInvalid):
        await desk.logins.begin(OPERATOR, jetty.api(jetty.second), phone)
    assert await desk.logins.resume(OPERATOR) is None
    assert not len(desk.logins._connections)


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("PHONE_NUMBER_BANNED", PhoneBanned),
        ("PHONE_NUMBER_UNOCCUPIED", PhoneUnregistered),
        ("PHONE_NUMBER_FLOOD", PhoneFlood),
        ("PHONE_PASSWORD_FLOOD", PhoneFlood),
        ("API_ID_INVALID", ApiCredentialsInvalid),
        ("FLOOD_WAIT_86400", FloodWait),
    ],
)
async def test_refused_numbers(jetty: Jetty, desk: Desk, word: str, error: type[Exception]) -> None:
    """Each refusal of a number has its own error, and none leaves an attempt behind."""
    jetty.sandbox.faults.add("auth.sendCode", error=word)
    with pytest.raises(error):
        await desk.begin(jetty.second)
    assert await desk.logins.resume(OPERATOR) is None


async def test_wrong_api_credentials(jetty: Jetty, desk: Desk) -> None:
    """An application that Telegram does not know is told apart from a wrong number."""
    with pytest.raises(ApiCredentialsInvalid):
        await desk.logins.begin(OPERATOR, ApiCredentials(1, "0" * 32), jetty.second.phone or "")


async def test_a_number_without_an_account(jetty: Jetty, desk: Desk) -> None:
    """Telegram sends a code even there, and then wants a sign-up: Porter makes no accounts."""
    wanted = await desk.logins.begin(OPERATOR, jetty.api(jetty.second), "+15559999999")
    with pytest.raises(PhoneUnregistered):
        await desk.logins.code(wanted.attempt_id, jetty.code())


async def test_moved_to_another_dc(jetty: Jetty, desk: Desk) -> None:
    """Telegram sends the number to its own DC: the login goes on there, over a restart too."""
    server = jetty.clients._server
    assert server is not None
    jetty.clients._server = replace(server, dc_id=4, port=jetty.sandbox.servers.ports[4])
    wanted = await desk.begin(jetty.admin)
    await desk.restart()
    assert isinstance(await desk.logins.code(wanted.attempt_id, jetty.code()), PasswordWanted)
    signed_in = await desk.logins.password(wanted.attempt_id, jetty.admin.password or "")
    assert signed_in.session.user_id == jetty.admin.id


async def test_no_secret_is_told(jetty: Jetty, desk: Desk, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """Number, code, password, hash and key appear in no log, no repr, no error's text and no plain byte on disk."""
    with caplog.at_level(logging.DEBUG):
        wanted = await desk.begin(jetty.admin)
        code = jetty.code()
        told = [repr(wanted)]
        for answer in ("00000", code):
            try:
                told.append(repr(await desk.logins.code(wanted.attempt_id, answer)))
            except CodeInvalid as error:
                told += [repr(error), str(error), str(error.__cause__)]
        try:
            await desk.logins.password(wanted.attempt_id, "wrong lighthouse")
        except PasswordInvalid as error:
            told += [repr(error), str(error), str(error.__cause__)]
        signed_in = await desk.logins.password(wanted.attempt_id, jetty.admin.password or "")
        told.append(repr(signed_in))
    credential = unpack(await store.sessions.credential(signed_in.session.id))
    told += [repr(credential), repr(credential.api)]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("sandbox", "asyncio"))]
    text = "\n".join(told + ours)
    assert jetty.admin.phone is not None
    assert jetty.admin.password is not None
    for secret in (jetty.admin.phone[1:], code, jetty.admin.password, "wrong lighthouse", jetty.admin.api_hash):
        assert secret not in text
    files = [path for path in store.path.parent.iterdir() if path.name != "porter.key"]
    stored = b"".join(path.read_bytes() for path in files)
    for secret in (jetty.admin.phone[1:].encode(), jetty.admin.api_hash.encode(), credential.auth_key):
        assert secret not in stored
