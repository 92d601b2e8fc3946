"""The keys that open what is sealed: given, right, and out of other people's reach."""

import os
from collections.abc import AsyncIterator, Iterator

from bot.doctor.case import Case, NotLooked, error, note, ok, warning
from bot.doctor.files import is_open_to_others, tighten
from bot.doctor.findings import Finding
from storage import keys
from storage.errors import KeyInvalid, KeyMissing, KeyWrong
from storage.keys import KeyConfig
from storage.vault import Vault, key_ring

CONTAINER_SECRETS = "/run/secrets"
"""There a container has its secrets, readable by all users of it: there is but one."""
MANUAL = "docs/operations.md, Keys"
INVALID = "no valid key is given"


def files(case: Case) -> Iterator[Finding]:
    """Blocking: the files alone. Whether a key is the right one, `ring` says."""
    config = case.settings.keys
    try:
        keys.check_one_way(config)
        if config.master_passphrase is None:
            keys.given_keys(config)
    except KeyInvalid as refused:
        case.no_keys = INVALID
        cure = "Give one key: 32 bytes as base64 (openssl rand -base64 32)."
        yield error("key-invalid", f"{_sentence(refused)}.", cure)
    for file in (config.default_key_file, config.master_key_file):
        if file is None or not file.exists() or str(file.absolute()).startswith(CONTAINER_SECRETS):
            continue
        if is_open_to_others(file):
            fixed = case.fix and file.stat().st_uid == os.geteuid() and tighten(file)
            what = f"Other users of this machine may read the key file {file}."
            yield warning("key-file-open", what, f"chmod 600 {file}", fixed=fixed)
    yield from _beside(config)
    yield ok("key-files", "The places of keys were looked at.")


def _beside(config: KeyConfig) -> Iterator[Finding]:
    data_dir = config.default_key_file.parent.resolve()
    given = (config.master_key, config.master_key_file, config.master_passphrase) != (None, None, None)
    check = "key-beside-database"
    if config.master_key_file is not None and config.master_key_file.resolve().is_relative_to(data_dir):
        what = f"MASTER_KEY_FILE ({config.master_key_file}) lies in DATA_DIR: who copies the folder has lock and key."
        yield warning(check, what, "Move the file out of DATA_DIR, and set MASTER_KEY_FILE to where it is then.")
    elif config.default_key_file.exists() and not given:
        what = f"The key {config.default_key_file.name} lies beside the database: who copies the folder has both."
        yield warning(check, what, f"Move it out of DATA_DIR and set MASTER_KEY_FILE to where it is then ({MANUAL}).")
    elif config.default_key_file.exists():
        what = f"The settings give a key, but {config.default_key_file.name} still lies beside the database."
        yield warning(check, what, f"If Porter starts well with that key, move the file to a safe place ({MANUAL}).")


async def ring(case: Case) -> AsyncIterator[Finding]:
    if case.no_keys == INVALID:
        raise NotLooked(INVALID)
    case.no_keys = "the keys do not open the database"
    put_back = "Put the key back that Porter used until now (a backup has it too)."
    try:
        found = await key_ring(case.database, case.settings.keys)
    except KeyMissing as refused:
        yield error("key-missing", f"{_sentence(refused)}.", put_back)
    except KeyWrong as refused:
        yield error("key-wrong", f"{_sentence(refused)}.", put_back)
    else:
        if found is None:
            case.no_keys = "nothing is sealed yet"
            yield note("key", "Nothing is sealed yet.", "Start Porter: it makes a key where none is given.")
            return
        case.ring = Vault(found)
        yield ok("key", f"The database opens with what is given: {len(found)} key{'s' if len(found) != 1 else ''}.")


def _sentence(refused: Exception) -> str:
    text = str(refused)
    return text[0].upper() + text[1:]
