"""account.*: what logging in and staying logged in needs."""

import asyncio
import os
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import passwords
from sandbox.mtproto.methods.auth import waiting_for_password
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method


@method(functions.account.GetPasswordRequest)
async def get_password(call: Call, _request: Any) -> Any:
    """How to prove the password. Each call is a new challenge; an older one of this session is void."""
    account = await waiting_for_password(call)
    general = {
        "new_algo": passwords.algorithm(account.id),
        "new_secure_algo": types.SecurePasswordKdfAlgoUnknown(),
        "secure_random": os.urandom(32),
    }
    if account.password is None:
        return types.account.Password(**general)
    challenge = passwords.Challenge.new()
    call.world.memory.srp[call.key_id] = (challenge.id, challenge.b)
    v = await asyncio.to_thread(passwords.verifier, account.id, account.password)
    return types.account.Password(
        **general,
        has_password=True,
        current_algo=passwords.algorithm(account.id),
        srp_B=challenge.public(v),
        srp_id=challenge.id,
        hint=account.password_hint or None,
    )


@method(functions.account.UpdateStatusRequest)
async def update_status(call: Call, _request: Any) -> bool:
    return call.user is not None


@method(functions.account.GetAuthorizationsRequest)
async def get_authorizations(call: Call, _request: Any) -> Any:
    """The account's sessions, this one first. The sandbox keeps no device names."""
    account = call.user
    own = [
        (key_id, key)
        for key_id, key in call.world.auth_keys.items()
        if key.user == account.id and not key.revoked and key.exported_from is None
    ]
    own.sort(key=lambda entry: entry[0] != call.key_id)
    return types.account.Authorizations(
        180,
        [
            types.Authorization(
                hash=0 if key_id == call.key_id else key_id,
                device_model="Sandbox",
                platform="Desktop",
                system_version="",
                api_id=key.api_id,
                app_name="Sandbox",
                app_version="",
                date_created=key.created,
                date_active=call.world.now(),
                ip="127.0.0.1",
                country="",
                region="",
                current=key_id == call.key_id,
            )
            for key_id, key in own
        ],
    )


@method(functions.account.ResetAuthorizationRequest)
async def reset_authorization(call: Call, request: Any) -> bool:
    """End another session of the account, as "Devices" does."""
    key = call.world.auth_keys.get(request.hash)
    if key is None or key.user != call.user.id or key.revoked:
        raise fail("HASH_INVALID")
    call.world.revoke_session(request.hash)
    return True
