"""What each start would make anew, alike every time: made once a process, by the code that makes it, and laid in place.

Who tests the making itself opens an empty directory.
"""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.mtproto.crypto import RsaKey, key_id
from sandbox.world import HOME_DC, Account, AuthKey, World
from storage.migrate import migrate

_DATABASE = "porter.db"
_RSA_KEY = "mtproto_private.pem"


def seed_data(directory: Path) -> None:
    """An empty database of today's schema, where there is none: Porter would take a tenth of a second to make it."""
    _put(directory / _DATABASE, _migrated())


def seed_sandbox(directory: Path) -> None:
    """The sandbox's RSA key, where there is none."""
    _put(directory / _RSA_KEY, _rsa_key())


def agreed_key(world: World, account: Account) -> bytes:
    """An auth key of a session of that account at its home DC, as a login leaves it, without the arithmetic of one."""
    key = os.urandom(256)
    world.auth_keys[key_id(key)] = AuthKey(
        key, HOME_DC, salt=1, user=account.id, api_id=account.api_id, created=world.now()
    )
    return key


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(content)


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / _DATABASE
        path.touch(mode=0o600)
        migrate(path)
        return path.read_bytes()


@cache
def _rsa_key() -> bytes:
    with TemporaryDirectory() as directory:
        path = Path(directory) / _RSA_KEY
        RsaKey.load_or_create(path)
        return path.read_bytes()
