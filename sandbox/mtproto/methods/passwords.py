"""Two-step verification, the server's half of SRP. https://core.telegram.org/api/srp

The password itself never travels: the server keeps v = g^x, the client proves that it knows x. `telethon.password`
holds the client's half, and the arithmetic that both share.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from telethon import password as client_side
from telethon.tl import types

from sandbox.mtproto.crypto import DH_GENERATOR, DH_PRIME, DH_PRIME_BYTES

_BYTES = 256


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _padded(number: int) -> bytes:
    return number.to_bytes(_BYTES, "big")


_P = DH_PRIME_BYTES
_G = _padded(DH_GENERATOR)
_K = int.from_bytes(_hash(_P, _G), "big")


def algorithm(account_id: int) -> Any:
    """How this account's password is hashed: salts of its own, Telegram's prime."""
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        hashlib.sha512(b"salt1/%d" % account_id).digest()[:40], _hash(b"salt2/%d" % account_id)[:16], DH_GENERATOR, _P
    )


@lru_cache(maxsize=256)
def verifier(account_id: int, password: str) -> int:
    """v = g^x. Costs 100,000 rounds of PBKDF2 (about 0.1 s): call it in a thread."""
    x = int.from_bytes(client_side.compute_hash(algorithm(account_id), password), "big")
    return pow(DH_GENERATOR, x, DH_PRIME)


@dataclass(frozen=True, slots=True)
class Challenge:
    """`b`: the server's secret exponent; B is what the client gets to see."""

    id: int
    b: int

    @classmethod
    def new(cls) -> "Challenge":
        return cls(int.from_bytes(os.urandom(8), "little", signed=True), int.from_bytes(os.urandom(_BYTES), "big"))

    def public(self, v: int) -> bytes:
        return _padded((_K * v + pow(DH_GENERATOR, self.b, DH_PRIME)) % DH_PRIME)

    def accepts(self, account_id: int, v: int, a_public: bytes, proof: bytes) -> bool:
        """Whether M1 shows that the client knows the password behind `v`."""
        a_number = int.from_bytes(a_public, "big")
        if not 1 < a_number < DH_PRIME - 1:
            return False
        a_bytes, b_bytes = _padded(a_number), self.public(v)
        u = int.from_bytes(_hash(a_bytes, b_bytes), "big")
        shared = pow(a_number * pow(v, u, DH_PRIME), self.b, DH_PRIME)
        salts = algorithm(account_id)
        expected = _hash(
            client_side.xor(_hash(_P), _hash(_G)),
            _hash(salts.salt1),
            _hash(salts.salt2),
            a_bytes,
            b_bytes,
            _hash(_padded(shared)),
        )
        return hmac.compare_digest(expected, proof)
