"""The worlds that the sandbox starts with, and how they are kept on disk."""

import asyncio
import json
import re
import stat
import time
from pathlib import Path

import pytest

from sandbox import persistence, scenarios
from sandbox.persistence import load, load_or_build, save, saved_world
from sandbox.scenarios import ADMIN, ARCHIVE, BOT, GROUP, NEWS, SECOND, SECOND_LINK, THIRD
from sandbox.world import AuthKey, Channel, Message, World, derived_bytes

MIB = 1024 * 1024
MB = 1_000_000
PINNED = (5_400_000_000_000_002, "568580a4")


def there(channel: Channel) -> list[Message]:
    return [message for message in channel.messages.values() if not message.deleted]


@pytest.fixture(scope="module")
def harbour() -> World:
    return scenarios.build("harbour")


@pytest.fixture(scope="module")
def jetty() -> World:
    return scenarios.build("jetty")


# What there is ----------------------------------------------------------------------------------------------------


def test_harbour_archive(harbour: World) -> None:
    """1,000 posts, some edited, with gaps; 120 documents of 150 MiB in all, exactly five over 5 MB, at two DCs."""
    archive = harbour.channels[ARCHIVE]
    posts = there(archive)
    assert len(posts) == 1000
    assert len(archive.messages) > 1000
    assert sum(message.edited is not None for message in posts) >= 20
    documents = [document for _, _, document in harbour.documents()]
    assert len(documents) == len({document.id for document in documents}) == 120
    assert sum(document.size for document in documents) == 150 * MIB
    assert sum(document.size > 5 * MB for document in documents) == 5
    assert sum(document.size > 5 * MIB for document in documents) == 5
    assert {document.dc_id for document in documents} == {2, 4}
    assert {document.name.rpartition(".")[2] for document in documents} == {"pdf", "zip", "jpg", "mp3"}
    assert len({document.name for document in documents}) < 120  # some names come twice


def test_harbour_people(harbour: World) -> None:
    """Three who log in, one of them without a password and one who is admin of nothing; the bot; 2,500 who wait."""
    admin, second, third, bot = (harbour.accounts[user_id] for user_id in (ADMIN, SECOND, THIRD, BOT))
    assert harbour.admin_id == ADMIN
    assert [account.id for account in harbour.accounts.values() if account.phone] == [ADMIN, SECOND, THIRD]
    assert admin.password
    assert third.password
    assert second.password is None
    assert len({account.api_hash for account in (admin, second, third)}) == 3
    assert all(channel.members[ADMIN].role == "creator" for channel in harbour.channels.values())
    assert {c.members[THIRD].role for c in harbour.channels.values() if THIRD in c.members} == {"member"}
    assert bot.token
    assert bot.token.startswith(f"{BOT}:")
    group = harbour.channels[GROUP]
    assert (group.members[BOT].role, group.may_invite(BOT), group.megagroup) == ("admin", True, True)
    assert len(group.requests) == 2500
    assert group.requests.keys() <= harbour.accounts.keys()
    assert harbour.channels[NEWS].username == "harbour_news"


def test_waiting_people_differ(harbour: World) -> None:
    """With and without name, bio, photo, premium; markup and right-to-left in names; two invite links and none."""
    waiting = [harbour.accounts[user_id] for user_id in harbour.channels[GROUP].requests]
    for has in (
        lambda a: a.username, lambda a: a.bio, lambda a: a.has_photo, lambda a: a.last_name,
        lambda a: a.premium, lambda a: a.scam, lambda a: a.fake,
    ):  # fmt: skip
        assert 0 < sum(bool(has(account)) for account in waiting) < 2500
    assert any("<b>" in account.first_name for account in waiting)
    assert any("\u0590" <= account.first_name[0] <= "\u06ff" for account in waiting)
    assert len({row.link for row in harbour.channels[GROUP].requests.values()}) == 3
    usernames = [account.username for account in waiting if account.username]
    assert len(usernames) == len(set(usernames))


def test_a_crowd_of_one_make(harbour: World) -> None:
    """180 of those who wait came within one hour of the clock by one link, alike but for digits; 12 are marked."""
    group = harbour.channels[GROUP]
    crowd = [row for row in group.requests.values() if harbour.accounts[row.user].name.startswith("Promo Girl")]
    people = [harbour.accounts[row.user] for row in crowd]
    assert len(people) == 180
    assert len({account.name for account in people}) == len({account.username for account in people}) == 180
    assert len({re.sub(r"\d+", "0", account.bio) for account in people}) == 1
    assert sum(account.scam or account.fake for account in people) == 12
    assert all(any(getattr(account, mark) for account in people) for mark in ("scam", "fake"))
    assert len({row.date // 3600 for row in crowd}) == 1
    assert {row.link for row in crowd} == {SECOND_LINK}


@pytest.mark.parametrize("page", [100, 200])
def test_equal_dates_lie_across_the_borders_of_pages(harbour: World, page: int) -> None:
    """The last row of each page and the first of the next one asked in the same second; they all lie in the past."""
    dates = sorted((row.date for row in harbour.channels[GROUP].requests.values()), reverse=True)
    assert all(dates[border - 1] == dates[border] for border in range(page, len(dates), page))
    assert len(set(dates)) > 2000
    assert time.time() - 7 * 86_400 < dates[-1] < dates[0] < time.time()


def test_jetty(jetty: World) -> None:
    """The same in small: 20 posts with 8 documents, one of several parts; 30 requests."""
    assert len(there(jetty.channels[ARCHIVE])) == 20
    sizes = sorted(document.size for _, _, document in jetty.documents())
    assert len(sizes) == 8
    assert sizes[-2] < MIB < 2 * MIB < sizes[-1]
    assert len(jetty.channels[GROUP].requests) == 30
    assert jetty.channels.keys() == {ARCHIVE, NEWS, GROUP}


@pytest.mark.parametrize("name", ["harbour", "jetty"])
def test_each_start_is_the_same(name: str) -> None:
    """Ids, names, texts, order and bytes do not change from start to start."""
    assert scenarios.build(name) == scenarios.build(name)


def test_bytes_follow_from_the_document() -> None:
    """Any range is the same part of the same file; two files differ."""
    whole = derived_bytes(7, 0, 100_000)
    assert derived_bytes(7, 12_345, 50_001) == whole[12_345:62_346]
    assert derived_bytes(8, 0, 100) != whole[:100]


def test_ids_and_bytes_are_pinned(jetty: World) -> None:
    """What scripts and screenshots rely on: a change here is a change for everybody."""
    first = next(document for _, _, document in jetty.documents())
    assert (first.id, jetty.document_bytes(first, 0, 4).hex()) == PINNED


# On disk ----------------------------------------------------------------------------------------------------------


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A world comes back whole: logins, chats, settings, uploaded bytes. Nobody else may read it."""
    world = load_or_build(tmp_path, "jetty")
    world.auth_keys[-(2**63)] = AuthKey(bytes(range(256)), 2, -(2**63), user=ADMIN, password_pending=None)
    document = world.new_document("upload.bin", "application/octet-stream", bytes(range(256)) * 3)
    world.send_private(BOT, ADMIN, ADMIN, text="/start", entities=[{"type": "bot_command", "offset": 0, "length": 6}])
    world.post(world.channels[GROUP], ADMIN, document=document)
    world.send_code(str(world.accounts[ADMIN].phone), 1)
    world.decide(world.channels[GROUP], next(iter(world.channels[GROUP].requests)), ADMIN, approve=True)
    world.clock_offset_s = 77
    save(world, tmp_path)
    again = load_or_build(tmp_path, "jetty")
    assert again == world
    assert again is not world
    assert again.document_bytes(document, 250, 10) == (bytes(range(256)) * 3)[250:260]
    assert stat.S_IMODE((tmp_path / persistence.WORLD_FILE).stat().st_mode) == 0o600


def test_other_scenario_starts_anew(tmp_path: Path) -> None:
    """Asked for another scenario, the sandbox forgets the first: uploads, too, whose ids come again."""
    world = load_or_build(tmp_path, "jetty")
    old = world.new_document("old", "text/plain", b"old")
    save(world, tmp_path)
    other = load_or_build(tmp_path, "harbour")
    assert other.scenario == "harbour"
    new = other.new_document("new", "text/plain", b"new")
    assert new.id == old.id
    save(other, tmp_path)
    again = load(tmp_path)
    assert again is not None
    assert again.blobs == {new.id: b"new"}


@pytest.mark.parametrize("content", ["", "{", '{"world": {"accounts": 1}}', "[]"])
def test_damaged_file(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be read is said so and replaced; nothing of its content is logged."""
    (tmp_path / persistence.WORLD_FILE).write_text(content)
    assert load_or_build(tmp_path, "jetty").scenario == "jetty"
    assert "cannot be read" in caplog.text


async def test_changes_are_written_while_it_runs(tmp_path: Path) -> None:
    """A change reaches the disk within about a second, and the last ones at the end."""
    path = tmp_path / persistence.WORLD_FILE
    async with saved_world(tmp_path, "jetty") as world:
        world.post(world.channels[GROUP], ADMIN, text="seen while running")
        async with asyncio.timeout(10):
            while not path.exists() or "seen while running" not in path.read_text():  # noqa: ASYNC110 - files tell nobody
                await asyncio.sleep(0.1)
        quiet = path.stat().st_mtime_ns
        await asyncio.sleep(1.5)
        assert path.stat().st_mtime_ns == quiet  # nothing changed, nothing is written
        world.post(world.channels[GROUP], ADMIN, text="seen at the end")
    assert "seen at the end" in path.read_text()
    assert json.loads(path.read_text())["world"]["scenario"] == "jetty"
    assert not (tmp_path / ".draft").exists()
