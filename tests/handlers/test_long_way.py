"""The long way to a saved channel: it begins with the defaults, goes back as well as on, and takes single posts in."""

from pathlib import Path

from handlers.callbacks import Go, Place
from sandbox import walks
from storage.models import Duplicates, Filters, Scope
from tests.play import Play, open_play


async def begin(play: Play, title: str) -> None:
    await walks.begin_source(play.admin)
    await play.admin.press(walks.beginning(title))
    await play.admin.wait_for("Which files")


async def test_it_begins_with_the_defaults(tmp_path: Path) -> None:
    """Filters, place, schedule, names, duplicates and live; keeping every step makes what one tap would have made."""
    nas = tmp_path / "nas"
    nas.mkdir()
    async with open_play(tmp_path, nas_roots=f"nas={nas}") as play:
        await walks.log_in(play.admin, play.account)
        await play.house.sources.use_root("nas")
        await play.house.profiles.change(
            play.admin.account_id,
            filters=Filters(extensions=("pdf",)),
            root="nas",
            folder="mine",
            cron="0 * * * *",
            name_template="{id} {name}",
            duplicates=Duplicates.SKIP,
            only_matching=True,
        )
        await begin(play, play.private.title)
        assert "Only messages that match" in (await play.admin.screen())["text"]
        await play.admin.press("Done")
        await play.admin.wait_for("Files go to nas/mine/harbour-archive")
        await play.admin.press("Use this folder")
        await play.admin.wait_for("How often")
        await play.admin.press("● Every hour and live")
        await play.admin.wait_for("Porter will call it «Harbour Archive»")
        await play.admin.press("Use this name")
        await play.admin.wait_for("new posts at once")
        await play.admin.press("Save this channel")
        await play.admin.wait_for("last saved never")
        (card,) = await play.house.sources.all()
        source = card.source
        assert (source.root, source.folder, source.live) == ("nas", "mine/harbour-archive", True)
        assert (source.name_template, source.duplicates) == ("{id} {name}", Duplicates.SKIP)
        assert source.only_matching
        assert source.filters.extensions == ("pdf",)
        assert card.schedule is not None
        assert card.schedule.cron == "0 * * * *"


async def test_back_through_the_form(play: Play) -> None:
    """Every question leads back to the one before, also after a restart; what was answered stays."""
    await walks.log_in(play.admin, play.account)
    await begin(play, play.public.title)
    await play.admin.press("☐ PDF")
    await play.admin.wait_for("Now: PDF")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to")
    await play.admin.send("papers")
    await play.admin.wait_for("How often")
    await play.admin.press("Own schedule (cron)")
    await play.admin.wait_for("Send a cron line")
    await play.admin.press("‹ Back")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.send("x" * 90)
    await play.admin.wait_for("1 to 60 characters")
    await play.admin.press("‹ Back")
    await play.admin.wait_for("Porter will call it")
    await play.restart()
    await play.admin.press("Use this name")
    await play.admin.wait_for("only when you ask")
    for question in ("Porter will call it", "How often", "Files go to Local/papers", "Now: PDF", "Tap one"):
        await play.admin.press("‹ Back")
        await play.admin.wait_for(question)
    assert await play.house.sources.all() == []


async def test_single_posts_become_the_channel(play: Play) -> None:
    """By Change too: no second saved channel, no question where they lie, and what they have stays."""
    await walks.log_in(play.admin, play.account)
    post = next(m for m in play.private.messages.values() if m.document and not m.deleted)
    await play.admin.forward(play.private.peer, post.id)
    await play.admin.wait_for("20 posts")
    await play.admin.press("Only this post")
    await play.admin.wait_for(r"✅ .*done")
    (before,) = await play.house.sources.all()
    assert before.source.scope is Scope.POSTS

    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 1")
    assert (await play.admin.buttons())[0].startswith("📌")
    await play.admin.send(f"https://t.me/c/{play.private.id}/{post.id}")
    await play.admin.wait_for("becomes the whole channel")
    await play.admin.press("Change")
    await play.admin.wait_for("step by step")
    await play.admin.press("For this channel")
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("How often")  # where they lie is not asked
    await play.admin.press("‹ Back")
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it «Harbour Archive»")
    await play.admin.press("Use this name")
    await play.admin.wait_for("which becomes the whole channel")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("1 message, 1 file")
    (after,) = await play.house.sources.all()
    assert (after.source.id, after.source.scope) == (before.source.id, Scope.CHANNEL)
    assert (after.source.name, after.source.folder) == ("Harbour Archive", before.source.folder)
    await walks.scrape(play.admin)
    names = [path for path in play.settings.download_dir.rglob("*") if path.is_file()]
    assert len(names) == len([d for d in await play.driver.documents() if d["channel"] == play.private.peer])


async def test_several_sets_nothing_aside(play: Play) -> None:
    """From the list of one into that of several: nothing "waits" afterwards."""
    await walks.log_in(play.admin, play.account)
    await walks.begin_source(play.admin)
    await play.admin.press("☑ Several at once")
    await play.admin.wait_for("0 chosen")
    await play.admin.press(data=Go(to=Place.HOME).pack())
    home = await play.admin.wait_for("Porter")
    assert "waits" not in home["text"]


async def test_a_root_that_is_configured_no_more(play: Play) -> None:
    """The defaults name a disk that the operator has taken away: one tap leads elsewhere."""
    await walks.log_in(play.admin, play.account)
    await play.house.profiles.change(play.admin.account_id, root="attic", cron=None, live=False)
    await begin(play, play.public.title)
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to attic/harbour-news")
    await play.admin.press("Local")
    await play.admin.wait_for("Files go to Local/harbour-news")
    await play.admin.press("Use this folder")
    await play.admin.wait_for("How often")
    await play.admin.press("● Only when you ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.press("Use this name")
    await play.admin.wait_for("to Local/harbour-news")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
