"""auth.*: logging in with a code and a password, logging out, taking a login to another DC.

https://core.telegram.org/api/auth
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import passwords, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import RESEND_AFTER_S, Account, ExportedLogin, LoginCode

PHONE_DIGITS = range(7, 16)


@method(functions.auth.SendCodeRequest)
async def send_code(call: Call, request: Any) -> Any:
    _only_at_home(call, request.phone_number)
    if not is_application(call, request.api_id, request.api_hash):
        raise fail("API_ID_INVALID")
    _check_number(request.phone_number)
    return _sent(call, call.world.send_code(request.phone_number, request.api_id))


@method(functions.auth.ResendCodeRequest)
async def resend_code(call: Call, request: Any) -> Any:
    """The code again, by the way that the last answer named."""
    _only_at_home(call, request.phone_number)
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    if code.way + 1 >= len(call.world.code_ways(code.phone)):
        raise fail("SEND_CODE_UNAVAILABLE")
    call.world.drop_codes(code.phone)
    return _sent(call, call.world.send_code(code.phone, code.api_id, code.way + 1))


@method(functions.auth.CancelCodeRequest)
async def cancel_code(call: Call, request: Any) -> bool:
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    call.world.drop_codes(code.phone)
    return True


@method(functions.auth.SignInRequest)
async def sign_in(call: Call, request: Any) -> Any:
    _only_at_home(call, request.phone_number)
    _check_number(request.phone_number)
    if not request.phone_code_hash:
        raise fail("PHONE_CODE_HASH_EMPTY")
    by_email = request.email_verification is not None
    given = getattr(request.email_verification, "code", "") if by_email else request.phone_code
    if not given:
        raise fail("PHONE_CODE_EMPTY")
    code = call.world.live_code(request.phone_number, request.phone_code_hash)
    if by_email != (call.world.code_ways(code.phone)[code.way] == "email") or given != code.code:
        raise fail("CODE_INVALID" if by_email else "PHONE_CODE_INVALID")
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
    if account.phone and call.dc_id == account.home_dc:
        call.world.drop_codes(account.phone)
    call.world.touch()
    return types.auth.Authorization(render.user(account, account.id))


SENT: dict[str, Callable[[str], Any]] = {
    "app": lambda code: types.auth.SentCodeTypeApp(len(code)),
    "sms": lambda code: types.auth.SentCodeTypeSms(len(code)),
    "call": lambda code: types.auth.SentCodeTypeCall(len(code)),
    "flash_call": lambda _: types.auth.SentCodeTypeFlashCall("+1555*****"),
    "missed_call": lambda code: types.auth.SentCodeTypeMissedCall("+1 555", len(code)),
    "email": lambda code: types.auth.SentCodeTypeEmailCode("an***@h***.example", len(code)),
    "email_setup": lambda _: types.auth.SentCodeTypeSetUpEmailRequired(),
    "fragment": lambda code: types.auth.SentCodeTypeFragmentSms("https://fragment.com/login", len(code)),
    "word": lambda code: types.auth.SentCodeTypeSmsWord(code[:1]),
    "phrase": lambda code: types.auth.SentCodeTypeSmsPhrase(code.split()[0]),
}
"""How a code can be sent, and how auth.sentCode says so. In any case it stands in the chat with 777000."""

NEXT: dict[str, Callable[[], Any]] = {
    "sms": types.auth.CodeTypeSms,
    "word": types.auth.CodeTypeSms,
    "phrase": types.auth.CodeTypeSms,
    "call": types.auth.CodeTypeCall,
    "flash_call": types.auth.CodeTypeFlashCall,
    "missed_call": types.auth.CodeTypeMissedCall,
    "fragment": types.auth.CodeTypeFragmentSms,
}
"""The ways that auth.codeType can name; the others come first or never."""


def _sent(call: Call, code: LoginCode) -> Any:
    account = call.world.account_by_phone(code.phone)
    ways = call.world.code_ways(code.phone)
    kind = SENT[ways[code.way]](code.code)
    if code.way + 1 >= len(ways):
        return types.auth.SentCode(kind, code.hash)
    timeout = account.resend_after_s if account is not None else RESEND_AFTER_S
    return types.auth.SentCode(kind, code.hash, NEXT[ways[code.way + 1]](), timeout)


def _only_at_home(call: Call, phone: str) -> None:
    home_dc = call.world.home_dc_of(phone)
    if call.dc_id != home_dc:
        raise fail(f"PHONE_MIGRATE_{home_dc}")


def is_application(call: Call, api_id: int, api_hash: str) -> bool:
    return any(a.api_id == api_id and a.api_hash == api_hash for a in call.world.accounts.values() if a.api_id)


def _check_number(phone: str) -> None:
    digits = phone.removeprefix("+").replace(" ", "")
    if not digits.isdecimal() or len(digits) not in PHONE_DIGITS:
        raise fail("PHONE_NUMBER_INVALID")
