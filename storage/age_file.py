"""A small secret as an age file under a passphrase (https://age-encryption.org/v1): `age -d FILE` opens it anywhere.

age-encryption.org/v1
-> scrypt SALT LOG_N
BASE64(file key, sealed with what scrypt makes of passphrase and salt)
--- BASE64(HMAC of all above)
nonce (16) | ChaCha20-Poly1305 of the content
"""

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

VERSION = b"age-encryption.org/v1"
LOG_N = 17
"""128 MiB and half a second, here once and for whoever guesses at each try. age itself takes 18, and opens up to 22."""
CHUNK_BYTES = 64 * 1024
KEY_BYTES = SALT_BYTES = NONCE_BYTES = 16
LAST_CHUNK = bytes(11) + b"\x01"


def seal(content: bytes, passphrase: str, *, log_n: int = LOG_N) -> bytes:
    """Blocking: derives the key. Raises ValueError for more than one chunk: this is for keys, not for archives."""
    if not 0 < len(content) <= CHUNK_BYTES:
        raise ValueError(f"a secret of 1 to {CHUNK_BYTES} bytes fits")
    file_key, salt, nonce = os.urandom(KEY_BYTES), os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    wrapping = Scrypt(salt=VERSION + b"/scrypt" + salt, length=32, n=2**log_n, r=8, p=1).derive(passphrase.encode())
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    header = b"%b\n-> scrypt %b %d\n%b\n---" % (VERSION, _base64(salt), log_n, _base64(wrapped))
    tag = hmac.digest(_derived(file_key, b"", b"header"), header, hashlib.sha256)
    sealed = ChaCha20Poly1305(_derived(file_key, nonce, b"payload")).encrypt(LAST_CHUNK, content, None)
    return header + b" " + _base64(tag) + b"\n" + nonce + sealed


def _derived(file_key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(file_key)


def _base64(value: bytes) -> bytes:
    """Without padding, as age writes it. Nothing here is longer than one of its lines (64 characters)."""
    return base64.b64encode(value).rstrip(b"=")
