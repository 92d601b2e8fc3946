"""An admin's own defaults: changed on one screen, used by the next card, copied from a saved channel."""

from pathlib import Path

import pytest

from handlers.texts.saving import rhythm
from sandbox import walks
from storage.models import Duplicates, Profile
from tests.play import Play, open_play


async def test_defaults_are_set_once_and_used_by_cards(tmp_path: Path) -> None:
    """Folder and root, names, duplicates, live; nonsense is refused, the question stays; then Porter's own again."""
    nas = tmp_path / "nas"
    nas.mkdir()
    async with open_play(tmp_path, nas_roots=f"nas={nas}") as play:
        await play.sign_in()
        await play.admin.send("/sources")
        await play.admin.wait_for("Saved channels")
        await play.admin.press("⚙️ My defaults")
        await play.admin.wait_for("Folder: Local/…")
        assert "Use Porter's own" not in await play.admin.buttons()

        await play.admin.press("Folder")
        await play.admin.wait_for("Where shall channels be saved")
        await play.admin.press("nas")
        await play.admin.wait_for("Use it")
        await play.admin.press("Yes, use it")
        await play.admin.wait_for("nas/…")
        await play.admin.send("../up")
        await play.admin.wait_for("cannot be used")
        await play.admin.send("telegram/mine")
        await play.admin.wait_for("Folder: nas/telegram/mine/…")

        await play.admin.press("File names")
        await play.admin.wait_for("Names of files")
        await play.admin.send("a/b/c/d/e/f/{id}")
        await play.admin.wait_for("too many folders")
        await play.admin.send("{date:%Y}/{id} {name}")
        await play.admin.wait_for(r"File names: \{date:%Y\}/\{id\} \{name\}")
        await play.admin.press("Duplicates")
        await play.admin.wait_for("What shall channels that come do")
        await play.admin.press("Leave them out")
        await play.admin.wait_for("Duplicates: left out")
        await play.admin.press("☑ New posts at once")
        await play.admin.wait_for(r"Schedule: every 6 h\n")

        await play.admin.press("What is saved")
        await play.admin.wait_for("My defaults|defaults")
        await play.admin.press("☐ PDF")
        await play.admin.wait_for("PDF")
        await play.admin.press("Keep these")
        await play.admin.wait_for("PDF")
        await play.admin.press("‹ Back")
        await play.admin.wait_for("Saved: PDF")
        await play.admin.press("Schedule")
        await play.admin.wait_for("How often|Now")
        await play.admin.press("‹ Back")
        await play.admin.wait_for("Saved: PDF")

        await play.admin.send(f"@{play.public.username}")
        await play.admin.wait_for(r"PDF · to nas/telegram/mine/harbour-news · every 6 h\n?$")
        await play.admin.press("Save all and keep up")
        await play.admin.wait_for(r"✅ .*done", 60)
        (card,) = await play.house.sources.all()
        source = card.source
        assert (source.root, source.folder, source.live) == ("nas", "telegram/mine/harbour-news", False)
        assert (source.name_template, source.duplicates) == ("{date:%Y}/{id} {name}", Duplicates.SKIP)

        await play.admin.send(f"https://t.me/c/{play.private.id}/3")
        await play.admin.wait_for("«Harbour Archive»")
        await play.admin.press("Change")
        await play.admin.wait_for("by your defaults")
        await play.admin.press("⚙️ My defaults")
        await play.admin.wait_for("Folder: nas/telegram/mine/…")
        await play.admin.press("Use Porter's own")
        await play.admin.wait_for("Folder: Local/…")
        assert await play.house.profiles.get(play.admin.account_id) == Profile()

        await play.admin.send("/sources")
        await play.admin.wait_for("Saved channels")
        await play.admin.press(walks.beginning(source.name))
        await play.admin.wait_for("last saved")
        await play.admin.press("Change …")
        await play.admin.wait_for("what shall change")
        await play.admin.press("Make these my defaults")
        await play.admin.wait_for("Folder: nas/telegram/mine/…")
        profile = await play.house.profiles.get(play.admin.account_id)
        assert (profile.root, profile.folder, profile.cron) == ("nas", "telegram/mine", "0 */6 * * *")
        assert profile.duplicates is Duplicates.SKIP


async def test_change_leads_into_the_long_way(play: Play) -> None:
    """Every step shows what the defaults say; keeping all of it makes what one tap would have made."""
    await play.sign_in()
    await play.admin.send(f"https://t.me/c/{play.private.id}/3")
    await play.admin.wait_for("«Harbour Archive»")
    await play.admin.press("Change")
    await play.admin.wait_for("step by step")
    await play.admin.press("For this channel")
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to Local/harbour-archive")
    await play.admin.send("elsewhere")
    await play.admin.wait_for("How often")
    kept = (await play.admin.buttons())[0]
    assert kept.startswith("● ")
    await play.admin.press(kept)
    await play.admin.wait_for("Porter will call it «Harbour Archive»")
    await play.admin.press("Use this name")
    await play.admin.wait_for("from «Harbour Archive»")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
    (card,) = await play.house.sources.all()
    assert (card.source.folder, card.source.live) == ("elsewhere", True)
    assert card.schedule is not None
    assert card.schedule.cron == "0 */6 * * *"


@pytest.mark.parametrize(
    ("cron", "live", "words"),
    [
        ("0 */6 * * *", True, "every 6 h and live"),
        ("0 * * * *", False, "every hour"),
        ("5 7 * * *", True, "daily at 07:05 and live"),
        (None, True, "live"),
        (None, False, "only when you ask"),
    ],
)
def test_a_rhythm_in_words(cron: str | None, live: bool, words: str) -> None:
    """Short enough for a line of the card."""
    assert rhythm(cron, live=live) == words
