"""The local target: whole files or none, and nothing outside of its root."""

# ruff: noqa: ASYNC240 - a test may look at its own small disk

import asyncio
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clients.base import PART_BYTES
from services.errors import FolderInvalid, NotFound, TargetFull, TargetGone, TargetReadOnly, TargetUnavailable
from services.names import MAX_NAME_BYTES, folder_for, is_safe_folder, safe_name
from services.targets import Condition, LinkImpossible, Targets, check_folder
from services.targets.local import LocalTarget
from storage.models import Twin
from storage.roots import RootRepository
from tests.services.conftest import Store, as_root

TWO_PARTS = os.urandom(PART_BYTES) + os.urandom(1000)
HASHES = {n: hashlib.sha256(TWO_PARTS[n * PART_BYTES : (n + 1) * PART_BYTES]).digest() for n in (0, 1)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


@pytest.fixture
def target(root: Path) -> LocalTarget:
    return LocalTarget(root)


async def put(target: LocalTarget, name: str = "1 a.bin", folder: str = "news") -> bytes:
    async with target.incoming(folder, 7, len(TWO_PARTS)) as file:
        for number in (1, 0):
            part = TWO_PARTS[number * PART_BYTES : (number + 1) * PART_BYTES]
            assert await file.write(number, part) == HASHES[number]
        return await file.finish(folder, name)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def test_a_file_comes_whole(target: LocalTarget, root: Path) -> None:
    """Parts in any order; under its name only when it is whole; the hash is of what lies on disk."""
    before = descriptors()
    async with target.incoming("news/daily", 7, len(TWO_PARTS)) as file:
        await file.write(1, TWO_PARTS[PART_BYTES:])
        assert [path.name for path in (root / "news/daily").iterdir()] == [".porter-7.part"]
        await file.write(0, TWO_PARTS[:PART_BYTES])
        assert await file.finish("news/daily", "1 a.bin") == hashlib.sha256(TWO_PARTS).digest()
    assert [path.name for path in (root / "news/daily").iterdir()] == ["1 a.bin"]
    assert (root / "news/daily/1 a.bin").read_bytes() == TWO_PARTS
    assert descriptors() == before


async def test_what_is_left_is_proven_again(target: LocalTarget, root: Path) -> None:
    """After an interruption only parts whose bytes are really there count."""
    async with target.incoming("news", 7, len(TWO_PARTS)) as file:
        await file.write(0, TWO_PARTS[:PART_BYTES])
        await file.write(1, TWO_PARTS[PART_BYTES:])
    with (root / "news/.porter-7.part").open("r+b") as broken:
        broken.seek(PART_BYTES + 5)
        broken.write(b"broken")
    async with target.incoming("news", 7, len(TWO_PARTS)) as file:
        assert await file.verified(HASHES) == {0}


async def test_finding_a_whole_file(target: LocalTarget, root: Path) -> None:
    """Recognised by size and parts; another file of that name, a link or a directory is not."""
    sha256 = await put(target)
    assert await target.find("news", "1 a.bin", len(TWO_PARTS), HASHES) == sha256
    assert await target.find("news", "1 a.bin", len(TWO_PARTS) - 1, HASHES) is None
    assert await target.find("news", "1 a.bin", len(TWO_PARTS), {0: HASHES[0]}) is None
    assert await target.find("news", "2 b.bin", len(TWO_PARTS), HASHES) is None
    (root / "news/link").symlink_to(root / "news/1 a.bin")
    (root / "news/folder").mkdir()
    assert await target.find("news", "link", len(TWO_PARTS), HASHES) is None
    assert await target.find("news", "folder", len(TWO_PARTS), HASHES) is None
    assert await target.exists("news", "link")
    assert not await target.exists("news", "2 b.bin")


async def test_discarding(target: LocalTarget, root: Path) -> None:
    """What has come of a file goes, and going twice is no error."""
    async with target.incoming("news", 7, 10) as file:
        await file.write(0, b"0123456789")
    await target.discard("news", 7)
    await target.discard("news", 7)
    assert list((root / "news").iterdir()) == []


@pytest.mark.parametrize(
    "folder",
    [
        "",
        "/",
        "/etc",
        "..",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".",
        ".hidden",
        "a\x00b",
        "a\\b",
        "con",
        "x/" * 9 + "x",
        "a\n",
    ],
)
async def test_folders_that_lead_out(target: LocalTarget, root: Path, folder: str) -> None:
    """Refused by name, before anything is made."""
    with pytest.raises(FolderInvalid):
        check_folder(folder)
    with pytest.raises(FolderInvalid):
        await put(target, folder=folder)
    assert not root.exists()


async def test_links_are_not_followed(target: LocalTarget, root: Path, tmp_path: Path) -> None:
    """A link in the place of a folder or of the growing file leads nowhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root.mkdir()
    (root / "news").symlink_to(outside)
    with pytest.raises(FolderInvalid):
        await put(target)
    (root / "other").mkdir()
    (root / "other/.porter-7.part").symlink_to(outside / "stolen")
    with pytest.raises(FolderInvalid):
        await put(target, folder="other")
    assert list(outside.iterdir()) == []


async def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    """Where the operator points, there it is."""
    (tmp_path / "disk").mkdir()
    root.symlink_to(tmp_path / "disk")
    await put(LocalTarget(root))
    assert (tmp_path / "disk/news/1 a.bin").exists()


async def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """Named by the system's word."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises((TargetUnavailable, FolderInvalid)):
        await put(LocalTarget(tmp_path / "file"))
    with pytest.raises(TargetUnavailable) as gone:
        await put(LocalTarget(Path("/proc/porter")))
    assert gone.value.why == "ENOENT"


async def test_cancelled_writes_end_before_the_file_closes(target: LocalTarget) -> None:
    """Cancelling at any moment leaves no thread that writes to a descriptor of somebody else, and leaks none."""
    before = descriptors()
    for moment in range(30):
        task = asyncio.create_task(put(target, name=f"{moment} a.bin"))
        await asyncio.sleep(moment * 0.0004)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert descriptors() == before


# -- names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("CON.txt", "_CON.txt"),
        ("a\u202egnp.exe", "agnp.exe"),
        (".bashrc", "bashrc"),
        ("tab\tand\nline.txt", "tab and line.txt"),
        ("trailing. . ", "trailing"),
        ("...", ""),
    ],
)
def test_safe_names(name: str, safe: str) -> None:
    """Separators, control and direction characters, leading dots and reserved names are gone."""
    assert safe_name(name) == safe


@given(st.text(st.characters(), max_size=400))
def test_any_name_becomes_a_safe_one(name: str) -> None:
    """Whatever strangers call their files: one component, 143 bytes at most, the same when made safe again."""
    safe = safe_name(name)
    assert len(safe.encode()) <= MAX_NAME_BYTES
    assert not set(safe) & set('/\\\x00\n:*?"<>|')
    assert not safe.startswith(".")
    assert safe_name(safe) == safe
    assert is_safe_folder(folder_for(name))


def test_proposed_folders() -> None:
    """Lower case words with dashes, in any script; a title without a word gets a plain one."""
    assert folder_for("Tech News! ☕") == "tech-news"
    assert folder_for("Новости дня") == "новости-дня"
    assert folder_for("🙂") == folder_for("../..") == "channel"
    assert is_safe_folder(folder_for("CON"))


# -- space, links, checks


def twin(path: str, content: bytes = TWO_PARTS, sha256: bytes | None = None) -> Twin:
    return Twin(1, None, path, len(content), sha256 or hashlib.sha256(content).digest())


async def test_the_reserve_is_left_alone(root: Path) -> None:
    """A disk with less free space than the reserve gets nothing: no file is begun."""
    target = LocalTarget(root, reserve_bytes=1 << 60)
    with pytest.raises(TargetFull) as full:
        await put(target)
    assert full.value.why == "RESERVE"
    assert not any(path.is_file() for path in root.rglob("*"))
    with pytest.raises(TargetFull):
        await target.check()
    await LocalTarget(root).check()


async def test_a_second_name_for_a_file(target: LocalTarget, root: Path) -> None:
    """One inode under two names; once more is no error; another file's name is left to it."""
    await put(target)
    assert await target.link(twin("news/1 a.bin"), "other", "2 b.bin")
    assert (root / "other/2 b.bin").stat().st_ino == (root / "news/1 a.bin").stat().st_ino
    assert await target.link(twin("news/1 a.bin"), "other", "2 b.bin")
    (root / "other/3 c.bin").write_bytes(b"not ours")
    assert not await target.link(twin("news/1 a.bin"), "other", "3 c.bin")
    assert (root / "other/3 c.bin").read_bytes() == b"not ours"


@pytest.mark.parametrize("path", ["news/2 gone.bin", "nowhere/1 a.bin", "news/link", "news/folder"])
async def test_only_what_is_proven_is_linked(target: LocalTarget, root: Path, path: str) -> None:
    """Nothing there, a link, a folder: nothing is linked."""
    await put(target)
    (root / "news/link").symlink_to(root / "news/1 a.bin")
    (root / "news/folder").mkdir()
    with pytest.raises(LinkImpossible):
        await target.link(twin(path), "other", "2 b.bin")
    with pytest.raises(LinkImpossible):
        await target.link(twin("news/1 a.bin", sha256=bytes(32)), "other", "2 b.bin")
    assert not list(root.glob("other/*"))


async def test_links_to_another_disk(small_disk: Path) -> None:
    """Impossible, said as that; the caller fetches or keeps the file then."""
    target = LocalTarget(small_disk.parent, reserve_bytes=0)
    (small_disk / "1 a.bin").write_bytes(b"small")
    with pytest.raises(LinkImpossible):
        await target.link(twin(f"{small_disk.name}/1 a.bin", b"small"), "news", "2 b.bin")


async def test_checks_find_what_has_changed(target: LocalTarget, root: Path) -> None:
    """A flipped bit, a cut, a link or a folder in its place: damaged; nothing: missing. Nothing is made by looking."""
    sha256 = await put(target)
    size = len(TWO_PARTS)

    async def look(path: str = "news/1 a.bin") -> Condition:
        return await target.condition(path, size, sha256)

    assert await look() is Condition.INTACT
    assert await look("news/2 b.bin") is Condition.MISSING
    assert await look("nowhere/1 a.bin") is Condition.MISSING
    assert not (root / "nowhere").exists()
    file = root / "news/1 a.bin"
    with file.open("r+b") as damaged:
        damaged.seek(PART_BYTES + 3)
        damaged.write(bytes([TWO_PARTS[PART_BYTES + 3] ^ 1]))
    assert await look() is Condition.DAMAGED
    file.write_bytes(TWO_PARTS[:-1])
    assert await look() is Condition.DAMAGED
    file.unlink()
    file.symlink_to("/etc/passwd")
    assert await look() is Condition.DAMAGED
    file.unlink()
    assert await look() is Condition.MISSING


async def test_an_empty_root_has_lost_nothing(target: LocalTarget, root: Path) -> None:
    """A disk that is not mounted is not called a disk of missing files."""
    root.mkdir()
    with pytest.raises(TargetGone):
        await target.condition("news/1 a.bin", 5, bytes(32))


async def test_what_is_damaged_is_set_aside(target: LocalTarget, root: Path) -> None:
    """Never deleted, never over another one; what is gone already is no error."""
    for text in ("one", "two"):
        (root / "news").mkdir(parents=True, exist_ok=True)
        (root / "news/1 a.bin").write_text(text)
        await target.set_aside("news/1 a.bin")
    await target.set_aside("news/1 a.bin")
    assert {path.name: path.read_text() for path in (root / "news").iterdir()} == {
        "1 a.bin.damaged": "one",
        "1 a.bin.damaged1": "two",
    }


# -- roots of NAS_ROOTS


@pytest.fixture
async def nas(store: Store, tmp_path: Path) -> Targets:
    (tmp_path / "nas").mkdir()
    return Targets(tmp_path / "local", {"nas": tmp_path / "nas"}, RootRepository(store.database), reserve_bytes=0)


async def test_a_root_is_used_only_when_agreed(nas: Targets, store: Store, tmp_path: Path) -> None:
    """Before: not one byte, not even a folder. After, also in another process: by its mark."""
    root = tmp_path / "nas"
    (root / "old stuff").mkdir()
    look = await nas.look("nas")
    assert (look.entries, look.is_mount, look.is_known) == (1, False, False)
    with pytest.raises(TargetGone):
        await put(nas.of("nas"))
    assert [path.name for path in root.iterdir()] == ["old stuff"]
    await nas.use("nas")
    assert (await nas.look("nas")).is_known
    again = Targets(tmp_path / "local", {"nas": root}, RootRepository(store.database), reserve_bytes=0)
    await again.load()
    await put(again.of("nas"))
    assert (root / "news/1 a.bin").exists()
    assert (await again.look("nas")).entries == 2


@pytest.mark.parametrize("mark", [None, b"", b"0" * 32 + b"\n", b"nonsense", "link", "folder"])
async def test_a_root_without_its_mark(nas: Targets, tmp_path: Path, mark: bytes | str | None) -> None:
    """No mark, a torn one, one of another root, a link to a right one: nothing is written, nothing is made."""
    root = tmp_path / "nas"
    await nas.use("nas")
    right = (root / ".porter-root").read_bytes()
    (root / ".porter-root").unlink()
    if mark == "link":
        (tmp_path / "right").write_bytes(right)
        (root / ".porter-root").symlink_to(tmp_path / "right")
    elif mark == "folder":
        (root / ".porter-root").mkdir()
    elif isinstance(mark, bytes):
        (root / ".porter-root").write_bytes(mark)
    before = sorted(root.rglob("*"))
    for attempt in (
        put(nas.of("nas")),
        nas.of("nas").check(),
        nas.of("nas").exists("news", "1 a.bin"),
        nas.of("nas").discard("news", 7),
        nas.of("nas").condition("news/1 a.bin", 5, bytes(32)),
        nas.of("nas").link(twin("news/1 a.bin"), "other", "x"),
    ):
        with pytest.raises(TargetGone):
            await attempt
    assert sorted(root.rglob("*")) == before


async def test_a_root_that_is_not_there(nas: Targets, tmp_path: Path) -> None:
    """It is never made. One that NAS_ROOTS does not name any more is gone as well."""
    await nas.use("nas")
    (tmp_path / "nas").rename(tmp_path / "away")
    with pytest.raises(TargetGone):
        await put(nas.of("nas"))
    with pytest.raises(TargetGone):
        await nas.look("nas")
    assert not (tmp_path / "nas").exists()
    with pytest.raises(TargetGone):
        nas.of("other")
    with pytest.raises(NotFound):
        await nas.use("other")


async def test_two_porters_share_a_root(nas: Targets, tmp_path: Path, store: Store) -> None:
    """A mark that is there stays: agreeing to it breaks nobody else's."""
    (tmp_path / "nas/.porter-root").write_bytes(b"ab" * 16 + b"\n")
    await nas.use("nas")
    assert (tmp_path / "nas/.porter-root").read_bytes() == b"ab" * 16 + b"\n"
    assert (await RootRepository(store.database).all())["nas"].mark == "ab" * 16


async def test_a_file_system_that_is_unmounted(nas: Targets, small_disk: Path, store: Store, tmp_path: Path) -> None:
    """The empty mount point below gets not one byte and no folder, not even when somebody copies the mark there."""
    targets = Targets(tmp_path / "local", {"disk": small_disk}, RootRepository(store.database), reserve_bytes=0)
    assert (await targets.look("disk")).is_mount
    await targets.use("disk")
    await put(targets.of("disk"))
    mark = (small_disk / ".porter-root").read_bytes()
    as_root("umount", small_disk)
    with pytest.raises(TargetGone):
        await put(targets.of("disk"))
    assert list(small_disk.iterdir()) == []
    (small_disk / ".porter-root").write_bytes(mark)
    with pytest.raises(TargetGone):
        await put(targets.of("disk"))
    assert [path.name for path in small_disk.iterdir()] == [".porter-root"]


async def test_unmounted_while_a_file_grows(small_disk: Path, store: Store, tmp_path: Path) -> None:
    """Torn away in the middle of a file: what is still written goes to the disk that was there, never below it."""
    targets = Targets(tmp_path / "local", {"disk": small_disk}, RootRepository(store.database), reserve_bytes=0)
    await targets.use("disk")
    async with targets.of("disk").incoming("news", 7, len(TWO_PARTS)) as file:
        await file.write(0, TWO_PARTS[:PART_BYTES])
        as_root("umount", "--lazy", small_disk)
        await file.write(1, TWO_PARTS[PART_BYTES:])
        with pytest.raises(TargetGone):
            await file.finish("news", "1 a.bin")
    assert list(small_disk.iterdir()) == []


async def test_a_disk_that_fills_up(small_disk: Path) -> None:
    """What is too large is not begun; what others fill meanwhile stops the write; with room again it goes on."""
    target = LocalTarget(small_disk, reserve_bytes=0)
    with pytest.raises(TargetFull):
        async with target.incoming("news", 7, 64 * PART_BYTES):
            raise AssertionError
    assert list((small_disk / "news").iterdir()) == []
    async with target.incoming("news", 7, len(TWO_PARTS)) as file:
        await file.write(0, TWO_PARTS[:PART_BYTES])
        (small_disk / "filler").write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))
        with pytest.raises(TargetFull):
            await file.write(1, TWO_PARTS[PART_BYTES:])
    (small_disk / "filler").unlink()
    async with target.incoming("news", 7, len(TWO_PARTS)) as file:
        assert await file.verified(HASHES) == {0}
        await file.write(1, TWO_PARTS[PART_BYTES:])
        await file.finish("news", "1 a.bin")
    assert (small_disk / "news/1 a.bin").read_bytes() == TWO_PARTS


async def test_a_disk_that_is_read_only(small_disk: Path) -> None:
    """Said as that, before a file is begun."""
    as_root("mount", "-o", "remount,ro", small_disk)
    target = LocalTarget(small_disk, reserve_bytes=0)
    for attempt in (put(target), target.check()):
        with pytest.raises(TargetReadOnly):
            await attempt
