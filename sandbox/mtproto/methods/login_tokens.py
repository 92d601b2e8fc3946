"""auth.*LoginToken: logging in by a QR code that somebody who is signed in scans.

https://core.telegram.org/api/qr-login. A client at another DC than the home of the account that scanned is told to
migrate.
"""

import os
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods.auth import authorized, is_application
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import LoginToken


@method(functions.auth.ExportLoginTokenRequest)
async def export_login_token(call: Call, request: Any) -> Any:
    """A token to draw; or, once one of this key was accepted, what came of it."""
    if not is_application(call, request.api_id, request.api_hash):
        raise fail("API_ID_INVALID")
    world = call.world
    for token, known in world.login_tokens.items():
        if known.key_id == call.key_id and known.accepted_by is not None:
            home_dc = world.account(known.accepted_by).home_dc
            if call.dc_id != home_dc:
                return types.auth.LoginTokenMigrateTo(home_dc, bytes.fromhex(token))
            return _redeem(call, token, known)
    fresh, expires = os.urandom(32), world.now() + world.token_lifetime_s
    world.login_tokens[fresh.hex()] = LoginToken(call.key_id, request.api_id, expires)
    world.touch()
    return types.auth.LoginToken(expires, fresh)


@method(functions.auth.ImportLoginTokenRequest)
async def import_login_token(call: Call, request: Any) -> Any:
    """Behind a migration: the accepted token, brought to the DC of its account."""
    known = call.world.login_tokens.get(request.token.hex())
    if known is None or known.accepted_by is None or call.dc_id != call.world.account(known.accepted_by).home_dc:
        raise fail("AUTH_TOKEN_INVALID")
    return _redeem(call, request.token.hex(), known)


@method(functions.auth.AcceptLoginTokenRequest)
async def accept_login_token(call: Call, request: Any) -> Any:
    """Somebody who is signed in has scanned the code."""
    call.world.accept_login(request.token.hex(), call.user.id)
    return types.Authorization(
        hash=0,
        device_model="sandbox",
        platform="sandbox",
        system_version="1",
        api_id=call.world.login_tokens[request.token.hex()].api_id,
        app_name="sandbox",
        app_version="1",
        date_created=call.world.now(),
        date_active=call.world.now(),
        ip="127.0.0.1",
        country="",
        region="",
    )


def _redeem(call: Call, token: str, known: LoginToken) -> Any:
    assert known.accepted_by is not None
    account = call.world.account(known.accepted_by)
    del call.world.login_tokens[token]
    call.key.api_id, call.key.revoked = known.api_id, False
    if account.password is not None:
        call.key.user, call.key.password_pending = None, account.id
        call.world.touch()
        raise fail("SESSION_PASSWORD_NEEDED")
    return types.auth.LoginTokenSuccess(authorized(call, account))
