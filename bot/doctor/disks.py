"""Where saved files go: the folder, the roots of NAS_ROOTS, the room on each disk."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot.doctor.case import Case, error, note, ok, some, warning
from bot.doctor.files import MIB, free_bytes, is_writable, nearest, size_words
from bot.doctor.findings import Finding
from services.targets import disk
from storage.models import RootSeal
from storage.roots import RootRepository
from storage.sources import SourceRepository

DATABASE_ROOM_BYTES = 100 * MIB
"""Below that the next upgrade's copy of the database, or the database itself, may not find room."""
CHOOSE_AGAIN = "If this is the right disk, choose the root once more in the chat (saved channel, Change, Folder)."


def downloads(case: Case) -> Iterator[Finding]:
    folder = case.settings.download_dir
    if not folder.is_dir():
        yield _made(case, folder)
    elif not is_writable(folder):
        what = f"DOWNLOAD_DIR ({folder}) cannot be written by this user."
        yield error("download-dir-not-writable", what, "Give it to the user that runs Porter, or mount it writable.")
    else:
        yield ok("download-dir", f"Files are saved to {folder}.")


def _made(case: Case, folder: Path) -> Finding:
    what = f"DOWNLOAD_DIR ({folder}) is not there."
    if folder.exists() or not is_writable(nearest(folder)):
        what = f"{what} It cannot be made either."
        return error("download-dir-not-writable", what, "Name a folder in DOWNLOAD_DIR that can be.")
    if case.fix:
        folder.mkdir(parents=True)
        return warning("download-dir-missing", what, "It was made. If it is a mount, mount it.", fixed=True)
    cure = "If it is a mount, mount it. Else nothing: Porter makes it when the first file comes."
    return note("download-dir-missing", what, cure)


async def seals(case: Case) -> AsyncIterator[Finding]:
    """What is known of the roots, for `roots`; and the roots that saved channels want and nobody names."""
    if not case.settings.nas_roots and case.opened is None:
        return
    case.seals = await RootRepository(case.database).all()
    wanted: dict[str, list[str]] = {}
    for source in await SourceRepository(case.database).all():
        if source.root is not None and source.root not in case.settings.nas_roots:
            wanted.setdefault(source.root, []).append(source.name)
    for root, names in wanted.items():
        what = f"NAS_ROOTS does not name the root '{root}', where {some(names)} should be saved."
        yield error(
            "root-unset", what, f"Add {root}=/its/mount/point to NAS_ROOTS, or choose another folder in the chat."
        )


def roots(case: Case) -> Iterator[Finding]:
    for name, path in case.settings.nas_roots.items():
        found = list(_root(case, name, path))
        yield from found or [ok("roots", f"The root '{name}' is the one that was agreed to ({path}).")]


def _root(case: Case, name: str, path: Path) -> Iterator[Finding]:
    here = f"The root '{name}' ({path})"
    try:
        root_fd = os.open(path, disk.OPEN_FOLDER)
    except OSError as refused:
        what = f"{here} cannot be opened: {refused.strerror}."
        yield error("root-missing", what, "Mount the disk, and see that it is mounted before Porter starts.")
        return
    try:
        if case.seals is not None:
            yield from _agreed(here, case.seals.get(name), disk.read_mark(root_fd), is_mount=disk.is_mount(root_fd))
    finally:
        os.close(root_fd)
    if not is_writable(path):
        what = f"{here} cannot be written by this user."
        yield error("root-not-writable", what, "Mount it writable, for the user that runs Porter.")


def _agreed(here: str, seal: RootSeal | None, mark: str | None, *, is_mount: bool) -> Iterator[Finding]:
    if seal is None:
        yield note(
            "root-not-agreed", f"{here} was not chosen by anybody yet.", "Choose it in the chat when it is wanted."
        )
    elif seal.is_mount and not is_mount:
        what = f"{here} is no mount any more: the disk is not there, and nothing is written."
        yield error("root-not-a-mount", what, "Mount the disk; runs go on by themselves.")
    elif mark is None:
        yield error(
            "root-mark-missing", f"{here} has lost its mark {disk.MARK_NAME}: nothing is written.", CHOOSE_AGAIN
        )
    elif mark != seal.mark:
        yield error("root-another-mark", f"{here} is another disk than the one that was agreed to.", CHOOSE_AGAIN)


def space(case: Case) -> Iterator[Finding]:
    """Each disk once, whatever lies on it. Roots that are not there have no disk."""
    settings = case.settings
    places = {"DATA_DIR": settings.data_dir, "DOWNLOAD_DIR": settings.download_dir}
    places |= {f"the root '{name}'": path for name, path in settings.nas_roots.items() if path.is_dir()}
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, path in places.items():
        there = nearest(path)
        disks.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    for there, names in disks.values():
        yield from _space(there, names, settings.reserve_mb * MIB)


def _space(there: Path, names: list[str], reserve_bytes: int) -> Iterator[Finding]:
    free = free_bytes(there)
    whose = " and ".join(names)
    if free is None:
        yield ok("disk-space", f"The disk of {whose} does not tell how much is free.")
        return
    what = f"{size_words(free)} are free on the disk of {whose}"
    saves = names != ["DATA_DIR"]
    if saves and free < reserve_bytes:
        words = f"{what}, less than RESERVE_MB ({size_words(reserve_bytes)}): saving waits."
        yield error("disk-full", words, "Make room there, move the folder to a larger disk, or lower RESERVE_MB.")
    elif "DATA_DIR" in names and free < DATABASE_ROOM_BYTES:
        yield error("disk-full", f"{what}: the database may soon find no room.", "Make room there.")
    else:
        yield ok("disk-space", f"{what}.")
