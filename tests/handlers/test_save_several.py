"""Several channels of an account at once: ticked in its list, looked over, made by the defaults."""

from sandbox import walks
from sandbox.scenarios import ADMIN
from sandbox.world import Channel, Membership, peer_of_channel
from tests.play import Play


def add_channel(play: Play, number: int, title: str) -> Channel:
    world = play.sandbox.world
    channel = Channel(2_300_000_000 + number, title, created=world.now())
    channel.members[ADMIN] = Membership(ADMIN, channel.created, "creator", may_invite=True)
    world.channels[channel.id] = channel
    world.post(channel, channel.peer, text="hello")
    return channel


async def test_five_at_once(play: Play) -> None:
    """Ticks survive searching and paging; names and folders are unique; what cannot be made is named."""
    for number in range(9):
        add_channel(play, number, "Night Watch" if number < 2 else f"Watch {number}")
    await play.sign_in()
    await walks.begin_source(play.admin)
    await play.admin.press("☑ Several at once")
    await play.admin.wait_for("12, 0 chosen")
    await play.admin.send("watch")
    await play.admin.wait_for("9 found")
    await play.admin.press(walks.beginning("Night Watch"))
    await play.admin.wait_for("1 chosen")
    ticks = [key["data"] for row in (await play.admin.screen())["buttons"] for key in row if key["text"][0] == "☐"]
    await play.admin.press(data=next(d for d in ticks if "2300000000" in d or "2300000001" in d))
    await play.admin.wait_for("2 chosen")
    await play.admin.press("☐ Watch 2")
    await play.admin.wait_for("3 chosen")
    await play.admin.press("✕ Show all")
    await play.admin.wait_for("3 chosen")
    await play.admin.press(walks.beginning("Harbour Archive"))
    await play.admin.wait_for("4 chosen")
    await play.admin.press("Save 4")
    review = await play.admin.wait_for("Save 4 channels, each in a folder of its own")
    assert "to Local/… · every 6 h and live" in review["text"]
    (session,) = await play.house.sessions.all()
    await play.house.saving.save(ADMIN, peer_of_channel(2_300_000_002), session.id, "UTC")  # a colleague was faster
    await play.admin.press("Save 4")
    await play.admin.wait_for("3 channels added.*\n.*«Watch 2»: This channel is saved already")
    made = sorted((card.source.name, card.source.folder) for card in await play.house.sources.all())
    assert made == [
        ("Harbour Archive", "harbour-archive"),
        ("Night Watch", "night-watch"),
        ("Night Watch 2", "night-watch-2"),
        ("Watch 2", "watch-2"),
    ]
