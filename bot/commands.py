"""What an operator does at the terminal: rekey, backup, restore, clear-pin. Results on stdout, progress on stderr.

Raises PorterError, SettingsInvalid and OSError; bot/__main__.py makes one line of them.
"""

import getpass
import sys
import time
from pathlib import Path

from bot.lock import hold_lock
from bot.settings import Settings, SettingsInvalid, load_backup_passphrase
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.backup import DATABASE, back_up
from storage.database import Database
from storage.errors import NothingToBackUp
from storage.models import AuditOutcome, AuditVerb
from storage.pins import remove_pin
from storage.rekey import RekeyProgress, rekey
from storage.restore import finish, restore
from storage.vault import open_vault

TELL_SECONDS = 1.0
SHORTEST_PASSPHRASE = 8


async def run_rekey(settings: Settings) -> None:
    """Porter must be off: one that runs with the old key alone could not read what the new one seals."""
    with hold_lock(settings.data_dir):
        finish(settings.data_dir)
        path = settings.data_dir / DATABASE
        if not path.exists():
            raise NothingToBackUp("there is no database in DATA_DIR")
        async with Database.open(path) as database:
            vault = await open_vault(database, settings.keys)
            moved = await rekey(database, vault, _Teller())
    if moved:
        print(f"{moved} sealed values moved to the newest key. The older keys may be dropped now.")
    else:
        print("The newest key seals everything already. Older keys may be dropped.")


async def run_backup(settings: Settings, file: Path, *, force: bool) -> None:
    """Porter may go on running."""
    with hold_lock(settings.data_dir, "backup.lock", "another backup of this DATA_DIR is being made"):
        passphrase = _passphrase(twice=True)
        size = await back_up(settings.data_dir / DATABASE, settings.keys, file, passphrase, force=force)
    print(f"{file}: {size} bytes. It holds the database and its keys; saved files are not in it. Keep the passphrase.")


async def run_restore(settings: Settings, file: Path, *, force: bool) -> None:
    with hold_lock(settings.data_dir):
        passphrase = _passphrase(twice=False)
        restored = await restore(file, settings.data_dir, settings.keys, passphrase, force=force)
    print(
        f"Restored the backup of {restored.made_at:%Y-%m-%d %H:%M} UTC. Stop the old Porter, then start this one: "
        "its accounts rest until an owner says in the chat that the old one is off."
    )


async def run_clear_pin(settings: Settings, user_id: int) -> None:
    """Porter may go on running: it looks at the database each time. The audit says that it was done here."""
    path = settings.data_dir / DATABASE
    if not path.exists():
        raise NothingToBackUp("there is no database in DATA_DIR")
    async with Database.open(path) as database:
        removed = await remove_pin(database, user_id)
        if removed:
            admin = await AdminRepository(database).get(user_id)
            name = admin.name if admin else str(user_id)
            await AuditRepository(database).add(None, "terminal", AuditVerb.PIN_REMOVE, AuditOutcome.DONE, name, {})
    print(f"The PIN of {user_id} is gone." if removed else f"{user_id} has no PIN.")


class _Teller:
    """Progress of rekey: at most one line a second, and the last one."""

    def __init__(self) -> None:
        self._told_at = 0.0

    def __call__(self, progress: RekeyProgress) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS or progress.looked == progress.total:
            self._told_at = now
            print(f"rekey: {progress.looked} of {progress.total} values, {progress.moved} moved", file=sys.stderr)


def _passphrase(*, twice: bool) -> str:
    """From BACKUP_PASSPHRASE, else asked without echo. `twice`: for a new file, where a slip would lock it for good."""
    given = load_backup_passphrase()
    if given is None and not sys.stdin.isatty():
        raise SettingsInvalid("BACKUP_PASSPHRASE is missing, and there is no terminal to ask at")
    passphrase = given if given is not None else getpass.getpass("Passphrase of the backup: ")
    if twice and len(passphrase) < SHORTEST_PASSPHRASE:
        raise SettingsInvalid(f"the passphrase of a backup has at least {SHORTEST_PASSPHRASE} characters")
    if twice and given is None and getpass.getpass("Once more: ") != passphrase:
        raise SettingsInvalid("the two passphrases differ")
    return passphrase
