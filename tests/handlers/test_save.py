"""Save a channel by forwarding a post of it or sending a link: what the card says, and what one tap does."""

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.world import Message
from storage.models import Scope, Source
from tests.play import Play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await walks.log_in(play.admin, play.account)
    return play


async def second_account(play: Play) -> None:
    """Boris signs in as well; he sees the private channel and the public one."""
    other = play.stranger()
    account = next(a for a in play.sandbox.line()["accounts"] if a["id"] == other.id)
    assert not account["password"]
    phone = Actor(play.driver, play.admin.account_id, play.admin.peer)
    await phone.send("/login")
    await phone.wait_for("Add an account")
    await phone.send(str(account["api_id"]))
    await phone.wait_for("API hash")
    await phone.send(account["api_hash"])
    await phone.wait_for("Share your own number")
    await phone.send(account["phone"])
    await phone.wait_for("Tap it here")
    code = await walks.newest_code(Actor(play.driver, other.id, play.admin.peer))
    await walks.tap_code(phone, code)
    await phone.wait_for("Signed in as")


def post_with_file(play: Play) -> Message:
    return next(m for m in play.private.messages.values() if m.document is not None and not m.deleted)


async def sources(play: Play) -> list[Source]:
    return [card.source for card in await play.house.sources.all()]


async def test_one_tap_from_a_forwarded_post_to_a_running_save(signed_in: Play) -> None:
    """The card counts what is there; the tap makes a saved channel by the defaults and starts it."""
    play = signed_in
    await play.admin.forward(play.private.peer, post_with_file(play).id)
    card = await play.admin.wait_for(r"20 posts, 8 files")
    assert card["text"].startswith("«Harbour Archive» · channel, private, 2 members")
    assert "to Local/harbour-archive · every 6 h and live" in card["text"]
    taps = play.admin.taps
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert play.admin.taps - taps == 1
    (source,) = await sources(play)
    assert (source.name, source.folder, source.scope) == ("Harbour Archive", "harbour-archive", Scope.CHANNEL)
    assert source.live
    assert source.total_files == 8
    schedule = (await play.house.sources.get(source.id)).schedule
    assert schedule is not None
    assert schedule.cron == "0 */6 * * *"


@pytest.mark.parametrize("form", ["https://t.me/{}/5", "see t.me/{}?utm_source=x !", "@{}", "tg://resolve?domain={}"])
async def test_a_link_to_a_public_channel(signed_in: Play, form: str) -> None:
    """Looked up once, verified, and saved by one tap."""
    play = signed_in
    await play.admin.send(form.format(play.public.username))
    await play.admin.wait_for(r"12,343 members\n.*posts, no files")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 60)
    (source,) = await sources(play)
    assert source.channel_id == play.public.peer
    assert await play.driver.call_count("contacts.resolveUsername") <= 1
