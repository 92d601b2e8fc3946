"""The root of every error that Porter raises on purpose, and the leaves that storage raises.

    PorterError
    └── StorageError
        ├── DatabaseTooNew          written by a newer Porter: refused, nothing touched
        ├── DatabaseDamaged         SQLite cannot read the file: refused, nothing touched
        ├── NoRoom                  an upgrade would fill the disk: refused, nothing touched
        ├── ForeignDatabase         belongs to another bot or another network
        ├── VaultError
        │   ├── KeyMissing          ciphertext there, no key given: refused, nothing touched
        │   ├── KeyInvalid          a key that cannot be one (length, base64, unreadable file)
        │   ├── KeyWrong            a key that did not seal this database
        │   └── CiphertextInvalid   damaged, or moved from another row
        ├── BackupError             of the operator's commands, never met in a chat
        │   ├── NothingToBackUp     no database, or one that holds nothing yet
        │   ├── NotABackup          not our format, or of a newer Porter
        │   ├── PassphraseWrong
        │   ├── BackupDamaged       a chunk does not open, or the end is missing
        │   └── PlaceTaken          something stands where a backup or a restored database would
        ├── NameTaken               a unique name is in use
        ├── AccountTaken            this account or this auth key is stored already; carries the session's name
        ├── RowMissing              a secret was asked of a row that is gone
        ├── RowInUse                deletion refused: other rows point here
        ├── LastOwner               nobody would own this Porter any more: refused
        ├── AlreadyActive           this kind of run is under way for this subject
        └── SetGrown                more people are meant than were shown

Errors carry data, never a text for users and never a secret. Texts stand in handlers/texts.
"""

MIB = 1024 * 1024


class PorterError(Exception):
    """Root of the tree. Whatever is not a PorterError is a defect and is shown as one."""


class StorageError(PorterError):
    pass


class DatabaseTooNew(StorageError):
    def __init__(self, found: str, known: str) -> None:
        super().__init__(f"database schema {found} is newer than this Porter, which knows {known}")
        self.found = found
        self.known = known


class DatabaseDamaged(StorageError):
    def __init__(self, name: str) -> None:
        super().__init__(f"SQLite cannot read {name}: it is damaged, or no database. Restore a backup")
        self.name = name


class NoRoom(StorageError):
    def __init__(self, needed_bytes: int, free_bytes: int) -> None:
        needed, free = (-(-size // MIB) for size in (needed_bytes, free_bytes))
        super().__init__(f"the database must be upgraded, which takes {needed} MB beside it; {free} MB are free")
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class ForeignDatabase(StorageError):
    def __init__(self, what: str, stored: str, current: str) -> None:
        super().__init__(f"this database belongs to {what} {stored}, not {current}")
        self.what = what
        self.stored = stored
        self.current = current


class VaultError(StorageError):
    pass


class KeyMissing(VaultError):
    pass


class KeyInvalid(VaultError):
    pass


class KeyWrong(VaultError):
    pass


class CiphertextInvalid(VaultError):
    def __init__(self, table: str, column: str, row_id: int) -> None:
        super().__init__(f"{table}.{column} of row {row_id} cannot be opened: damaged, or moved from another row")
        self.table = table
        self.column = column
        self.row_id = row_id


class BackupError(StorageError):
    pass


class NothingToBackUp(BackupError):
    pass


class NotABackup(BackupError):
    pass


class PassphraseWrong(BackupError):
    pass


class BackupDamaged(BackupError):
    pass


class PlaceTaken(BackupError):
    pass


class NameTaken(StorageError):
    def __init__(self, table: str, name: str) -> None:
        super().__init__(f"{table}: the name is taken")
        self.table = table
        self.name = name


class AccountTaken(StorageError):
    """`name`: what the session that holds this account (or this auth key) is called."""

    def __init__(self, name: str) -> None:
        super().__init__("sessions: the account is stored already")
        self.name = name


class RowMissing(StorageError):
    def __init__(self, table: str, row_id: int) -> None:
        super().__init__(f"{table}: no row {row_id}")
        self.table = table
        self.row_id = row_id


class RowInUse(StorageError):
    """Deletion refused. `used_by` holds the names of what uses the row."""

    def __init__(self, table: str, row_id: int, used_by: list[str]) -> None:
        super().__init__(f"{table} {row_id} is in use by {len(used_by)} others")
        self.table = table
        self.row_id = row_id
        self.used_by = used_by


class LastOwner(StorageError):
    pass


class AlreadyActive(StorageError):
    """Carries the id of the run that is under way."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"run {run_id} is active for this subject already")
        self.run_id = run_id


class SetGrown(StorageError):
    """Those who are meant are more than whoever said yes was shown."""
