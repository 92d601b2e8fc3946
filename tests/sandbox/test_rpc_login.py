"""Logging in by unmodified clients: codes, passwords, and each error that Telegram has for them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pyrogram.errors
import pytest
from telethon import TelegramClient, errors
from telethon.tl import functions, types

from sandbox.scenarios import SECOND, THIRD
from sandbox.world import CODE_LIFETIME_S, HOME_DC, TOKEN_LIFETIME_S, Account, WorldError, first_code
from tests.sandbox.rpc_kit import Telegram, open_telegram

SETTINGS = types.CodeSettings()


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


def phone(account: Account) -> str:
    assert account.phone
    return account.phone


async def test_code_and_password(telegram: Telegram) -> None:
    """Telethon signs in with the code from 777000's chat and the password, and is the account then."""
    client, admin = await telegram.telethon(None), telegram.admin
    sent = await client.send_code_request(phone(admin))
    assert isinstance(sent.type, types.auth.SentCodeTypeApp)
    assert sent.type.length == len(telegram.code(admin)) == 5
    assert telegram.code(admin) in list(telegram.world.service[admin.id].values())[-1].text
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(phone(admin), telegram.code(admin))
    assert not await client.is_user_authorized()
    hint = await client(functions.account.GetPasswordRequest())
    assert hint.hint == admin.password_hint
    me = await client.sign_in(password=admin.password)
    assert (me.id, me.phone, me.first_name) == (admin.id, phone(admin).lstrip("+"), admin.first_name)
    assert await client.is_user_authorized()


async def test_code_alone(telegram: Telegram) -> None:
    """An account without a password is signed in by the code alone, and its code is good once."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    sent = await client.send_code_request(phone(account))
    code = telegram.code(account)
    assert (await client.sign_in(phone(account), code)).id == SECOND
    again = await telegram.telethon(None)
    with pytest.raises(errors.PhoneCodeExpiredError):
        await again(functions.auth.SignInRequest(phone(account), sent.phone_code_hash, code))


async def test_kurigram_signs_in(telegram: Telegram) -> None:
    """kurigram signs in with code and password too; a wrong password is refused, the right one accepted after it."""
    client, admin = await telegram.kurigram(None), telegram.admin
    sent = await client.send_phone_number_code(phone(admin))
    with pytest.raises(pyrogram.errors.PhoneCodeInvalid):
        await client.sign_in(phone(admin), sent.phone_code_hash, "00000")
    with pytest.raises(pyrogram.errors.SessionPasswordNeeded):
        await client.sign_in(phone(admin), sent.phone_code_hash, telegram.code(admin))
    assert await client.get_password_hint() == admin.password_hint
    with pytest.raises(pyrogram.errors.PasswordHashInvalid):
        await client.check_password("wrong")
    assert (await client.check_password(admin.password)).id == admin.id
    assert (await client.get_me()).id == admin.id


async def test_wrong_password(telegram: Telegram) -> None:
    """A wrong password can be corrected; a proof cannot be sent twice."""
    client, account = await telegram.telethon(None), telegram.world.accounts[THIRD]
    await client.send_code_request(phone(account))
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(phone(account), telegram.code(account))
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="not this one")
    proof = types.InputCheckPasswordSRP(7, b"\x02" * 256, b"\x03" * 32)
    with pytest.raises(errors.SrpIdInvalidError):
        await client(functions.auth.CheckPasswordRequest(proof))
    assert (await client.sign_in(password=account.password)).id == THIRD


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("12", errors.PhoneNumberInvalidError),
        ("+1555010010112345", errors.PhoneNumberInvalidError),
        ("call me", errors.PhoneNumberInvalidError),
        ("+15550100102", errors.PhoneNumberBannedError),
    ],
)
async def test_numbers_that_get_no_code(telegram: Telegram, number: str, error: type[Exception]) -> None:
    """No number, and a banned one."""
    telegram.world.accounts[SECOND].banned = True
    client = await telegram.telethon(None)
    with pytest.raises(error):
        await client(functions.auth.SendCodeRequest(number, client.api_id, client.api_hash, types.CodeSettings()))


async def test_unknown_number(telegram: Telegram) -> None:
    """A number without an account gets a code, and signing in says that one must sign up: officially elsewhere."""
    client, number = await telegram.telethon(None), "+15550100177"
    await client.send_code_request(number)
    with pytest.raises(errors.PhoneNumberUnoccupiedError):
        await client.sign_in(number, first_code(number))


async def test_unknown_application(telegram: Telegram) -> None:
    """API id and hash must belong together."""
    client = await telegram.telethon(None, api_hash=telegram.world.accounts[SECOND].api_hash)
    with pytest.raises(errors.ApiIdInvalidError):
        await client.send_code_request(phone(telegram.admin))


async def test_wrong_and_empty_codes(telegram: Telegram) -> None:
    """A wrong code can be corrected; an empty one and an unknown hash are errors of their own."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    sent = await client.send_code_request(phone(account))
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(phone(account), "00000")
    with pytest.raises(errors.PhoneCodeEmptyError):
        await client(functions.auth.SignInRequest(phone(account), sent.phone_code_hash, ""))
    with pytest.raises(errors.PhoneCodeHashEmptyError):
        await client(functions.auth.SignInRequest(phone(account), "", "12345"))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client(functions.auth.SignInRequest(phone(account), "unknown", telegram.code(account)))
    assert (await client.sign_in(phone(account), telegram.code(account), phone_code_hash=sent.phone_code_hash)).id


async def test_late_code(telegram: Telegram) -> None:
    """A code lives five minutes of the world's clock."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    await client.send_code_request(phone(account))
    telegram.world.clock_offset_s += CODE_LIFETIME_S + 1
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(phone(account), telegram.code(account))


async def test_code_said_in_a_chat_is_burnt(telegram: Telegram) -> None:
    """A code that was typed to a bot, spaced or not, is void; digits that never were a message are not."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    await client.send_code_request(phone(account))
    speaker = await telegram.telethon(SECOND)
    bot = await speaker.get_entity(telegram.bot.username)
    await speaker.send_message(bot, "my code: " + " ".join(telegram.code(account)))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(phone(account), telegram.code(account))
    await client.send_code_request(phone(account))
    assert (await client.sign_in(phone(account), telegram.code(account))).id == SECOND


async def test_resend(telegram: Telegram) -> None:
    """The code can be sent once more, by the way that was named; the first is void then, and there is no third."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    first = await client.send_code_request(phone(account))
    assert isinstance(first.next_type, types.auth.CodeTypeSms)
    assert first.timeout
    second = await client(functions.auth.ResendCodeRequest(phone(account), first.phone_code_hash))
    assert isinstance(second.type, types.auth.SentCodeTypeSms)
    assert second.next_type is None
    assert second.phone_code_hash != first.phone_code_hash
    with pytest.raises(errors.SendCodeUnavailableError):
        await client(functions.auth.ResendCodeRequest(phone(account), second.phone_code_hash))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(phone(account), telegram.code(account), phone_code_hash=first.phone_code_hash)
    assert await client.sign_in(phone(account), telegram.code(account), phone_code_hash=second.phone_code_hash)


async def test_cancelled_code(telegram: Telegram) -> None:
    """A login that was given up cannot be finished."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    sent = await client.send_code_request(phone(account))
    assert await client(functions.auth.CancelCodeRequest(phone(account), sent.phone_code_hash))
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(phone(account), telegram.code(account))


async def test_files_dc_sends_logins_home(telegram: Telegram) -> None:
    """Who starts a login at DC 4 is told to go to the home DC, and Telethon goes."""
    client = await telegram.telethon(None, dc_id=4, port_of=4)
    with pytest.raises(errors.PhoneMigrateError) as error:
        await client._sender.send(functions.auth.SignInRequest(phone(telegram.admin), "hash", "12345"))
    assert error.value.new_dc == HOME_DC
    await client.send_code_request(phone(telegram.admin))
    assert client.session.dc_id == HOME_DC


async def test_log_out(telegram: Telegram) -> None:
    """After logging out the key is nobody's."""
    client = await telegram.telethon(SECOND)
    key = client.session.auth_key.key
    assert await client.get_me()
    assert await client.log_out()
    assert [k.user for k in telegram.world.auth_keys.values() if k.key == key] == [None]


async def test_revoked_session(telegram: Telegram) -> None:
    """A session that was ended from another device gets 401 on its next call; the others stay."""
    ended, client = await telegram.telethon(SECOND), await telegram.telethon(SECOND)
    assert await ended.get_me()
    sessions = (await client(functions.account.GetAuthorizationsRequest())).authorizations
    assert [session.current for session in sessions] == [True, False]
    assert await client(functions.account.ResetAuthorizationRequest(sessions[1].hash))
    with pytest.raises(errors.SessionRevokedError):
        await ended(functions.updates.GetStateRequest())
    assert (await client.get_me()).id == SECOND


async def test_nobody_is_signed_in(telegram: Telegram) -> None:
    """Without a login there is nothing to see but help.*."""
    client: TelegramClient = await telegram.telethon(None)
    assert (await client(functions.help.GetNearestDcRequest())).this_dc == HOME_DC
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 10, 0))


async def test_exported_login_is_good_once(telegram: Telegram) -> None:
    """What exportAuthorization gives out opens one other DC, once."""
    client = await telegram.telethon(SECOND)
    with pytest.raises(errors.DcIdInvalidError):
        await client(functions.auth.ExportAuthorizationRequest(HOME_DC))
    exported = await client(functions.auth.ExportAuthorizationRequest(4))
    with pytest.raises(errors.AuthBytesInvalidError):
        await client(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))  # meant for DC 4
    far = await telegram.telethon(None, dc_id=4, port_of=4)
    imported = await far(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))
    assert imported.user.id == SECOND
    with pytest.raises(errors.AuthBytesInvalidError):
        await far(functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes))


async def test_a_qr_code_that_is_scanned(telegram: Telegram) -> None:
    """Telethon's own QR login hears that its code was scanned by an account without a password, and is signed in."""
    client = await telegram.telethon(None)
    login = await client.qr_login()
    waiting = asyncio.create_task(login.wait(10))
    await asyncio.sleep(0.1)
    telegram.world.accept_login(login.token.hex(), SECOND)
    assert (await waiting).id == SECOND
    with pytest.raises(WorldError, match="AUTH_TOKEN_INVALID"):
        telegram.world.accept_login(login.token.hex(), SECOND)


async def test_a_qr_code_and_a_password(telegram: Telegram) -> None:
    """Scanned while nobody listens, by an account with a password: the next ask says so, and the password ends it."""
    client, admin = await telegram.telethon(None), telegram.admin
    login = await client.qr_login()
    telegram.world.accept_login(login.token.hex(), admin.id)
    with pytest.raises(errors.SessionPasswordNeededError):
        await login.recreate()
    assert (await client.sign_in(password=admin.password)).id == admin.id


async def test_a_qr_code_of_yesterday(telegram: Telegram) -> None:
    """Half a minute is all it lives; a scan by a real client hears why."""
    client, scanner = await telegram.telethon(None), await telegram.telethon(SECOND)
    login = await client.qr_login()
    telegram.world.clock_offset_s += TOKEN_LIFETIME_S + 1
    with pytest.raises(errors.AuthTokenExpiredError):
        await scanner(functions.auth.AcceptLoginTokenRequest(login.token))
    await login.recreate()
    assert await scanner(functions.auth.AcceptLoginTokenRequest(login.token))


async def test_a_qr_code_scanned_by_an_account_of_another_dc(telegram: Telegram) -> None:
    """The client that showed the code is sent to the account's DC, and is signed in there with a key of its own."""
    telegram.world.accounts[SECOND].home_dc = 4
    client = await telegram.telethon(None)
    login = await client.qr_login()
    telegram.world.accept_login(login.token.hex(), SECOND)
    assert (await login.wait(0.1)).id == SECOND
    assert client.session.dc_id == 4
    assert (await client.get_me()).id == SECOND


async def test_an_account_at_dc_4_signs_in_there(telegram: Telegram) -> None:
    """Its number is sent on to its home, and its code counts there."""
    account = telegram.world.accounts[SECOND]
    account.home_dc = 4
    client = await telegram.telethon(None)
    await client.send_code_request(phone(account))
    assert client.session.dc_id == 4
    assert (await client.sign_in(phone(account), telegram.code(account))).id == SECOND


@pytest.mark.parametrize("way", ["email", "word", "phrase", "call", "missed_call", "fragment"])
async def test_other_ways_of_a_code(telegram: Telegram, way: str) -> None:
    """The answer says how the code came and what comes next; it is taken as it came, and no other way."""
    client, account = await telegram.telethon(None), telegram.world.accounts[SECOND]
    account.code_ways, account.resend_after_s = [way, "call"], 7
    sent = await client(functions.auth.SendCodeRequest(phone(account), account.api_id, account.api_hash, SETTINGS))
    assert type(sent.type).__name__.lower() in {
        f"sentcodetype{way.replace('_', '')}{end}" for end in ("", "code", "sms")
    } | {f"sentcodetypesms{way}"}
    assert (type(sent.next_type), sent.timeout) == (types.auth.CodeTypeCall, 7)
    code = next(code.code for code in telegram.world.codes.values() if code.hash == sent.phone_code_hash)
    by_email, by_text = {"email_verification": types.EmailVerificationCode(code)}, {"phone_code": code}
    right, wrong = (by_email, by_text) if way == "email" else (by_text, by_email)
    with pytest.raises(errors.RPCError):
        await client(functions.auth.SignInRequest(phone(account), sent.phone_code_hash, **wrong))
    signed_in = await client(functions.auth.SignInRequest(phone(account), sent.phone_code_hash, **right))
    assert signed_in.user.id == SECOND
