"""DATA_DIR and what lies in it: the folder, the database, leftovers; then what the database says of itself."""

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.doctor.case import Case, NotLooked, error, note, ok, some, warning
from bot.doctor.files import (
    MIB,
    MOUNTS,
    NETWORK,
    file_system,
    is_open_to_others,
    is_writable,
    nearest,
    size_words,
    tighten,
)
from bot.doctor.findings import Finding
from bot.lock import hold_lock
from services.errors import AnotherPorter
from storage import meta
from storage.admins import AdminRepository
from storage.backup import DATABASE, KEYS, SCRATCH
from storage.errors import PorterError
from storage.looking import FileLook, look_at, open_to_look
from storage.migrate import HEAD, known_revisions, migrate
from storage.models import RestReason, Role
from storage.restore import PLACING, READY, STAGED
from storage.restored import RestoredRepository

OLD = timedelta(days=30)
LARGE_BYTES = 100 * MIB
RESTORE = "Restore a backup (python -m bot restore), or take a copy of this DATA_DIR and ask for help with that."
RESTED = {
    RestReason.BACKUP: "This database was restored from a backup",
    RestReason.COPIED: "This database was copied or moved here",
    RestReason.CONTESTED: "Another process used this bot's token",
}


def folder(case: Case) -> Iterator[Finding]:
    data_dir = case.settings.data_dir
    if not data_dir.is_dir():
        yield _missing(case, data_dir)
        if not data_dir.is_dir():
            case.no_database = "DATA_DIR is not there"
            return
    owner = data_dir.stat().st_uid
    if owner != os.geteuid():
        what = f"DATA_DIR belongs to user {owner}, but user {os.geteuid()} asks, whose rights are told here."
        yield note("another-user", what, "Ask as the user that runs Porter.")
    if not is_writable(data_dir):
        what = f"DATA_DIR ({data_dir}) cannot be written by this user."
        yield error("data-dir-not-writable", what, "Give it to the user that runs Porter, or mount it writable.")
    else:
        yield from _foreign_files(data_dir)
    if is_open_to_others(data_dir):
        fixed = case.fix and tighten(data_dir)
        what = f"Other users of this machine may look into DATA_DIR ({data_dir})."
        yield warning("data-dir-open", what, f"chmod 700 {data_dir}", fixed=fixed)
    yield from _open_files(case, data_dir)
    kind = file_system(data_dir, MOUNTS.read_text())
    if NETWORK.match(kind):
        what = f"DATA_DIR lies on a file system of a network or in user space ({kind}), where SQLite's locks may lie."
        yield warning("data-dir-network", what, "Move DATA_DIR to a local disk; saved files may stay where they are.")
    yield ok("data-dir", f"DATA_DIR is {data_dir}.")


def _missing(case: Case, data_dir: Path) -> Finding:
    cure = "If Porter has run before, mount or name the right folder. Else its first start makes it."
    what = f"DATA_DIR ({data_dir}) is not there."
    if data_dir.exists() or not is_writable(nearest(data_dir)):
        return error("data-dir-missing", f"{what} It cannot be made either.", "Name a folder in DATA_DIR that can be.")
    if case.fix:
        data_dir.mkdir(mode=0o700, parents=True)
        cure = "It was made, empty. If Porter has run before, mount or name the right folder."
    return warning("data-dir-missing", what, cure, fixed=case.fix)


def _foreign_files(data_dir: Path) -> Iterator[Finding]:
    """What a command that was run as root has left, for example."""
    needs = {data_dir / KEYS: os.R_OK}
    files = [file for file in sorted(data_dir.glob("porter.*")) if ".before-" not in file.name]
    closed = [file for file in files if not os.access(file, needs.get(file, os.R_OK | os.W_OK), effective_ids=True)]
    if closed:
        what = f"This user cannot read and write {some([str(file) for file in closed])}."
        yield error("data-file-not-writable", what, "Give the files to the user that runs Porter (chown).")


def _open_files(case: Case, data_dir: Path) -> Iterator[Finding]:
    for file in sorted(data_dir.glob(f"{DATABASE}*")):
        if is_open_to_others(file):
            fixed = case.fix and tighten(file)
            what = f"Other users of this machine may read {file}."
            yield warning("database-open", what, f"chmod 600 {file}", fixed=fixed)


def file(case: Case) -> Iterator[Finding]:
    """Whether it can be opened at all, by this Porter. Whoever reads rows comes later."""
    path = case.settings.data_dir / DATABASE
    if not path.exists():
        if case.no_database.startswith("the database"):
            case.no_database = "there is no database yet"
        yield note("database-missing", f"There is no database in {path.parent}.", "Start Porter: it makes one.")
        return
    case.no_database = "the database cannot be read"
    seen = look_at(path)
    if seen.damage is not None:
        case.no_database = "the database is damaged"
        yield error("database-damaged", f"SQLite finds the database damaged: {_line(seen.damage)}.", RESTORE)
        return
    if seen.orphans:
        what = f"Rows without what they belong to stand in {some(list(seen.orphans))}."
        yield error("database-orphans", what, RESTORE)
    yield from _schema(case, path, seen)


async def opening(case: Case) -> AsyncIterator[Finding]:
    """For all who read rows."""
    if case.no_database:
        return
    case.no_database = "the database could not be opened"
    looked_at = open_to_look(case.settings.data_dir / DATABASE)
    case.opened = await case.stack.enter_async_context(looked_at)
    async with case.opened.read() as connection:
        await meta.get(connection, "bot_id")
    yield ok("database", "Its rows can be read.")


def _schema(case: Case, path: Path, seen: FileLook) -> Iterator[Finding]:
    if seen.revision is None and not seen.is_empty:
        case.no_database = "the database is another program's"
        yield error("database-foreign", f"{path} belongs to another program.", "Set DATA_DIR to Porter's own folder.")
    elif seen.revision not in (HEAD, None) and seen.revision not in known_revisions():
        case.no_database = "the database is newer than this Porter"
        what = f"The database has schema {seen.revision}, which is newer than this Porter's {HEAD}."
        yield error("database-newer", what, "Install that newer Porter again, or restore a backup of this one.")
    elif seen.revision != HEAD:
        yield _migrated(case, path, seen)
    else:
        case.no_database = ""
        yield ok("database-file", f"SQLite finds the database whole; its schema is {HEAD}.")


def _migrated(case: Case, path: Path, seen: FileLook) -> Finding:
    found = "is empty" if seen.is_empty else f"has schema {seen.revision}"
    what = f"The database {found}, this Porter's schema is {HEAD}."
    cure = "Start Porter: it keeps a copy and brings the database up to date (--fix does it while Porter is off)."
    case.no_database = "the database is older than this Porter"
    if case.fix and path.stat().st_uid != os.geteuid():  # what it makes would be out of Porter's reach
        return warning("migrations-pending", what, f"Ask as the user that runs Porter. {cure}")
    if not case.fix or (path.parent / READY).exists() or (path.parent / PLACING).exists():
        return warning("migrations-pending", what, cure)
    try:
        with hold_lock(path.parent):
            migrate(path)
    except AnotherPorter:
        return warning("migrations-pending", f"{what} A Porter uses it.", f"Stop that Porter. {cure}")
    except PorterError as refused:
        return error("migrations-pending", f"{what} It was not changed: {refused}.", "Mend that, then start Porter.")
    case.no_database = ""
    done = f"It was brought up to date. As it was it stays in {DATABASE}.before-{HEAD}."
    return warning("migrations-pending", what, "It was made up to date." if seen.is_empty else done, fixed=True)


def _line(damage: str) -> str:
    """SQLite's report has a heading and several lines."""
    lines = [line for line in damage.splitlines() if not line.startswith("***")]
    return " ".join(lines)[:200].rstrip(".")


def leftovers(case: Case) -> Iterator[Finding]:
    data_dir = case.settings.data_dir
    if not data_dir.is_dir():
        raise NotLooked("DATA_DIR is not there")
    for name in (READY, PLACING):
        if (data_dir / name).exists():
            what = f"A restore was not carried to its end ({data_dir / name})."
            yield warning("restore-unfinished", what, "Start Porter: its first step ends the restore.")
    for name in (STAGED, SCRATCH):
        if (data_dir / name).exists() and not case.runs_here:
            what = f"A backup or restore that was killed left {data_dir / name}."
            yield note("scratch-left", what, "Nothing to do: the next backup or restore clears it. Or delete it.")
    yield from _kept(case, data_dir)


def _kept(case: Case, data_dir: Path) -> Iterator[Finding]:
    places = [*data_dir.glob(f"{DATABASE}.before-*"), *data_dir.glob("before-restore-*")]
    old = [place for place in places if case.clock() - datetime.fromtimestamp(place.stat().st_mtime, UTC) > OLD]
    if not old:
        yield ok("leftovers", f"Copies of earlier states: {len(places)}." if places else "Nothing is left over.")
        return
    size_bytes = sum(_size(place) for place in old)
    what = f"Copies from before upgrades and restores are older than {OLD.days} days and take {size_words(size_bytes)}."
    cure = f"If Porter works as it should, delete {some([str(place) for place in sorted(old)])}."
    yield (warning if size_bytes >= LARGE_BYTES else note)("snapshots-old", what, cure)


def _size(place: Path) -> int:
    files = place.rglob("*") if place.is_dir() else [place]
    return sum(file.stat().st_size for file in files if file.is_file())


async def identity(case: Case) -> AsyncIterator[Finding]:
    async with case.database.read() as connection:
        bot_id, network = await meta.get(connection, "bot_id"), await meta.get(connection, "network")
    if bot_id is not None and bot_id.decode() != str(case.settings.bot_id):
        what = f"The database belongs to bot {bot_id.decode()}, BOT_TOKEN is of bot {case.settings.bot_id}."
        yield error("database-of-another-bot", what, "Set BOT_TOKEN to that bot's, or DATA_DIR to this bot's folder.")
    if network is not None and network.decode() != case.settings.network:
        what = f"The database is of the network '{network.decode()}', the settings lead to '{case.settings.network}'."
        cure = "Give each Telegram a DATA_DIR of its own: look at MTPROTO_SERVER and DATA_DIR."
        yield error("database-of-another-telegram", what, cure)
    yield ok("identity", f"The settings are of bot {case.settings.bot_id}, network '{case.settings.network}'.")


async def owners(case: Case) -> AsyncIterator[Finding]:
    """ADMIN_IDS count before the first start as well."""
    stored = [] if case.opened is None else await AdminRepository(case.opened).all()
    owning = [admin for admin in stored if admin.role is Role.OWNER]
    if not case.settings.admin_ids and not owning:
        what = "Nobody owns this Porter: ADMIN_IDS is empty, and nobody has used the claim link."
        yield warning(
            "no-owner", what, "Set ADMIN_IDS to your Telegram user id, or open the link that Porter's log shows."
        )
        return
    for admin in owning:
        if admin.unreachable_at is not None:
            what = f"The bot cannot write to the owner {admin.user_id} ({admin.name})."
            yield warning("owner-unreachable", what, "Let them open the bot in Telegram and press Start.")
    count = len({*case.settings.admin_ids, *(admin.user_id for admin in owning)})
    yield ok("owners", f"{count} owner{'s' if count != 1 else ''}.")


async def rest(case: Case) -> AsyncIterator[Finding]:
    restored = await RestoredRepository(case.database).get()
    if restored is None:
        yield ok("rest", "No account rests because of another Porter.")
        return
    what = f"{RESTED[restored.why]}: its accounts rest until an owner says that the other Porter is off."
    yield warning(
        "waits-for-owner", what, "Stop the other Porter, then answer the question in the bot's chat (/start)."
    )
