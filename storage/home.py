"""Where a database lives: a copy of it beside the original looks the same and has the same auth keys, but is another
file. Its inode and the id of its file system stand in `meta` since its first start.

Both outlive restarts, new containers on the same volume, migrations, VACUUM and a rename of the folder. Where they
change without a copy (a file system that makes numbers up at each mount), an owner is asked once too often.
"""

import asyncio
import os
from pathlib import Path

from sqlalchemy import delete

from storage import meta
from storage.database import Database
from storage.models import RestReason
from storage.restored import RestoredRepository, put_mark, skip_ids
from storage.schema import leases
from storage.types import Clock, utc_now

HOME = "home"


async def settle(database: Database, *, clock: Clock = utc_now) -> bool:
    """From now on this is its home. True: it was used at another one before, and is marked (storage/restored.py)."""
    here = await asyncio.to_thread(_place, database.path)
    async with database.read() as connection:
        stored = await meta.get(connection, HOME)
    if stored == here:
        return False
    if stored is not None and await RestoredRepository(database).get() is None:
        await skip_ids(database)
    async with database.write() as connection:
        await meta.put(connection, HOME, here)
        if stored is None:
            return False
        await put_mark(connection, RestReason.COPIED, clock())
        # Whose leases came along uses the other file, and will never be seen here again.
        await connection.execute(delete(leases))
    return True


def _place(path: Path) -> bytes:
    return f"{path.stat().st_ino}@{os.statvfs(path).f_fsid}".encode()
