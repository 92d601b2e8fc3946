"""The keys that open what is sealed: given, right, and out of other people's reach."""

import os
from collections.abc import AsyncIterator, Iterator

from bot.doctor.case import Case, NotLooked, error, note, ok, warning
from bot.doctor.files import is_open_to_others, tighten
from bot.doctor.findings import Finding
from storage import keys
from storage.errors import KeyInvalid, KeyMissing, KeyWrong
from storage.vault import Vault, key_ring

CONTAINER_SECRETS = "/run/secrets"
"""There a container has its secrets, readable by all users of it: there is but one."""
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
        yield error(
            "key-invalid", f"{_sentence(refused)}.", "Give one key: 32 bytes as base64 (openssl rand -base64 32)."
        )
    for file in (config.default_key_file, config.master_key_file):
        if file is None or not file.exists() or str(file.absolute()).startswith(CONTAINER_SECRETS):
            continue
        if is_open_to_others(file):
            fixed = case.fix and file.stat().st_uid == os.geteuid() and tighten(file)
            what = f"Other users of this machine may read the key file {file}."
            yield warning("key-file-open", what, f"chmod 600 {file}", fixed=fixed)
    given = (config.master_key, config.master_key_file, config.master_passphrase) != (None, None, None)
    if not given and config.default_key_file.exists():
        what = f"The key {config.default_key_file.name} lies beside the database: who copies the folder has both."
        cure = "Move it to a file outside of DATA_DIR and set MASTER_KEY_FILE to that (docs/operations.md, Keys)."
        yield warning("key-beside-database", what, cure)
    yield ok("key-files", "The key comes from the settings." if given else "The key comes from DATA_DIR.")


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
