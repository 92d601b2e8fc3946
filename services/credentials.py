"""Credentials as bytes for the vault, and phone numbers as an admin may see them."""

import base64
import json

from services.clients.base import ApiCredentials, Credential

VERSION = 1


def pack(credential: Credential) -> bytes:
    """JSON with its version. Secret: it goes into the vault and nowhere else."""
    return json.dumps(
        {
            "version": VERSION,
            "dc_id": credential.dc_id,
            "host": credential.host,
            "port": credential.port,
            "auth_key": base64.b64encode(credential.auth_key).decode(),
            "api_id": credential.api.api_id,
            "api_hash": credential.api.api_hash,
            "user_id": credential.user_id,
            "is_bot": credential.is_bot,
            "test_mode": credential.test_mode,
        }
    ).encode()


def unpack(packed: bytes) -> Credential:
    """Raises ValueError for a version that this Porter does not know."""
    fields = json.loads(packed)
    if fields["version"] != VERSION:
        raise ValueError(f"credential of version {fields['version']}, known is {VERSION}")
    return Credential(
        dc_id=fields["dc_id"],
        host=fields["host"],
        port=fields["port"],
        auth_key=base64.b64decode(fields["auth_key"]),
        api=ApiCredentials(fields["api_id"], fields["api_hash"]),
        user_id=fields["user_id"],
        is_bot=fields["is_bot"],
        test_mode=fields["test_mode"],
    )


def plain_phone(text: str) -> str:
    """Digits with a plus in front, whatever was typed between them; empty where there are none."""
    digits = "".join(filter(str.isdecimal, text)).removeprefix("00")
    return f"+{digits}" if digits else ""


def masked_phone(phone: str) -> str:
    """ "+1••••00": the start of the country code and the last two digits.

    +1 and +7 are whole zones; other codes have two digits or three, of which two say enough.
    """
    digits = plain_phone(phone).removeprefix("+")
    if len(digits) < 5:
        return "••••"
    return f"+{digits[: 1 if digits[0] in '17' else 2]}••••{digits[-2:]}"
