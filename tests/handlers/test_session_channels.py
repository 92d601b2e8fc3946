"""The channels of an account through the chat: at once, searched, saved, and the way to those who wait."""

import time

import pytest

from sandbox import walks
from services import channels as channel_service
from tests.handlers.test_sessions import open_card, signed_in
from tests.play import Play

__all__ = ["signed_in"]


async def open_channels(play: Play, label: str = "Channels") -> dict[str, object]:
    await open_card(play)
    await play.admin.press(label)
    return await play.admin.wait_for("Channels of|Load who waits")


async def test_a_word_searches_and_a_name_is_looked_up(signed_in: Play) -> None:
    """Words narrow the list; @name, link and id open the channel; an invite link that is not good is deleted."""
    play = signed_in
    await open_channels(play)
    await play.admin.send("zeppelin")
    await play.admin.wait_for("0 found")
    await play.admin.send(play.gate.title.split()[-1])
    await play.admin.wait_for("1 found")
    await play.admin.press("✕ Show all")
    await play.admin.wait_for("Channels of")
    for text in (f"@{play.public.username}", f"https://t.me/{play.public.username}/3", str(play.public.peer)):
        await play.admin.send(text)
        screen = await play.admin.wait_for("channel, public")
        assert screen["text"].startswith(play.public.title)
    await play.admin.send("@nobody_has_this_name")
    await play.admin.wait_for("no such channel")
    await play.admin.send("https://t.me/+NobodyMadeThis1")
    await play.admin.wait_for("nvite link")
    mine = [m for m in await play.admin.messages() if m["from"] == play.admin.account_id and not m["deleted"]]
    assert not any("t.me/+" in (message["text"] or "") for message in mine)


async def test_a_tap_offers_to_save(signed_in: Play) -> None:
    """From the list two taps lead into saving, account and channel chosen."""
    play = signed_in
    await open_channels(play)
    await play.admin.press(walks.beginning(play.public.title))
    await play.admin.wait_for("channel, public")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    screen = await play.admin.wait_for("Files go to")
    assert screen is not None


async def test_a_tap_offers_to_load_who_waits(signed_in: Play) -> None:
    """Where the account may invite, the waiting people are one tap behind the channel."""
    play = signed_in
    await open_channels(play)
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("may let people in")
    await play.admin.press("Load waiting people")
    await play.admin.wait_for(r"✅ .*done", 30)
    assert len(play.gate.requests) > 0


@pytest.mark.parametrize("way", ["tap", "id", "@"])
async def test_load_from_the_card(signed_in: Play, way: str) -> None:
    """The card's own button lists where the account may; a tap, an id or a link loads, by this account."""
    play = signed_in
    await open_channels(play, "Load who waits")
    gate, link = play.gate, f"https://t.me/c/{play.gate.id}/1"
    if way == "tap":
        await play.admin.press(walks.beginning(gate.title))
    else:
        await play.admin.send(str(gate.peer) if way == "id" else link)
    await play.admin.wait_for(r"✅ .*done", 30)


async def test_load_without_the_right(signed_in: Play) -> None:
    """The list says where it may; what is typed all the same is refused in plain words."""
    play = signed_in
    play.public.members[play.sandbox.admin_id].role = "member"
    play.public.members[play.sandbox.admin_id].may_invite = False
    await open_channels(play, "Load who waits")
    assert not any(play.public.title[:14] in label for label in await play.admin.buttons())
    await play.admin.send(f"@{play.public.username}")
    await play.admin.wait_for("You don't have permission to view join requests")


async def test_a_slow_telegram_does_not_hold_the_chat(signed_in: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never listed: the chat comes back within its patience. Listed: what is stored is there at once, with its time."""
    assert channel_service.PATIENCE_SECONDS < 10
    play = signed_in
    channels = play.house.channels
    channels._patience_seconds = 0.3
    await play.driver.fault("messages.getDialogs", delay_ms=1500, times=1)
    screen = await open_channels(play)
    assert "Telegram takes its time" in str(screen["text"])
    begun = time.monotonic()
    await play.admin.press("Refresh")
    assert time.monotonic() - begun < 2
    if 1 in channels._refreshing:
        await channels._refreshing[1]
    await play.admin.press("Refresh")
    screen = await play.admin.wait_for("as of \\d\\d:\\d\\d")
    assert play.private.title in screen["text"]

    await play.driver.fault("messages.getDialogs", delay_ms=5000, times=1)
    monkeypatch.setattr(channel_service, "FRESH", -channel_service.FRESH)
    begun = time.monotonic()
    screen = await open_channels(play)
    assert time.monotonic() - begun < 4
    assert play.private.title in str(screen["text"])
    assert "looking again" in str(screen["text"])


async def test_a_signed_out_account_shows_what_it_saw(signed_in: Play) -> None:
    """Listed before, it is shown still; asked now, the refusal says why."""
    play = signed_in
    await open_channels(play)
    await play.driver.revoke(play.sandbox.admin_id)
    await open_card(play)
    await play.admin.press("Check now")
    await play.admin.wait_for("signed out")
    await play.admin.press("Channels")
    screen = await play.admin.wait_for("Channels of")
    assert play.private.title in screen["text"]
    await play.admin.press("Refresh")
    await play.admin.wait_for("signed out")
