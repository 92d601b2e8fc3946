"""What checks of files share: modes, mounts, room. Blocking."""

import os
import re
import stat
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = re.compile(r"nfs|cifs|smb|fuse|9p|ceph|gluster|lustre|afs|davfs|vboxsf|prl_fs", re.IGNORECASE)
ESCAPED = re.compile(r"\\([0-7]{3})")
MIB = 1024 * 1024


def is_open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def tighten(path: Path) -> bool:
    """Nobody but the owner may read or write it from now on. False: it is not ours to change."""
    try:
        path.chmod(path.stat().st_mode & stat.S_IRWXU)
    except OSError:
        return False
    return True


def is_writable(folder: Path) -> bool:
    """By whoever asks, be that not the one who will run Porter. Nothing is written to find out."""
    is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    return not is_read_only and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)


def nearest(path: Path) -> Path:
    """The folder itself, else the closest one above it that is there: where it would be made."""
    path = path.absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that holds `path`, by the text of /proc/self/mountinfo."""
    path = path.resolve()
    found, longest = "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(ESCAPED.sub(lambda code: chr(int(code[1], 8)), before.split(" ")[4]))
        # Of two on the same point the later one covers the other.
        if path.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = after.split(" ")[0], len(point.parts)
    return found


def free_bytes(folder: Path) -> int | None:
    """None: the file system knows no sizes."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize if space.f_blocks else None


def size_words(size_bytes: int) -> str:
    for unit, size in (("GB", MIB * 1024), ("MB", MIB)):
        if size_bytes >= size:
            return f"{size_bytes / size:.1f} {unit}"
    return f"{size_bytes} bytes"
