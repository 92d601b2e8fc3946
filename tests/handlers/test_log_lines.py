"""Whose doing a line of the log is, seen from the chat."""

from sandbox.scenarios import THIRD
from tests.lines import heard
from tests.play import Play


async def test_what_an_admin_does_carries_their_id(play: Play) -> None:
    """A service that knows nothing of admins logs in the middle of an update: the line names who pressed. A stranger
    has no id that the log would know; their own line says who it was."""
    await play.driver.ask_to_join(play.gate.peer, account=THIRD)
    stranger = play.stranger()
    with heard("services.retention") as lines, heard("handlers.access") as refusals:
        text = ""
        while "Forget" not in text:  # the request may not have arrived yet
            await play.admin.send(f"/forget {THIRD}")
            text = (await play.admin.wait_for(r"Forget «|knows nothing"))["text"]
        await play.admin.press("Yes, forget")
        await play.admin.wait_for("is forgotten")
        await play.actor(stranger.id).send("/start")
        while not refusals:
            await play.admin.send("/start")
            await play.admin.wait_for("Porter")
    assert [ids for message, ids in lines if message.startswith("a person was forgotten")] == [
        {"admin_id": play.sandbox.admin_id}
    ]
    assert refusals == [(f"a message of a stranger was ignored: user {stranger.id}", {})]
