"""What is saved, from where on, and the question before a large first run; through the chat."""

from pathlib import Path
from typing import Any

import pytest
from aiogram.filters.callback_data import CallbackData

from handlers.callbacks import EditPick, FilterPart, FilterPick, SourceEdit
from sandbox import walks
from storage.models import FileKind, Filters, NewSource, Scope, TargetKind
from tests.play import Play, open_play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await play.sign_in()
    return play


def home_of(play: Play) -> list[str]:
    root = play.settings.download_dir
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def forge(play: Play, data: CallbackData) -> dict[str, Any]:
    """Press what stands on no button of the screen: that of another screen, or of another conversation."""
    return await play.admin.press_forged((await play.admin.bot_messages())[-1]["id"], data.pack())


async def begin(play: Play) -> None:
    """Up to the editor of a new saved channel."""
    await walks.begin_source(play.admin)
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("Which files")


async def to_confirm(play: Play) -> str:
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to")
    await play.admin.press("Use this folder")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.press("Use this name")
    return str((await play.admin.wait_for("only when you ask"))["text"])


async def answer(play: Play, button: str, question: str, text: str, shown: str) -> None:
    """Press, read the question, type, and see it in the editor."""
    await play.admin.press(button)
    await play.admin.wait_for(question)
    await play.admin.send(text)
    await play.admin.wait_for(shown)


async def test_every_condition_in_words(signed_in: Play) -> None:
    """Presets, own endings, size, words and dates are told as one sentence, kept on the card, and hold at the save."""
    play = signed_in
    await begin(play)
    await play.admin.press("☐ PDF")
    await play.admin.wait_for("Now: PDF")
    await play.admin.press("☐ ZIP, archives")
    await play.admin.wait_for("Now: PDF or archives")
    await answer(play, "Other types …", "Which other endings", ".dwg, iso", "Now: PDF, archives, .dwg or .iso")
    await answer(play, "Size …", "How large", "9 KB - 1 MB", "9 KB to 1 MB")
    await answer(play, "Dates …", "From which days", "2001-02-03", "since 3 Feb 2001")
    await answer(play, "● Dates …", "From which days", "1.1.2001 - 31.12.2150", "1 Jan 2001 to 31 Dec 2150")
    await play.admin.press("☐ Only matching messages")
    await play.admin.wait_for("Only messages that match are kept")
    await play.restart()
    text = await to_confirm(play)
    sentence = "PDF, archives, .dwg or .iso, 9 KB to 1 MB, 1 Jan 2001 to 31 Dec 2150"
    assert f"messages that match and {sentence}" in text
    await play.admin.press("Save this channel")
    card = await play.admin.wait_for("last saved never")
    assert f"{sentence}, only messages that match" in card["text"]
    await walks.scrape(play.admin)
    wanted = [
        message
        for message in play.private.messages.values()
        if message.document
        and message.document.mime in ("application/pdf", "application/zip")
        and 9 * 1024 <= message.document.size <= 2**20
    ]
    assert len(home_of(play)) == len(wanted) > 0
    card_after = (await play.house.sources.all())[0]
    assert card_after.source.total_messages == len(wanted)
    assert f"{len(wanted)} files, " in text, "the estimate at the end of the form was right"


async def test_words_and_patterns(signed_in: Play) -> None:
    """RE2's objection is told and what was typed stays there to be mended; the answer that clears is a button."""
    play = signed_in
    await begin(play)
    await play.admin.press("Words …")
    await play.admin.wait_for("Which words")
    await play.admin.send("/(tide|plan/")
    await play.admin.wait_for("pattern cannot be read.*missing")
    await play.admin.press("‹ Back")
    kept = await play.admin.wait_for("Which words")
    assert "You sent: /(tide|plan/" in kept["text"]
    await play.admin.send("/(tide|<b>plan)/")
    await play.admin.wait_for(r"Now: all files, with /\(tide\|<b>plan\)/")
    await answer(play, "● Words …", "Which words", "tide, Plan", "with «tide» or «Plan»")
    await play.admin.press("● Words …")
    fresh = await play.admin.wait_for("Which words")
    assert "You sent" not in fresh["text"]
    await play.admin.press("Any words")
    await play.admin.wait_for("Now: all files$")


async def test_what_cannot_be_read_is_kept(signed_in: Play) -> None:
    """Said how it is written, shown again with the question, and nothing has changed behind it."""
    play = signed_in
    await begin(play)
    for button, typed, refusal in (
        ("Size …", "big ones", "no size"),
        ("Size …", "2 GB - 1 MB", "larger than the second"),
        ("Dates …", "yesterday", "no date"),
        ("Other types …", "a/b", "endings"),
    ):
        await play.admin.press(button)
        await play.admin.wait_for("Send")
        await play.admin.send(typed)
        await play.admin.wait_for(refusal)
        await play.admin.press("‹ Back")
        assert f"You sent: {typed}" in (await play.admin.wait_for("Send"))["text"]
        await play.admin.press("‹ Back")
        await play.admin.wait_for("Now: all files")


async def test_a_command_in_the_middle(signed_in: Play) -> None:
    """The question waits; going on with it, the answer still reaches the form of the new channel."""
    play = signed_in
    await begin(play)
    await play.admin.press("Size …")
    await play.admin.wait_for("How large")
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    await play.admin.press("Continue")
    await play.admin.wait_for("How large")
    await play.admin.send("up to 1 GB")
    await play.admin.wait_for(r"Which files.*\nNow: all files, up to 1 GB")


# -- where it starts


async def test_where_to_start(signed_in: Play) -> None:
    """Chosen by a tap or typed, shown on its button and at the end of the form, and kept by the first save."""
    play = signed_in
    await begin(play)
    now = "Start: everything"
    for label, typed, shown in (
        ("The last 100 posts", None, "Start: the last 100 posts"),
        ("Only what is new", None, "Start: only what is new"),
        ("Since a date", "2001-01-31", "Start: since 31 Jan 2001"),
        ("Own number", "5", "Start: the last 5 posts"),
    ):
        await play.admin.press(now)
        await play.admin.wait_for("What shall the first save bring")
        await play.admin.press(label)
        if typed:
            await play.admin.wait_for("Send")
            await play.admin.send(typed)
        await play.admin.wait_for("Which files")
        assert shown in await play.admin.buttons()
        now = shown
    text = await to_confirm(play)
    assert "The first time the last 5 posts get saved" in text
    assert "\n5 posts, " in text
    await play.admin.press("Save this channel")
    await play.admin.wait_for("the next save starts with: the last 5 posts")
    await walks.scrape(play.admin)
    card = (await play.house.sources.all())[0]
    assert (card.source.total_messages, card.source.start) == (5, None)


async def test_change_and_start_over(signed_in: Play) -> None:
    """Changed filters hold for new posts, said so; starting over asks, fetches what is missing and nothing twice."""
    play = signed_in
    await begin(play)
    await play.admin.press("☐ PDF")
    await play.admin.wait_for("Now: PDF")
    await to_confirm(play)
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
    await walks.scrape(play.admin)
    pdfs = home_of(play)
    await play.admin.press("📥 This saved channel")
    await play.admin.wait_for("last saved")
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change\\?\nfrom «Harbour Archive», PDF")
    await play.admin.press("What is saved")
    menu = await play.admin.wait_for("What is saved\\?")
    assert "A change holds for new posts" in menu["text"]
    await play.admin.press("☐ Everything")
    await play.admin.wait_for("Now: all files")
    await play.admin.press("Keep these")
    await play.admin.wait_for(r"saves: all files.\n.*stay as they are")
    await play.admin.press("Start over")
    await play.admin.wait_for("from where shall its posts be read again")
    await play.admin.press("Own number")
    await play.admin.wait_for("How many")
    await play.admin.send("many")
    await play.admin.wait_for("no number of posts")
    await play.admin.send("1,000")
    asked = await play.admin.wait_for("Do it")
    assert "the last 1,000 posts" in asked["text"]
    await play.admin.press("Yes, start over")
    await play.admin.wait_for("the next save starts with: the last 1,000 posts")
    await play.driver.reset_calls()
    await walks.scrape(play.admin)
    documents = [d for d in await play.driver.documents() if d["channel"] == play.private.peer]
    assert len(home_of(play)) == len(documents) > len(pdfs)
    parts = sum(-(-d["size"] // 2**20) for d in documents if not d["name"].endswith(".pdf"))
    assert await play.driver.call_count("upload.getFile") <= parts


async def test_start_over_under_a_run(signed_in: Play) -> None:
    """The card of the run comes instead, with its Stop."""
    play = signed_in
    await walks.add_source(play.admin, play.private.title)
    await play.driver.fault("upload.getFile", delay_ms=5000, times=50)
    await play.admin.press("▶ Save now")
    await play.admin.wait_for("Saving")
    source_id = (await play.house.sources.all())[0].source.id
    await forge(play, SourceEdit(what=EditPick.START_OVER, id=source_id))
    await play.admin.wait_for("from where")
    await play.admin.press("Everything there is")
    await play.admin.wait_for("Do it")
    await play.admin.press("Yes, start over")
    await play.admin.wait_for("Saving")
    assert "Stop here" in await play.admin.buttons()
    await play.admin.press("Stop here")
    await play.admin.wait_for("stopped by you")


# -- the admin's defaults


async def test_own_defaults(signed_in: Play) -> None:
    """The same editor for what the next channels are saved with; kept with the admin, and nothing else changes."""
    play = signed_in
    await walks.add_source(play.admin, play.private.title)
    await forge(play, SourceEdit(what=EditPick.FILTERS, id=0))
    await play.admin.wait_for("Your defaults")
    await play.admin.press("☐ Images")
    await play.admin.wait_for("Now: images")
    await play.admin.press("☐ Only matching messages")
    await play.admin.wait_for("Only messages that match")
    await play.admin.press("Keep these")
    await play.admin.wait_for("Channels that you save from now on bring: images")
    profile = await play.house.profiles.get(play.admin.account_id)
    assert profile.filters == Filters(kinds=(FileKind.PHOTO,), mimes=("image/",))
    assert profile.only_matching
    assert (await play.house.sources.all())[0].source.filters == Filters()


async def test_a_button_of_another_question(signed_in: Play) -> None:
    """A stale menu of another saved channel changes nothing in this one."""
    play = signed_in
    await begin(play)
    for of, value in ((77, 0), (-1, 99)):
        said = await forge(play, FilterPick(what=FilterPart.PRESET, id=of, value=value))
        assert "not there any more" in said["answer"]
    await play.admin.press("☐ PDF")
    await play.admin.wait_for("Now: PDF")


# -- a large first run


async def test_a_large_first_run_asks(tmp_path: Path) -> None:
    """At the end of the form with a way back, and before the first save; once one came to its end, no more."""
    async with open_play(tmp_path, ask_above_gb=0) as play:
        await play.sign_in()
        await begin(play)
        text = await to_confirm(play)
        documents = [d for d in await play.driver.documents() if d["channel"] == play.private.peer]
        assert f"in {len(documents)} files" in text
        assert "are free" in text
        await play.admin.press("Change")
        await play.admin.wait_for("Which files")
        await to_confirm(play)
        await play.admin.press("Save it all the same")
        await play.admin.wait_for("last saved never")
        await play.admin.press("▶ Save now")
        await play.admin.wait_for(f"⚠️ That is .* in {len(documents)} files")
        assert not home_of(play)
        await play.admin.press("Start")
        await play.admin.wait_for(r"✅ .*done")
        assert len(home_of(play)) == len(documents)
        await play.driver.reset_calls()
        await play.admin.send("/scrape")
        await play.admin.wait_for(r"✅ .*done")
        assert await play.driver.call_count("messages.getSearchCounters") == 0


async def test_without_an_estimate_it_goes_on(signed_in: Play) -> None:
    """Telegram lets nobody look just now: said so, and nothing is in the way."""
    play = signed_in
    await play.driver.fault("messages.getSearchCounters", error="FLOOD_WAIT_7200")
    await begin(play)
    assert "cannot be counted before" in await to_confirm(play)
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
    await walks.scrape(play.admin)


async def test_single_posts_are_not_filtered(signed_in: Play) -> None:
    """A saved channel of single posts says so, and offers neither filters nor starting over."""
    play = signed_in
    await walks.add_source(play.admin, play.private.title)
    source = (await play.house.sources.all())[0].source
    new = NewSource(
        "Picked", source.session_id, source.channel_id, Filters(), TargetKind.LOCAL, "picked", scope=Scope.POSTS
    )
    await play.house.sources.create(new, None, "UTC")
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 2")
    await play.admin.press(walks.beginning("Picked"))
    await play.admin.wait_for("single posts")
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change\\?\nfrom «Harbour Archive», single posts")
    assert not {"What is saved", "Start over …"} & set(await play.admin.buttons())
    await play.admin.press("‹ Back")
    await play.admin.wait_for("single posts")
    await play.admin.press("▶ Save now")
    await play.admin.wait_for(r"✅ .*done")
