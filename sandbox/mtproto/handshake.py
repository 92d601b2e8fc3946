"""The exchange that makes an auth key: three questions of the client, in plain text, on one connection.

https://core.telegram.org/mtproto/auth_key. Both ways to pad the RSA block are understood: the old one with a SHA-1
in front, which Telethon and kurigram use, and RSA_PAD, which the official clients use.
"""

import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import Any

import cryptg
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.tlobject import TLObject

from sandbox.mtproto.crypto import (
    DH_GENERATOR,
    DH_PRIME,
    DH_PRIME_BYTES,
    KEY_BYTES,
    ProtocolError,
    RsaKey,
    handshake_aes,
    key_id,
    xor,
)

# The client proves some work by factoring this; the work is not the sandbox's concern, so it is always the same.
_P, _Q = 1229739323, 1402015859
_PQ = (_P * _Q).to_bytes(8, "big")

_DH_SAFETY = 1 << (2048 - 64)
_SHA1, _SHA256 = 20, 32
_RSA_PAD_DATA = 192

# What may stand in a plain message or in its encrypted insides; nothing else is even parsed.
_QUESTIONS = (functions.ReqPqRequest, functions.ReqPqMultiRequest, functions.ReqDHParamsRequest)
_LAST_QUESTION = (functions.SetClientDHParamsRequest,)
_INNER = (types.PQInnerData, types.PQInnerDataDc)
_CLIENT_INNER = (types.ClientDHInnerData,)

NewKey = Callable[[int, bytes, int], None]


@dataclass(slots=True, repr=False)
class _Exchange:
    """What both sides know so far. Nonces as the signed numbers that Telethon makes of them."""

    nonce: int
    server_nonce: int
    new_nonce: bytes = b""
    secret: int = 0  # the server's exponent
    aes: tuple[bytes, bytes] = (b"", b"")


class Handshake:
    """One connection's exchange. `agreed(key id, auth key, first salt)` is told of each new key."""

    def __init__(self, rsa_key: RsaKey, dc_id: int, agreed: NewKey) -> None:
        self._rsa = rsa_key
        self._dc_id = dc_id
        self._agreed = agreed
        self._exchange: _Exchange | None = None

    def reply(self, question: bytes) -> bytes | None:
        """The server's answer, without the frame of a plain message. Raises ProtocolError."""
        if question[:4] == struct.pack("<I", types.MsgsAck.CONSTRUCTOR_ID):
            return None
        request = _parse(question, _QUESTIONS + _LAST_QUESTION)
        if isinstance(request, functions.ReqPqRequest | functions.ReqPqMultiRequest):
            return self._begin(request)
        exchange = self._exchange
        if exchange is None or (request.nonce, request.server_nonce) != (exchange.nonce, exchange.server_nonce):
            raise ProtocolError("nonces do not belong together")
        if isinstance(request, functions.ReqDHParamsRequest):
            return self._offer_dh(exchange, request)
        return self._finish(exchange, request)

    def _begin(self, request: Any) -> bytes:
        server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        self._exchange = _Exchange(request.nonce, server_nonce)
        return bytes(types.ResPQ(request.nonce, server_nonce, _PQ, [self._rsa.fingerprint]))

    def _offer_dh(self, exchange: _Exchange, request: Any) -> bytes:
        if request.public_key_fingerprint != self._rsa.fingerprint or exchange.secret:
            raise ProtocolError("another RSA key, or a question out of turn")
        inner = self._decrypt_inner(request.encrypted_data)
        if (inner.nonce, inner.server_nonce, inner.pq) != (exchange.nonce, exchange.server_nonce, _PQ):
            raise ProtocolError("nonces or pq do not match inside the RSA block")
        if tuple(int.from_bytes(factor, "big") for factor in (inner.p, inner.q)) != (_P, _Q):
            raise ProtocolError("wrong factors")
        # Test DCs count from 10000, media DCs are negative.
        if isinstance(inner, types.PQInnerDataDc) and abs(inner.dc) % 10000 != self._dc_id:
            raise ProtocolError("the client wants another DC")
        exchange.new_nonce = inner.new_nonce.to_bytes(32, "little", signed=True)
        exchange.aes = handshake_aes(exchange.new_nonce, _nonce_bytes(exchange.server_nonce))
        exchange.secret, g_a = _dh_pair()
        answer = bytes(
            types.ServerDHInnerData(
                exchange.nonce, exchange.server_nonce, DH_GENERATOR, DH_PRIME_BYTES, g_a, int(time.time())
            )
        )
        plain = sha1(answer).digest() + answer
        plain += os.urandom(-len(plain) % 16)
        encrypted = cryptg.encrypt_ige(plain, *exchange.aes)
        return bytes(types.ServerDHParamsOk(exchange.nonce, exchange.server_nonce, encrypted))

    def _finish(self, exchange: _Exchange, request: Any) -> bytes:
        self._exchange = None
        if not exchange.secret or len(request.encrypted_data) % 16 or not request.encrypted_data:
            raise ProtocolError("a question out of turn, or no whole AES blocks")
        inner = _hashed(cryptg.decrypt_ige(request.encrypted_data, *exchange.aes), _CLIENT_INNER)
        if (inner.nonce, inner.server_nonce) != (exchange.nonce, exchange.server_nonce):
            raise ProtocolError("nonces do not match inside the last question")
        g_b = int.from_bytes(inner.g_b, "big")
        if not _DH_SAFETY <= g_b <= DH_PRIME - _DH_SAFETY:
            raise ProtocolError("g_b out of range")
        # All 256 bytes, leading zeros too. Telethon drops those (1 key in 256), sees a wrong hash and tries again.
        auth_key = pow(g_b, exchange.secret, DH_PRIME).to_bytes(KEY_BYTES, "big")
        new_nonce, server_nonce = exchange.new_nonce, _nonce_bytes(exchange.server_nonce)
        salt = int.from_bytes(xor(new_nonce[:8], server_nonce[:8]), "little", signed=True)
        self._agreed(key_id(auth_key), auth_key, salt)
        proof = sha1(new_nonce + b"\x01" + sha1(auth_key).digest()[:8]).digest()[4:]
        return bytes(types.DhGenOk(exchange.nonce, exchange.server_nonce, int.from_bytes(proof, "little", signed=True)))

    def _decrypt_inner(self, encrypted: bytes) -> Any:
        block = self._rsa.raw_decrypt(encrypted)
        if block[0] == 0:  # the old padding encrypts 255 bytes; RSA_PAD begins with a zero once in 256 times
            try:
                return _hashed(block[1:], _INNER)
            except ProtocolError:
                return _rsa_unpad(block)
        return _rsa_unpad(block)


def _rsa_unpad(block: bytes) -> Any:
    """Undo RSA_PAD: the AES key is masked with the hash of what it encrypts; inside, data backwards and a SHA-256."""
    masked_key, encrypted = block[:32], block[32:]
    aes_key = xor(masked_key, sha256(encrypted).digest())
    plain = cryptg.decrypt_ige(encrypted, aes_key, bytes(32))
    data = plain[:_RSA_PAD_DATA][::-1]
    if sha256(aes_key + data).digest() != plain[_RSA_PAD_DATA:]:
        raise ProtocolError("the RSA block holds nothing that we understand")
    return _parse(data, _INNER)


def _hashed(plain: bytes, allowed: tuple[type[Any], ...]) -> Any:
    """The object behind its SHA-1; what follows is padding, so only its bytes made anew can be hashed."""
    inner = _parse(plain[_SHA1:], allowed)
    if sha1(bytes(inner)).digest() != plain[:_SHA1]:
        raise ProtocolError("SHA-1 does not match")
    return inner


def _parse(data: bytes, allowed: tuple[type[Any], ...]) -> Any:
    constructor = int.from_bytes(data[:4], "little")
    wanted = next((kind for kind in allowed if constructor == kind.CONSTRUCTOR_ID), None)
    if wanted is None:
        raise ProtocolError("not a question of the handshake")
    try:
        reader = BinaryReader(data)
        reader.read_int()
        parsed: TLObject = wanted.from_reader(reader)
    except (BufferError, struct.error) as error:
        raise ProtocolError("cut short") from error
    return parsed


def _dh_pair() -> tuple[int, bytes]:
    """The server's exponent, and g to its power."""
    while True:
        secret = int.from_bytes(os.urandom(KEY_BYTES), "big")
        power = pow(DH_GENERATOR, secret, DH_PRIME)
        if _DH_SAFETY <= power <= DH_PRIME - _DH_SAFETY:
            return secret, power.to_bytes(KEY_BYTES, "big")


def _nonce_bytes(nonce: int) -> bytes:
    return nonce.to_bytes(16, "little", signed=True)
