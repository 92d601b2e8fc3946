"""Logging in by QR code against the sandbox: what is found after a kill, at another DC, and by the watch."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from sandbox.world import Account as WorldAccount
from services import login_watch
from services.clients.base import CodeKind
from services.credentials import pack
from services.enrolment import SignedIn
from services.errors import FloodWait, LoginTimedOut, PorterError, Unreachable
from services.login import LoginService
from services.login_payload import LoginPayload
from services.login_steps import LoginState, PasswordWanted, QrWanted
from storage.models import LoginStep, SessionState
from tests.services.conftest import Jetty, Store
from tests.services.test_login import OPERATOR, Desk


@pytest.fixture
async def desk(jetty: Jetty, store: Store) -> AsyncIterator[Desk]:
    opened = Desk(jetty, store)
    yield opened
    await opened.logins.close()


def scan(jetty: Jetty, wanted: LoginState | PorterError, account: WorldAccount) -> None:
    assert isinstance(wanted, QrWanted)
    assert wanted.link is not None
    token = wanted.link.removeprefix("tg://login?token=")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    jetty.sandbox.world.accept_login(raw.hex(), account.id)


async def test_scanned_while_nobody_was_there(jetty: Jetty, desk: Desk) -> None:
    """A new process finds the login done, under the key of the old one; what waits is known without asking."""
    wanted = await desk.logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    assert 0 < wanted.seconds <= 30
    assert "tg://" not in repr(wanted)
    await desk.restart()
    resumed = await desk.logins.resume(OPERATOR)
    assert isinstance(resumed, QrWanted)
    assert resumed.link is None
    scan(jetty, wanted, jetty.second)
    signed_in = await desk.logins.scan(wanted.attempt_id)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.session.user_id == jetty.second.id
    assert await desk.logins.resume(OPERATOR) is None


@pytest.mark.parametrize("password", [False, True])
async def test_a_kill_behind_telegrams_answer(jetty: Jetty, desk: Desk, store: Store, password: bool) -> None:
    """Redeemed, but not written down: the next process does not show a new code, it sees what came of the old one."""
    account = jetty.admin if password else jetty.second
    wanted = await desk.logins.begin_qr(OPERATOR, jetty.api(account))
    payload = await store.logins.payload(wanted.attempt_id)
    scan(jetty, wanted, account)
    step = await desk.logins.scan(wanted.attempt_id)
    if isinstance(step, SignedIn):
        await store.sessions.delete(step.session.id)
    await desk.restart()
    attempt = await store.logins.put(OPERATOR, LoginStep.QR, payload, wanted.deadline)
    again = await desk.logins.scan(attempt.id)
    assert isinstance(again, PasswordWanted if password else SignedIn)
    if isinstance(again, PasswordWanted):
        assert again.hint == jetty.admin.password_hint
        assert isinstance(await desk.logins.password(attempt.id, jetty.admin.password or ""), SignedIn)


async def test_two_ask_at_once(jetty: Jetty, desk: Desk) -> None:
    """The watch and the admin who comes back: both read that a password is wanted."""
    wanted = await desk.logins.begin_qr(OPERATOR, jetty.api(jetty.admin))
    scan(jetty, wanted, jetty.admin)
    both = await asyncio.gather(*(desk.logins.scan(wanted.attempt_id) for _ in range(2)))
    assert [type(step) for step in both] == [PasswordWanted, PasswordWanted]


async def test_too_late_behind_a_migration(jetty: Jetty, desk: Desk) -> None:
    """The token ends on the way to the account's DC: a new code is shown, from there."""
    jetty.second.home_dc = 4
    wanted = await desk.logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    scan(jetty, wanted, jetty.second)
    jetty.sandbox.faults.add("auth.importLoginToken", error="AUTH_TOKEN_EXPIRED")
    wanted_again = await desk.logins.scan(wanted.attempt_id)
    scan(jetty, wanted_again, jetty.second)
    assert isinstance(await desk.logins.scan(wanted.attempt_id), SignedIn)


async def test_what_telegram_refuses_leaves_the_older_attempt(jetty: Jetty, desk: Desk) -> None:
    """Switching to a QR code while Telegram wants patience: the code that was sent still counts."""
    code_wanted = await desk.begin(jetty.second)
    jetty.sandbox.faults.add("auth.exportLoginToken", error="FLOOD_WAIT_500")
    with pytest.raises(FloodWait):
        await desk.logins.to_qr(code_wanted.attempt_id)
    assert isinstance(await desk.logins.code(code_wanted.attempt_id, jetty.code()), SignedIn)


async def test_a_dead_session_without_a_number(jetty: Jetty, desk: Desk, store: Store) -> None:
    """Its repair begins with a QR code, and there is no way to a number."""
    credential = jetty.sign_in(jetty.second)
    session = await store.sessions.add(
        name="Imported",
        user_id=jetty.second.id,
        account_name="Boris Klein",
        username=None,
        masked_phone="",
        api_id=credential.api.api_id,
        api_hash=credential.api.api_hash,
        phone="",
        credential=pack(credential),
        fingerprint=store.vault.fingerprint(credential.auth_key),
    )
    jetty.sandbox.world.revoke(jetty.second.id)
    await store.sessions.died(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", session.created_at)
    wanted = await desk.logins.begin_again(OPERATOR, session.id)
    assert isinstance(wanted, QrWanted)
    assert not wanted.by_number
    scan(jetty, wanted, jetty.second)
    signed_in = await desk.logins.scan(wanted.attempt_id)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.session.id == session.id


async def test_a_payload_of_an_older_porter(jetty: Jetty, desk: Desk, store: Store) -> None:
    """An attempt from before an update goes on: fields that are new have their defaults."""
    wanted = await desk.begin(jetty.second)
    fields = json.loads(await store.logins.payload(wanted.attempt_id))
    del fields["detail"]
    assert LoginPayload.unpack(json.dumps(fields).encode()).kind is CodeKind.APP


@dataclass
class Ear:
    """Implements login_watch.LoginAudience. `looks_on`: whether the admin does."""

    looks_on: bool = True
    heard: list[LoginState | PorterError] = field(default_factory=list)

    async def login_moved(self, admin_id: int, attempt_id: int, outcome: LoginState | PorterError) -> bool:
        self.heard.append(outcome)
        return self.looks_on


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def watched(
    jetty: Jetty, store: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[LoginService, Ear]]:
    """A service that goes on by itself, in a hurry."""
    monkeypatch.setattr(login_watch, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(login_watch, "SHORTEST_SECONDS", 0.05)
    ear = Ear()
    logins = LoginService(store.logins, store.sessions, desk.logins._enrolment, jetty.clients, ear)
    yield logins, ear
    await logins.close()


@pytest.mark.parametrize("error", ["FLOOD_WAIT_1", "RPC_CALL_FAIL"])
async def test_the_watch_waits_while_telegram_cannot_be_asked(
    jetty: Jetty, watched: tuple[LoginService, Ear], error: str
) -> None:
    """A scan is heard at once; trouble on the way to its fruit is waited out, and nobody is bothered with it."""
    logins, ear = watched
    wanted = await logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    jetty.sandbox.faults.add("auth.exportLoginToken", error=error)
    scan(jetty, wanted, jetty.second)
    await until(lambda: bool(ear.heard))
    assert [type(each) for each in ear.heard] == [SignedIn]


async def test_the_watch_gives_up(jetty: Jetty, watched: tuple[LoginService, Ear]) -> None:
    """A wait beyond the deadline, and an attempt that is gone, are told; then it is quiet."""
    logins, ear = watched
    await logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    jetty.sandbox.faults.add("auth.exportLoginToken", error="FLOOD_WAIT_9000")
    await jetty.sandbox.servers.drop_connections()
    await until(lambda: bool(ear.heard))
    assert isinstance(ear.heard[0], FloodWait)
    await logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    await logins.cancel(OPERATOR)
    await until(lambda: len(ear.heard) == 2)
    assert isinstance(ear.heard[1], LoginTimedOut)
    assert logins._watch is not None
    await until(lambda: not logins._watch or not logins._watch._tasks)


async def test_the_watch_ends_where_nobody_looks(jetty: Jetty, watched: tuple[LoginService, Ear]) -> None:
    """One more code is asked for at most; coming back shows another one and is watched again."""
    logins, ear = watched
    ear.looks_on = False
    jetty.sandbox.world.token_lifetime_s = 1
    wanted = await logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    await until(lambda: bool(ear.heard))
    assert logins._watch is not None
    await until(lambda: not logins._watch or not logins._watch._tasks)
    assert jetty.calls("auth.exportLoginToken") == 2
    ear.looks_on = True
    jetty.sandbox.world.token_lifetime_s = 30
    scan(jetty, await logins.scan_again(wanted.attempt_id), jetty.second)
    await until(lambda: len(ear.heard) == 2)
    assert isinstance(ear.heard[1], SignedIn)


async def test_no_connection_to_scan_by(jetty: Jetty, desk: Desk) -> None:
    """Whoever asks for a scan of an attempt that is not open hears no at once."""
    wanted = await desk.logins.begin_qr(OPERATOR, jetty.api(jetty.second))
    await desk.restart()
    assert not await desk.logins.scanned(wanted.attempt_id, 60)
    jetty.sandbox.faults.add("auth.exportLoginToken", drop=True)
    with pytest.raises(Unreachable):
        await desk.logins.scan(wanted.attempt_id)
    assert isinstance(await desk.logins.scan(wanted.attempt_id), QrWanted)
