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
from services.errors import FolderInvalid, TargetUnavailable
from services.names import MAX_NAME_BYTES, folder_for, is_safe_folder, safe_name
from services.targets import LocalTarget, check_folder

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
