"""Accounts through the chat."""

import pytest

from sandbox import walks
from tests.play import Play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await play.sign_in()
    return play


async def open_card(play: Play) -> None:
    await play.admin.send("/sessions")
    screen = await play.admin.wait_for("Accounts · 1")
    await play.admin.press(screen["buttons"][0][0]["text"])
    await play.admin.wait_for("not used yet|used by")


async def test_an_empty_list_says_what_to_do(play: Play) -> None:
    """No account yet: what it is for, and one button to add one."""
    await play.admin.send("/sessions")
    await play.admin.wait_for("None yet")
    assert "Add account" in await play.admin.buttons()


async def test_check_says_whether_it_works(signed_in: Play) -> None:
    """A working account says so; a revoked one is shown as signed out, and home says it first."""
    await open_card(signed_in)
    answer = await signed_in.admin.press("Check now")
    assert answer["answer"] == "This account works."
    await signed_in.driver.revoke(signed_in.sandbox.admin_id)
    answer = await signed_in.admin.press("Check now")
    assert "signed out" in answer["answer"]
    await signed_in.admin.press("🏠 Home")
    screen = await signed_in.admin.wait_for("is signed out")
    assert screen["text"].splitlines()[1].startswith("⚠️")


async def test_home_leads_to_a_banned_account(signed_in: Play) -> None:
    """What is wrong has its button, whatever it is."""
    await signed_in.driver.fault("users.getUsers", error="USER_DEACTIVATED_BAN", times=5)
    await open_card(signed_in)
    await signed_in.admin.press("Check now")
    await signed_in.admin.send("/start")
    await signed_in.admin.wait_for("is banned by Telegram")
    await signed_in.admin.press("⛔ Anna")
    await signed_in.admin.wait_for("⛔ banned by Telegram")


async def test_rename(signed_in: Play) -> None:
    """A new name of sensible length; nonsense is refused and asked again."""
    await open_card(signed_in)
    await signed_in.admin.press("Rename")
    await signed_in.admin.wait_for("What shall Porter call")
    await signed_in.admin.send("x" * 100)
    await signed_in.admin.wait_for("1 to 28 characters")
    await signed_in.admin.send("Work <b>")
    screen = await signed_in.admin.wait_for("not used yet")
    assert screen["text"].startswith("Work <b>")


async def test_channels_are_listed_with_what_matters(signed_in: Play) -> None:
    """Title, kind, members, private or public, and where the account may let people in."""
    await open_card(signed_in)
    await signed_in.admin.press("Channels")
    screen = await signed_in.admin.wait_for("Channels of")
    for channel in signed_in.sandbox.world.channels.values():
        assert channel.title in screen["text"]
    assert "may let people in" in screen["text"]
    assert "private" in screen["text"]
    assert f"@{signed_in.public.username}" in screen["text"]


async def test_delete_is_refused_while_a_saved_channel_uses_it(signed_in: Play) -> None:
    """The refusal names what uses it; afterwards deletion asks, signs out at Telegram, and forgets."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await open_card(signed_in)
    await signed_in.admin.press("Delete")
    screen = await signed_in.admin.wait_for("is in use and stays")
    assert f"Saved channels: «{signed_in.private.title}»" in screen["text"]
    await signed_in.admin.press(walks.beginning(signed_in.private.title))
    await signed_in.admin.wait_for("last saved")
    await signed_in.admin.press("Delete")
    await signed_in.admin.wait_for("It stops and its schedule goes")
    await signed_in.admin.press("Yes, delete")
    await signed_in.admin.wait_for("is deleted")

    await open_card(signed_in)
    await signed_in.admin.press("Delete")
    await signed_in.admin.wait_for("the login ends at Telegram as well")
    await signed_in.admin.press("Yes, sign out and delete")
    await signed_in.admin.wait_for("signed out and deleted")
    keys = [key for key in signed_in.sandbox.world.auth_keys.values() if key.user == signed_in.sandbox.admin_id]
    assert all(key.revoked for key in keys)
