"""MTProto 2.0 encryption as the server does it, and the sandbox's RSA key.

https://core.telegram.org/mtproto/description and https://core.telegram.org/mtproto/auth_key
"""

import os
import struct
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1, sha256
from pathlib import Path

import cryptg
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from telethon.tl.tlobject import TLObject

# The prime that Telegram publishes and that clients know to be safe: kurigram accepts no other.
DH_PRIME_BYTES = bytes.fromhex(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B"
)
DH_PRIME = int.from_bytes(DH_PRIME_BYTES, "big")
DH_GENERATOR = 3

KEY_BYTES = 256
_ENVELOPE = struct.Struct("<q8sqii")  # salt, session id, msg_id, seq_no, length of the body
_CIPHERTEXT_AT = 24  # behind the key id and msg_key
_MIN_PADDING, _MAX_PADDING = 12, 1024


class ProtocolError(Exception):
    """The peer does not follow the protocol. It gets no answer; its connection ends."""


@dataclass(frozen=True, slots=True, repr=False)  # the body may hold a code or a password
class Envelope:
    """A decrypted message of a client."""

    salt: int
    session_id: bytes
    msg_id: int
    seq_no: int
    body: bytes


def key_id(auth_key: bytes) -> int:
    """The name of an auth key: the last 64 bits of its SHA-1, read as a signed little-endian number."""
    return int.from_bytes(sha1(auth_key).digest()[-8:], "little", signed=True)


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _message_aes(auth_key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    """AES key and IV of a message. `x`: 0 from the client, 8 from the server."""
    a = sha256(msg_key + auth_key[x : x + 36]).digest()
    b = sha256(auth_key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


def open_envelope(auth_key: bytes, packet: bytes) -> Envelope:
    """Decrypt a client's packet and prove that it was made with this key. Raises ProtocolError."""
    # A padded transport may add up to 15 bytes behind the last whole block.
    length = (len(packet) - _CIPHERTEXT_AT) // 16 * 16
    if length < _ENVELOPE.size + _MIN_PADDING:
        raise ProtocolError("encrypted packet too short")
    msg_key = packet[8:_CIPHERTEXT_AT]
    plain = cryptg.decrypt_ige(packet[_CIPHERTEXT_AT : _CIPHERTEXT_AT + length], *_message_aes(auth_key, msg_key, 0))
    if sha256(auth_key[88:120] + plain).digest()[8:24] != msg_key:
        raise ProtocolError("msg_key does not match")
    salt, session_id, msg_id, seq_no, size = _ENVELOPE.unpack_from(plain)
    padding = len(plain) - _ENVELOPE.size - size
    if size < 4 or size % 4 or not _MIN_PADDING <= padding <= _MAX_PADDING:
        raise ProtocolError("wrong message length")
    return Envelope(salt, session_id, msg_id, seq_no, plain[_ENVELOPE.size : _ENVELOPE.size + size])


def seal(auth_key: bytes, envelope: Envelope) -> bytes:
    """Encrypt a message for a client."""
    size = len(envelope.body)
    header = _ENVELOPE.pack(envelope.salt, envelope.session_id, envelope.msg_id, envelope.seq_no, size)
    padding = os.urandom(-(len(header) + size + _MIN_PADDING) % 16 + _MIN_PADDING)
    plain = b"".join((header, envelope.body, padding))
    digest = sha256(auth_key[96:128])
    digest.update(plain)
    msg_key = digest.digest()[8:24]
    return b"".join(
        (sha1(auth_key).digest()[-8:], msg_key, cryptg.encrypt_ige(plain, *_message_aes(auth_key, msg_key, 8)))
    )


def handshake_aes(new_nonce: bytes, server_nonce: bytes) -> tuple[bytes, bytes]:
    """The temporary AES key and IV of the Diffie-Hellman exchange."""
    a = sha1(new_nonce + server_nonce).digest()
    b = sha1(server_nonce + new_nonce).digest()
    c = sha1(new_nonce + new_nonce).digest()
    return a + b[:12], b[12:] + c + new_nonce[:4]


class RsaKey:
    """The server's RSA key. Clients know the public half by `public_pem` and name it by `fingerprint`."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        numbers = private.private_numbers()
        self.n = numbers.public_numbers.n
        self.e = numbers.public_numbers.e
        self._p, self._q = numbers.p, numbers.q
        self._dp, self._dq, self._q_inverse = numbers.dmp1, numbers.dmq1, numbers.iqmp

    @classmethod
    def generate(cls) -> "RsaKey":
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=8 * KEY_BYTES))

    @classmethod
    def load_or_create(cls, file: Path) -> "RsaKey":
        """The key in that PEM file; a new one, for the owner's eyes only, if there is no file yet."""
        if file.exists():
            # Our own file: proving that its primes are primes would take longer than making new ones.
            private = serialization.load_pem_private_key(
                file.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True
            )
            if not isinstance(private, rsa.RSAPrivateKey) or private.key_size != 8 * KEY_BYTES:
                raise ValueError(f"{file} holds no RSA key of {8 * KEY_BYTES} bits")
            return cls(private)
        key = cls.generate()
        pem = key._private.private_bytes(  # noqa: SLF001 - our own class
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123 - a descriptor
            out.write(pem)
        return key

    @cached_property
    def public_pem(self) -> str:
        """PKCS#1, as clients load it."""
        pem = self._private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        return pem.decode()

    @cached_property
    def fingerprint(self) -> int:
        numbers = (TLObject.serialize_bytes(_big_endian(number)) for number in (self.n, self.e))
        return int.from_bytes(sha1(b"".join(numbers)).digest()[-8:], "little", signed=True)

    def raw_decrypt(self, ciphertext: bytes) -> bytes:
        """RSA without a padding scheme, which MTProto brings itself; by the Chinese remainder theorem, 4x faster."""
        c = int.from_bytes(ciphertext, "big")
        if len(ciphertext) != KEY_BYTES or c >= self.n:
            raise ProtocolError("not an RSA block")
        of_p, of_q = pow(c, self._dp, self._p), pow(c, self._dq, self._q)
        plain = of_q + (of_p - of_q) * self._q_inverse % self._p * self._q
        return plain.to_bytes(KEY_BYTES, "big")


def _big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
