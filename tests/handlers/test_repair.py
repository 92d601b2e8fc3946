"""A dead session through the chat: told once, repaired with one tap, or left for another session."""

import hashlib
import re
from typing import Any

import pytest

from sandbox import walks
from sandbox.scenarios import ADMIN, SECOND
from services.clients.base import PART_BYTES
from services.errors import AlreadyActive
from storage.models import RunKind, RunStatus
from tests.play import Play

NOTICE = r"was signed out at \d\d:\d\d"


async def notices(play: Play, account_id: int) -> list[str]:
    messages = await play.actor(account_id).bot_messages()
    return [message["text"] for message in messages if re.search(NOTICE, message["text"])]


async def sign_in_again(play: Play) -> None:
    """From the notice to the end: one tap beside code and password."""
    await play.admin.press("Sign in again")
    await play.admin.wait_for("Tap it here")
    await walks.tap_code(play.admin, await walks.newest_code(play.admin))
    await play.admin.wait_for("cloud password")
    await play.admin.send(play.account["password"])


async def source_id(play: Play) -> int:
    cards = await play.house.sources.all()
    return int(cards[0].source.id)


@pytest.fixture
async def saved(play: Play) -> Play:
    """The admin's account with one saved channel."""
    await walks.log_in(play.admin, play.account)
    await walks.add_source(play.admin, play.private.title, "Every hour")
    return play


async def die(play: Play) -> dict[str, Any]:
    """The account is revoked, and the watch comes by."""
    await play.driver.revoke(ADMIN)
    await play.house.watch.check_next()
    return await play.admin.wait_for(NOTICE)


async def test_every_owner_is_told_once(saved: Play) -> None:
    """One check later its saved channels wait, and each owner has one message, whoever else finds it dead."""
    await saved.close()
    saved.settings = saved.settings.model_copy(update={"admin_ids": (ADMIN, SECOND)})
    await saved.actor(SECOND).send("/start")
    await saved.open()
    colleague = saved.actor(SECOND)
    await colleague.wait_for("Porter")
    before = len(await colleague.bot_messages())
    notice = await die(saved)
    assert "1 saved channel waits, nothing is lost" in notice["text"]
    await saved.house.watch.check_next()
    await saved.admin.send("/sessions")
    await saved.admin.wait_for("Accounts · 1")
    await saved.admin.press(re.compile("🔴"))
    await saved.admin.wait_for("1 saved channel waits")
    await saved.admin.press("Check now")
    await saved.restart()
    assert [len(await notices(saved, each)) for each in (ADMIN, SECOND)] == [1, 1]
    assert len(await colleague.bot_messages()) == before + 1, "and nothing else"


async def test_the_taps_of_a_repair(saved: Play) -> None:
    """From the notice: one tap, the code, the password (CHAT.md). Number and application are known."""
    await die(saved)
    taps, typed = saved.admin.taps, saved.admin.typed
    await sign_in_again(saved)
    screen = await saved.admin.wait_for("Same account")
    assert "1 saved channel goes on" in screen["text"]
    assert (saved.admin.taps - taps, saved.admin.typed - typed) == (1 + 5, 1)
    await saved.admin.send("/sessions")
    screen = await saved.admin.wait_for("Accounts · 1")
    assert screen["buttons"][0][0]["text"].startswith("🟢")


async def test_a_scrape_goes_on_at_the_file_where_it_stood(saved: Play) -> None:
    """Signed out between two files: the run is held, and the repair lets it end with nothing fetched twice."""
    sources = saved.house.sources
    await saved.driver.fault("upload.getFile", delay_ms=1000, times=1000)
    run = await sources.scrape(await source_id(saved), saved.sandbox.admin_id)
    while (await saved.house.runner.get(run.id)).progress.done < 3:
        await saved.admin.screen()
    await saved.driver.revoke(ADMIN)
    await saved.admin.wait_for(NOTICE)
    while not (await saved.house.runner.get(run.id)).is_held:
        await saved.admin.screen()
    held = await saved.house.runner.get(run.id)
    await saved.driver.no_faults()
    kept = on_disk(saved)
    assert len(kept) >= 3
    await saved.driver.reset_calls()

    await sign_in_again(saved)
    screen = await saved.admin.wait_for("Same account")
    assert f"at file {held.progress.done} of" in screen["text"]
    while (run := await saved.house.runner.get(run.id)).is_active:
        await saved.admin.screen()
    assert run.status is RunStatus.DONE
    documents = [each for each in await saved.driver.documents() if each["channel"] == saved.private.peer]
    assert run.progress.counters["files"] == len(documents)
    after = on_disk(saved)
    assert kept.items() <= after.items(), "what was saved before is the very same file"
    assert sorted(sha256 for _, sha256 in after.values()) == sorted(each["sha256"] for each in documents)
    fetched = await saved.driver.call_count("upload.getFile")
    assert fetched <= parts(documents) - parts([each for each in documents if each["sha256"] in hashes(kept)])


def on_disk(play: Play) -> dict[str, tuple[int, str]]:
    """The files that are whole: inode and hash, by path."""
    root = play.settings.download_dir
    return {
        path.relative_to(root).as_posix(): (path.stat().st_ino, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in root.rglob("*")
        if path.is_file() and not path.name.endswith(".part")
    }


def hashes(files: dict[str, tuple[int, str]]) -> set[str]:
    return {sha256 for _, sha256 in files.values()}


def parts(documents: list[dict[str, Any]]) -> int:
    """How many requests it takes to fetch these, each once."""
    return sum(max(1, -(-each["size"] // PART_BYTES)) for each in documents)


async def test_a_due_schedule_waits_for_the_repair(saved: Play) -> None:
    """What falls due meanwhile is no failure and no message: it runs once the account is back."""
    await die(saved)
    sources = saved.house.sources
    run = await sources.scrape(await source_id(saved), None)  # as the schedule does
    while not (await saved.house.runner.get(run.id)).is_held:
        await saved.admin.screen()
    with pytest.raises(AlreadyActive):
        await sources.scrape(await source_id(saved), None)
    await saved.admin.send("/start")
    screen = await saved.admin.wait_for("is signed out")
    assert "1 waits for an account" in screen["text"]
    assert "Busy" not in screen["text"]
    await saved.admin.press(re.compile("^Sign in again: "))
    await saved.admin.wait_for("Tap it here")
    await walks.tap_code(saved.admin, await walks.newest_code(saved.admin))
    await saved.admin.wait_for("cloud password")
    await saved.admin.send(saved.account["password"])
    await saved.admin.wait_for("Same account")
    while (run := await saved.house.runner.get(run.id)).is_active:
        await saved.admin.screen()
    assert run.status is RunStatus.DONE


async def test_the_cards_say_what_waits_and_how_to_mend_it(saved: Play) -> None:
    """The saved channel and its run both show that they wait, and both offer the one tap."""
    await die(saved)
    await saved.admin.send("/sources")
    await saved.admin.wait_for("Saved channels · 1")
    await saved.admin.press(re.compile("🔴"))
    await saved.admin.wait_for("waits for its account")
    assert "Sign in again" in await saved.admin.buttons()
    await saved.admin.press("▶ Save now")
    await saved.admin.wait_for("Once it works again")
    assert "Sign in again" in await saved.admin.buttons()


async def test_another_account_is_refused(saved: Play) -> None:
    """The number went to somebody else: shown, refused for that row, and signed out again."""
    await die(saved)
    world = saved.sandbox.world
    other = saved.stranger()
    admin = world.accounts[ADMIN]
    admin.phone, other.phone = other.phone, admin.phone
    await saved.admin.press("Sign in again")
    await saved.admin.wait_for("Tap it here")
    code = list(world.codes.values())[-1].code
    await walks.tap_code(saved.admin, code)
    screen = await saved.admin.wait_for("That is another account")
    assert other.first_name in screen["text"]
    assert all(key.user != other.id or key.revoked for key in world.auth_keys.values())
    await saved.admin.send("/sessions")
    screen = await saved.admin.wait_for("Accounts · 1")
    assert screen["buttons"][0][0]["text"].startswith("🔴")


async def test_an_old_notice_finds_the_account_well(saved: Play) -> None:
    """A second owner, or a second tap: the card says that it works, and nobody is asked for a code."""
    await die(saved)
    notice = await saved.admin.screen()
    button = notice["buttons"][0][0]["data"]
    await sign_in_again(saved)
    await saved.admin.wait_for("Same account")
    codes = len(saved.sandbox.world.codes)
    for data in (button, "sm1:1:2"):
        screen = await saved.admin.screen()
        await saved.admin.press_forged(screen["id"], data)
        await saved.admin.wait_for("ready")
        await saved.admin.send("/help")
        await saved.admin.wait_for("What Porter does")
    assert len(saved.sandbox.world.codes) == codes


async def test_saved_channels_move_to_another_account(saved: Play) -> None:
    """What the other account sees moves with one tap; what it does not see is named and stays."""
    await walks.add_source(saved.admin, saved.public.title)
    saved.private.members.pop(SECOND)
    second = next(a for a in saved.sandbox.line()["accounts"] if a["id"] == SECOND)
    sessions = saved.house.sessions
    await add_second(saved, second)
    other = next(each for each in await sessions.all() if each.user_id == SECOND)
    await sessions.rename(other.id, "Second harbour account")
    other = await sessions.get(other.id)
    await saved.house.channels.find(f"@{saved.public.username}", other.id)
    await saved.driver.revoke(ADMIN)
    await saved.house.watch.check_next()
    notice = await saved.admin.wait_for(NOTICE)
    label = next(key["text"] for row in notice["buttons"] for key in row if key["text"].startswith("Move"))
    assert label == "Move 1 of 2 to «Second har…»", "cut in the name, not behind it"
    await saved.admin.press(label)
    screen = await saved.admin.wait_for("from now on")
    assert f"does not see «{saved.private.title}»" in screen["text"]
    cards = await saved.house.sources.all()
    assert {card.source.channel_id: card.source.is_held for card in cards} == {
        saved.public.peer: False,
        saved.private.peer: True,
    }
    moved = next(card.source for card in cards if not card.source.is_held)
    run = await saved.house.sources.scrape(moved.id, saved.sandbox.admin_id)
    while (run := await saved.house.runner.get(run.id)).is_active:
        await saved.admin.screen()
    assert (run.kind, run.status) == (RunKind.SCRAPE, RunStatus.DONE)


async def add_second(play: Play, account: dict[str, Any]) -> None:
    """The admin adds somebody else's account, by its number."""
    await play.admin.send("/login")
    await play.admin.wait_for("Add an account")
    await play.admin.send(str(account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(account["api_hash"])
    await play.admin.wait_for("Share your own number")
    await play.admin.send(account["phone"])
    await play.admin.wait_for("Tap it here")
    await walks.tap_code(play.admin, await walks.newest_code(play.actor(account["id"])))
    await play.admin.wait_for("Signed in as")
