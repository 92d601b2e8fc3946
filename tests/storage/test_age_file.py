"""age files under a passphrase: an independent reader opens ours, and what another implementation wrote."""

import base64

import pytest
from cryptography.exceptions import InvalidTag

from storage.age_file import CHUNK_BYTES, LOG_N, seal
from tests.age import open_age

PASSPHRASE = "correct horse battery"
FAST = 10

# Written by rage (pyrage) under that passphrase.
WRITTEN_BY_RAGE = base64.b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCA2aVFINzRHeHM1TkFXaFk2em9sOE5BIDE5CkxPRk5tTjMyY2ZNenNuWTNsVDZFUWNpbnQwVFg0"
    "U1BLQjlFcFNqMjB2YlkKLS0tIGZpKy9sTUNLeFVoL0xiTGNKMDVBdkIwakRwM21LK2lEdzNOd3ZyTmg3WFEK3Nqh0U9wKGq8RC3YmZ6UNlszSaCIzj8Y"
    "yh4jIOScVt8jh8jrroI7J6yMrKAEqW0="
)


@pytest.mark.slow
def test_the_reader_of_these_tests_is_right() -> None:
    """It opens a file that another implementation of age wrote."""
    assert open_age(WRITTEN_BY_RAGE, PASSPHRASE) == b"written by rage"


@pytest.mark.parametrize("size", [1, 369, CHUNK_BYTES])
def test_sealed_and_opened(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    assert open_age(seal(content[:size], PASSPHRASE, log_n=FAST), PASSPHRASE) == content[:size]


def test_the_cost_of_a_guess() -> None:
    """The header says how dear each try is, and what age opens by itself (up to 22)."""
    assert 15 < LOG_N <= 22
    assert seal(b"x", PASSPHRASE).split(b"\n")[1].endswith(f" {LOG_N}".encode())


def test_what_does_not_open() -> None:
    """Another passphrase, a flipped bit anywhere behind the header, a lost end."""
    file = seal(b"a session string", PASSPHRASE, log_n=FAST)
    with pytest.raises(InvalidTag):
        open_age(file, PASSPHRASE + ".")
    for position in range(file.index(b"--- ") + 60, len(file)):
        damaged = bytearray(file)
        damaged[position] ^= 1
        with pytest.raises(InvalidTag):
            open_age(bytes(damaged), PASSPHRASE)
    with pytest.raises(InvalidTag):
        open_age(file[:-1], PASSPHRASE)


def test_no_two_files_are_alike() -> None:
    """Fresh salt, key and nonce each time."""
    assert seal(b"same", PASSPHRASE, log_n=FAST) != seal(b"same", PASSPHRASE, log_n=FAST)


@pytest.mark.parametrize("content", [b"", bytes(CHUNK_BYTES + 1)])
def test_what_is_no_small_secret(content: bytes) -> None:
    with pytest.raises(ValueError, match="a secret of 1 to"):
        seal(content, PASSPHRASE, log_n=FAST)
