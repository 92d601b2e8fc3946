"""Opens age files under a passphrase, by the book (https://age-encryption.org/v1). Shares no code with their writer."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def unbase64(text: bytes) -> bytes:
    assert b"=" not in text
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def open_age(file: bytes, passphrase: str) -> bytes:
    """Raises InvalidTag for another passphrase or a damaged file."""
    version, stanza, body, rest = file.split(b"\n", 3)
    assert version == b"age-encryption.org/v1"
    arrow, kind, salt, log_n = stanza.split(b" ")
    assert (arrow, kind) == (b"->", b"scrypt")
    wrapping = hashlib.scrypt(
        passphrase.encode(),
        salt=b"age-encryption.org/v1/scrypt" + unbase64(salt),
        n=2 ** int(log_n),
        r=8,
        p=1,
        maxmem=2**30,
        dklen=32,
    )
    file_key = ChaCha20Poly1305(wrapping).decrypt(b"\0" * 12, unbase64(body), None)
    assert len(file_key) == 16
    mac, payload = rest.split(b"\n", 1)
    assert mac.startswith(b"--- ")
    header = b"\n".join((version, stanza, body)) + b"\n---"
    assert hmac.new(HKDF(SHA256(), 32, None, b"header").derive(file_key), header, "sha256").digest() == unbase64(
        mac[4:]
    )
    key = HKDF(SHA256(), 32, payload[:16], b"payload").derive(file_key)
    sealed = payload[16:]
    assert len(sealed) <= 65536 + 16
    return ChaCha20Poly1305(key).decrypt(b"\0" * 11 + b"\1", sealed, None)
