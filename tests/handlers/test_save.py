"""Save a channel by forwarding a post of it or sending a link: what the card says, and what one tap does."""

import asyncio
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.scenarios import SECOND
from sandbox.world import Message
from storage.models import RunStatus, Scope, Source
from tests.play import Play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await play.sign_in()
    return play


async def log_in_boris(play: Play) -> None:
    """A second account of the same admin: it reads the private channel and the public one."""
    account = next(a for a in play.sandbox.line()["accounts"] if a["id"] == SECOND)
    await play.admin.send("/login")
    await play.admin.wait_for("Add an account")
    await play.admin.send(str(account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(account["api_hash"])
    await play.admin.wait_for("Share your own number")
    await play.admin.send(account["phone"])
    await play.admin.wait_for("Tap it here")
    await walks.tap_code(play.admin, await walks.newest_code(Actor(play.driver, SECOND, play.admin.peer)))
    await play.admin.wait_for("Signed in as")


def with_files(play: Play) -> list[Message]:
    """Posts of the private channel that carry one."""
    return [each for each in play.private.messages.values() if each.document is not None and not each.deleted]


async def sources(play: Play) -> list[Source]:
    return [card.source for card in await play.house.sources.all()]


def on_disk(play: Play) -> list[Path]:
    return [path for path in play.settings.download_dir.rglob("*") if path.is_file()]


async def test_one_tap_from_a_forwarded_post_to_a_running_save(signed_in: Play) -> None:
    """The card counts what is there; one tap makes a saved channel by the defaults and starts it: what is posted later
    comes by itself. It works after a restart as well, and the next card says that it is done."""
    play = signed_in
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    card = await play.admin.wait_for(r"20 posts, 8 files")
    assert card["text"].startswith("«Harbour Archive» · channel, private, 2 members")
    assert "to Local/harbour-archive · every 6 h and live" in card["text"]
    await play.restart()
    taps, typed = play.admin.taps, play.admin.typed
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert (play.admin.taps - taps, play.admin.typed - typed) == (1, 0)
    (source,) = await sources(play)
    assert (source.name, source.folder, source.scope) == ("Harbour Archive", "harbour-archive", Scope.CHANNEL)
    assert source.live
    assert source.total_files == len(on_disk(play)) == 8
    schedule = (await play.house.sources.get(source.id)).schedule
    assert schedule is not None
    assert schedule.cron == "0 */6 * * *"
    await play.driver.post(play.private.peer, "late", file={"name": "late.pdf", "size": 3000})
    async with asyncio.timeout(10):
        while not any(path.name.endswith("late.pdf") for path in on_disk(play)):  # noqa: ASYNC110 - a disk sets no event
            await asyncio.sleep(0.05)

    await play.admin.forward(play.private.peer, with_files(play)[1].id)
    await play.admin.wait_for("Saved already as «Harbour Archive»")
    assert await play.admin.buttons() == ["▶ Save now", "Only this post", "Open", "🏠 Home"]
    await play.admin.press("Open")
    await play.admin.wait_for("last saved just now")
    assert len(await sources(play)) == 1


async def test_links_in_every_form(signed_in: Play) -> None:
    """Public ones are looked up once and verified; an open list does not search for them; of two it is asked which."""
    play, name = signed_in, signed_in.public.username
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels")
    await play.admin.send(f"https://t.me/{name}/5?single")
    await play.admin.wait_for(r"«Harbour News» · channel, public, @harbour_news, 12,343 members\n13 posts, no files")
    assert "Only this post" in await play.admin.buttons()
    for text in (f"see t.me/{name}, it is good", f"@{name}", f"tg://resolve?domain={name}"):
        await play.admin.send(text)
        await play.admin.wait_for("«Harbour News» · channel, public")
        assert "Only this post" not in await play.admin.buttons()
    assert await play.driver.call_count("contacts.resolveUsername") <= 1
    await play.admin.send("@nobody_has_this_name")
    await play.admin.wait_for("no such channel")
    await play.admin.send("https://t.me/c/2199999999/4")
    await play.admin.wait_for("No account of yours sees this channel")
    assert "Add account" in await play.admin.buttons()

    await play.admin.send(f"t.me/{name} or https://t.me/c/{play.private.id}/3")
    await play.admin.wait_for("2 links")
    await play.admin.press("private channel, post 3")
    await play.admin.wait_for("«Harbour Archive»")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert [source.channel_id for source in await sources(play)] == [play.private.peer]


async def test_only_what_was_forwarded(signed_in: Play) -> None:
    """An album is one card and comes whole; later posts go to the same place; "Save all" makes it the whole channel."""
    play = signed_in
    album = with_files(play)[:3]
    for message in album:
        message.grouped_id = 77
    for message in album:
        await play.admin.forward(play.private.peer, message.id)
    await play.admin.wait_for("3 posts of it came with this")
    cards = [message for message in await play.admin.bot_messages() if "Harbour Archive" in message["text"]]
    assert len(cards) == 1
    await play.admin.press("Only these 3 posts")
    await play.admin.wait_for(r"✅ .*done", 60)
    (source,) = await sources(play)
    assert (source.scope, source.name) == (Scope.POSTS, "Harbour Archive single posts")
    assert (await play.house.sources.get(source.id)).schedule is None
    assert len(on_disk(play)) == 3

    await play.admin.send(f"https://t.me/c/{play.private.id}/{with_files(play)[4].id}")
    await play.admin.wait_for("Single posts of it are saved as")
    await play.admin.press("Only this post")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert len(on_disk(play)) == 4
    assert len(await sources(play)) == 1

    await play.admin.forward(play.private.peer, with_files(play)[5].id)
    await play.admin.wait_for("which becomes the whole channel")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    (whole,) = await sources(play)
    assert (whole.id, whole.scope, whole.name) == (source.id, Scope.CHANNEL, "Harbour Archive")
    assert (await play.house.sources.get(whole.id)).schedule is not None
    assert len(on_disk(play)) == 8


async def test_only_what_is_new(signed_in: Play) -> None:
    """Nothing old is fetched; what is posted afterwards comes with the next run."""
    play = signed_in
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    await play.admin.wait_for("«Harbour Archive»")
    await play.admin.press("Only new")
    await play.admin.wait_for(r"✅ .*done", 60)
    (source,) = await sources(play)
    assert source.total_messages == 0
    await play.driver.post(play.private.peer, "fresh", file={"name": "fresh.pdf", "size": 2000})
    await play.admin.send("/scrape")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert [path.name for path in on_disk(play)] == [next(p.name for p in on_disk(play) if "fresh" in p.name)]


async def test_much_is_asked_about_first(signed_in: Play) -> None:
    """Above the limit the first tap asks once, with what it is; nothing is made before the answer."""
    play = signed_in
    await play.close()
    play.settings = play.settings.model_copy(update={"ask_above_gb": 0})
    await play.open()
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    await play.admin.wait_for("«Harbour Archive»")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"That is 2\.6 MB in 8 files")
    assert await sources(play) == []
    await play.admin.press("Yes, save it all")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert len(await sources(play)) == 1


async def test_one_tap_with_two_accounts(signed_in: Play) -> None:
    """Two can read it: the card says which of them will, the one used last, and Change offers the other. What is chosen
    holds for the channel."""
    play = signed_in
    await log_in_boris(play)
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    await play.admin.wait_for("Read with «Anna»; another account is under Change")
    await play.admin.press("Change")
    await play.admin.wait_for("by your defaults")
    await play.admin.press("Another account")
    await play.admin.wait_for("With which one")
    assert (await play.admin.buttons())[:2] == ["● With Anna", "With Boris"]
    await play.admin.press("With Boris")
    await play.admin.wait_for("Read with «Boris»; another account is under Change")
    await play.admin.press("Only this post")
    await play.admin.wait_for(r"✅ .*done", 60)
    await play.admin.forward(play.private.peer, with_files(play)[1].id)
    await play.admin.wait_for(r"Read with «Boris»\.")  # its single posts are
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    await play.admin.send(f"@{play.public.username}")
    await play.admin.wait_for("(?s)«Harbour News».*Read with «Boris»; another account")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    accounts = {each.name: each.id for each in await play.house.sessions.all()}
    assert {source.session_id for source in await sources(play)} == {accounts["Boris"]}


async def test_what_says_nothing_of_its_channel(signed_in: Play) -> None:
    """A person's message says what to do instead; an open question goes before; only owners save."""
    play = signed_in
    words = next(m for m in play.gate.messages.values() if m.sender > 0 and m.text and not m.deleted)
    await play.admin.forward(play.gate.peer, words.id)
    await play.admin.wait_for("does not say which channel")

    await walks.begin_source(play.admin)
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to")
    await play.admin.send("t.me/harbour_news")
    await play.admin.wait_for("How often")  # it was the name of a folder, if an odd one

    viewer = play.actor(SECOND)
    await viewer.send("/start")
    await walks.add_admin(play.admin, SECOND, "Viewer")
    await viewer.send("/sources")
    await viewer.wait_for("Saved channels")
    await viewer.forward(play.private.peer, with_files(play)[0].id)
    await viewer.wait_for("does not know what to do")
    assert await sources(play) == []


async def test_the_card_is_there_before_the_counts(signed_in: Play) -> None:
    """Telegram takes its time: the chat goes on. Counts come in place, but never over what the admin looks at by then;
    what was counted is kept, and neither the next card nor the tap asks again."""
    play = signed_in
    await play.admin.send(f"@{play.public.username}")
    await play.admin.wait_for("«Harbour News»")
    await play.driver.fault("messages.getSearchCounters", delay_ms=2500, times=2)
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    await play.admin.wait_for("Counting what is there", 2)
    await play.admin.press("🏠 Home")
    await play.admin.wait_for("Saved channels|accounts?|Since|Porter")
    home = (await play.admin.screen())["text"]
    await asyncio.sleep(4)
    assert (await play.admin.screen())["text"] == home

    await play.admin.send(f"https://t.me/c/{play.private.id}/3")
    await play.admin.wait_for("20 posts, 8 files")  # known by now
    counted = await play.driver.call_count("messages.getSearchCounters")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert await play.driver.call_count("messages.getSearchCounters") == counted


async def test_a_card_while_telegram_pauses_the_account(signed_in: Play) -> None:
    """No "try again" then: the card says until when, and what is saved begins by itself."""
    play = signed_in
    await play.driver.fault("messages.getHistory", error="FLOOD_WAIT_7200")
    await play.admin.forward(play.private.peer, with_files(play)[0].id)
    card = await play.admin.wait_for(r"pauses this account until (\w{3} )?\d\d:\d\d")
    assert "7200" not in card["text"]
    assert "Try again" not in await play.admin.buttons()
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for("could not find out how much")
    await play.admin.press("Yes, save it all")
    await play.admin.wait_for("pauses this account until")
    (run,) = await play.house.runner.active()
    assert run.status is RunStatus.WAITING
