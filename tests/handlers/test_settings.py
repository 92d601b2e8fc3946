"""/settings, and what home offers to go on with: what was begun, not what was looked at."""

from pathlib import Path

from sandbox import walks
from tests.handlers.people_kit import SECOND, buttons_of, people_ask, with_approver
from tests.play import Play


async def test_an_owners_settings_lead_to_each_screen(play: Play) -> None:
    """Time zone found by typing, how each channel tells, defaults, PIN: one tap each, and the zone holds at once."""
    await people_ask(play, play.gate)
    await play.admin.send("/settings")
    await play.admin.wait_for("Your time zone: UTC")
    await play.admin.press("🕓 UTC")
    await play.admin.wait_for("Type part of a name")
    await play.admin.press("›")
    await play.admin.press("🏠 Home")
    assert "filling in" not in (await play.admin.wait_for("3 wait"))["text"]
    await play.admin.press("🔧 Settings")
    await play.admin.wait_for("Your time zone: UTC")
    await play.admin.press("🕓 UTC")
    await play.admin.wait_for("Type part of a name")
    await play.admin.send("kathmandu")
    await play.admin.wait_for("1 with")
    await play.admin.press("Asia/Kathmandu")
    await play.admin.wait_for("Your time zone: Asia/Kathmandu")
    await play.admin.press("🔔 Who is told, how")
    await play.admin.wait_for("Tap a channel")
    await play.admin.press(f"{play.gate.title} · 30 min")
    await play.admin.wait_for("New people at")
    for label, words in (("⚙️ My defaults", "My defaults"), ("🔒 My PIN", "PIN")):
        await play.admin.send("/settings")
        await play.admin.wait_for("Settings")
        await play.admin.press(label)
        await play.admin.wait_for(words)


async def test_an_approver_has_a_time_zone_too(tmp_path: Path) -> None:
    """Of theirs alone; offered is only what the role may set."""
    async with with_approver(tmp_path) as (play, boris):
        await boris.send("/settings")
        await boris.wait_for("Your time zone: UTC")
        assert await buttons_of(boris) == {"🕓 UTC", "🔔 Who is told, how", "🏠 Home"}
        await boris.press("🔔 Who is told, how")
        await boris.wait_for("Tap a channel")
        assert await buttons_of(boris) == {f"{play.gate.title} · 30 min", "‹ Back", "🏠 Home"}
        await boris.press("‹ Back")
        await boris.wait_for("Your time zone: UTC")
        await boris.press("🕓 UTC")
        await boris.wait_for("Type part of a name")
        await boris.send("lisbon")
        await boris.wait_for("1 with")
        await boris.press("Europe/Lisbon")
        await boris.wait_for("Your time zone: Europe/Lisbon")
        assert (await play.house.admins.get(SECOND)).timezone == "Europe/Lisbon"
        assert (await play.house.admins.get(play.sandbox.admin_id)).timezone != "Europe/Lisbon"


async def test_whose_channels_were_looked_at_do_not_wait(tmp_path: Path) -> None:
    """The owner looks at an approver's channels and goes home: nothing to go on with, until one is taken away."""
    async with with_approver(tmp_path) as (play, _):
        for tap, waits in ((None, False), (play.gate.title, True)):
            await play.admin.send("/admins")
            await play.admin.wait_for("Admins")
            await play.admin.press(walks.beginning("Boris"))
            await play.admin.wait_for("approver of")
            await play.admin.press("Channels")
            await play.admin.wait_for("1 chosen")
            if tap is not None:
                await play.admin.press(walks.beginning(tap))
                await play.admin.wait_for("0 chosen")
            await play.admin.send("/start")
            shown = await play.admin.wait_for("Porter")
            assert ("What you were filling in waits" in shown["text"]) is waits


async def test_what_is_only_looked_at_does_not_wait(play: Play) -> None:
    """Schedule, what is saved, where it starts, who waits: home says nothing of them. Of what was changed it does,
    and a look beside it takes nothing of that away."""
    admin = play.admin
    await play.sign_in()
    await walks.add_source(admin, play.private.title)

    async def change(label: str, words: str) -> None:
        await admin.send("/sources")
        await admin.wait_for("Saved channels · 1")
        await admin.press(walks.beginning("📥"))
        await admin.wait_for("^Harbour")
        await admin.press("Change …")
        await admin.wait_for("what shall change")
        await admin.press(walks.beginning(label))
        await admin.wait_for(words)

    async def is_waiting() -> bool:
        await admin.send("/start")
        return "What you were filling in waits" in (await admin.wait_for("Porter"))["text"]

    looks = [("Schedule", "Now: only when you ask"), ("What is saved", "What is saved\\?")]
    for label, words in looks:
        await change(label, words)
        assert not await is_waiting(), label
    await admin.send("/load")
    await admin.wait_for("At which channel")
    assert not await is_waiting()
    await change("Schedule", "Now: only when you ask")
    await admin.press("Every hour")
    await admin.wait_for("Use it")
    assert await is_waiting()
    await change(*looks[1])
    assert await is_waiting()
    await admin.press("Continue")
    await admin.wait_for("Every hour.*\n.*in UTC")
    await change(*looks[1])
    await admin.press(walks.beginning("☐ PDF"))
    assert await is_waiting()
