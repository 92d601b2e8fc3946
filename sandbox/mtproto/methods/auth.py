"""auth.*: logging in with a code and a password, logging out, taking a login to another DC.

https://core.telegram.org/api/auth
"""

import asyncio
import os
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import passwords, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import HOME_DC, Account, ExportedLogin, LoginCode

RESEND_AFTER_S = 60
PHONE_DIGITS = range(7, 16)


@method(functions.auth.SendCodeRequest)
async def send_code(call: Call, request: Any) -> Any:
    _only_at_home(call)
    if not is_application(call, request.api_id, request.api_hash):
        raise fail("API_ID_INVALID")
    _check_number(request.phone_number)
    return _sent(call.world.send_code(request.phone_number, request.api_id))


@method(functions.auth.ResendCodeRequest)
async def resend_code(call: Call, request: Any) -> Any:
    """The code again, by SMS: the way that the first answer named. There is no third way."""
    _only_at_home(call)
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    if code.delivery != "app":
        raise fail("SEND_CODE_UNAVAILABLE")
    call.world.drop_codes(code.phone)
    return _sent(call.world.send_code(code.phone, code.api_id, delivery="sms"))


@method(functions.auth.CancelCodeRequest)
async def cancel_code(call: Call, request: Any) -> bool:
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    call.world.drop_codes(code.phone)
    return True


@method(functions.auth.SignInRequest)
async def sign_in(call: Call, request: Any) -> Any:
    _only_at_home(call)
    _check_number(request.phone_number)
    if not request.phone_code_hash:
        raise fail("PHONE_CODE_HASH_EMPTY")
    if not request.phone_code:
        raise fail("PHONE_CODE_EMPTY")
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    if request.phone_code != code.code:
        raise fail("PHONE_CODE_INVALID")
    account = call.world.account_by_phone(code.phone)
    if account is None:
        return types.auth.AuthorizationSignUpRequired()
    call.key.api_id, call.key.revoked = code.api_id, False
    if account.password is not None:
        call.key.user, call.key.password_pending = None, account.id
        call.world.touch()
        raise fail("SESSION_PASSWORD_NEEDED")
    return authorized(call, account)


@method(functions.auth.CheckPasswordRequest)
async def check_password(call: Call, request: Any) -> Any:
    account = await waiting_for_password(call)
    known = call.world.memory.srp.pop(call.key_id, None)  # each challenge is good for one try
    if isinstance(request.password, types.InputCheckPasswordEmpty) or account.password is None:
        raise fail("PASSWORD_HASH_INVALID")
    if known is None or known[0] != request.password.srp_id:
        raise fail("SRP_ID_INVALID")
    v = await asyncio.to_thread(passwords.verifier, account.id, account.password)
    if not passwords.Challenge(*known).accepts(account.id, v, request.password.A, request.password.M1):
        raise fail("PASSWORD_HASH_INVALID")
    return authorized(call, account)


async def waiting_for_password(call: Call) -> Account:
    """The account whose code was accepted and whose password is due, or that is signed in already."""
    if call.key.password_pending is not None and not call.key.revoked:
        return call.world.account(call.key.password_pending)
    return call.user


@method(functions.auth.LogOutRequest)
async def log_out(call: Call, _request: Any) -> Any:
    """End this session: its key at the home DC, and those that it lent its login to."""
    assert call.user
    for key_id, key in call.world.auth_keys.items():
        if key_id == call.key_id or key.exported_from == call.key_id:
            key.user = None
    call.world.touch()
    return types.auth.LoggedOut()


@method(functions.auth.ExportAuthorizationRequest)
async def export_authorization(call: Call, request: Any) -> Any:
    account = call.user
    if request.dc_id == call.dc_id or request.dc_id not in call.services.ports:
        raise fail("DC_ID_INVALID")
    token = os.urandom(32)
    call.world.exported_logins[token.hex()] = ExportedLogin(account.id, request.dc_id, call.key_id)
    call.world.touch()
    return types.auth.ExportedAuthorization(account.id, token)


@method(functions.auth.ImportAuthorizationRequest)
async def import_authorization(call: Call, request: Any) -> Any:
    """Good once, at the DC and for the account that it was exported for."""
    known = call.world.exported_logins.get(request.bytes.hex())
    if known is None or known.user != request.id or known.dc_id != call.dc_id:
        raise fail("AUTH_BYTES_INVALID")
    del call.world.exported_logins[request.bytes.hex()]
    origin = call.world.auth_keys.get(known.key_id)
    if origin is None or origin.user != known.user or origin.revoked:
        raise fail("AUTH_BYTES_INVALID")
    call.key.exported_from = known.key_id
    return authorized(call, call.world.account(known.user))


def authorized(call: Call, account: Account) -> Any:
    call.key.user, call.key.password_pending = account.id, None
    if account.phone and call.dc_id == HOME_DC:
        call.world.drop_codes(account.phone)
    call.world.touch()
    return types.auth.Authorization(render.user(account, account.id))


def _sent(code: LoginCode) -> Any:
    length = len(code.code)
    if code.delivery == "app":
        kind = types.auth.SentCodeTypeApp(length)
        return types.auth.SentCode(kind, code.hash, types.auth.CodeTypeSms(), RESEND_AFTER_S)
    return types.auth.SentCode(types.auth.SentCodeTypeSms(length), code.hash)


def _only_at_home(call: Call) -> None:
    if call.dc_id != HOME_DC:
        raise fail(f"PHONE_MIGRATE_{HOME_DC}")


def is_application(call: Call, api_id: int, api_hash: str) -> bool:
    return any(a.api_id == api_id and a.api_hash == api_hash for a in call.world.accounts.values() if a.api_id)


def _check_number(phone: str) -> None:
    digits = phone.removeprefix("+").replace(" ", "")
    if not digits.isdecimal() or len(digits) not in PHONE_DIGITS:
        raise fail("PHONE_NUMBER_INVALID")
