"""Credentials as bytes, numbers as an admin may see them."""

import json

import pytest

from services.clients.base import ApiCredentials, Credential
from services.credentials import masked_phone, pack, plain_phone, unpack

CREDENTIAL = Credential(4, "149.154.167.91", 443, bytes(range(256)), ApiCredentials(77, "f" * 32), 5_100_000_001)


def test_a_credential_comes_back() -> None:
    """What was packed is unpacked, every field of it."""
    assert unpack(pack(CREDENTIAL)) == CREDENTIAL


def test_a_version_of_tomorrow() -> None:
    """A credential that a newer Porter packed is refused, not guessed at."""
    fields = json.loads(pack(CREDENTIAL))
    with pytest.raises(ValueError, match="version 2"):
        unpack(json.dumps({**fields, "version": 2}).encode())


def test_nothing_secret_is_printed() -> None:
    """Neither key nor hash shows in what a credential prints as."""
    assert "f" * 32 not in repr(CREDENTIAL)
    assert "\\x" not in repr(CREDENTIAL)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+15550100100", "+1••••00"),
        ("79161234567", "+7••••67"),
        ("+49 151 23456789", "+49••••89"),
        ("0049 151 23456789", "+49••••89"),
        ("+1", "••••"),
        ("", "••••"),
    ],
)
def test_masked_numbers(phone: str, masked: str) -> None:
    """The start of the country code and the last two digits, and nothing of a number too short to hide."""
    assert masked_phone(phone) == masked


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("+1 (555) 010-0100", "+15550100100"), ("004915123456789", "+4915123456789"), ("call me", ""), ("", "")],
)
def test_typed_numbers(typed: str, plain: str) -> None:
    """Digits with a plus in front, however they were typed."""
    assert plain_phone(typed) == plain
