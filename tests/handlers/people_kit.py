"""People beside the owner, on a play: who they are, what waits for them, and what the audit says of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sandbox import walks
from sandbox.driver import Actor
from sandbox.scenarios import BOT, SECOND, THIRD
from sandbox.world import Channel, Membership
from services.audit import PAGE, AuditService
from storage.models import AuditLine, AuditOutcome, AuditVerb
from tests.play import Play, open_play

__all__ = ["SECOND", "THIRD"]


async def lines(play: Play) -> list[AuditLine]:
    """All, the newest first."""
    audits: AuditService = play.house.audits
    pages = -(-(await audits.page(0)).count // PAGE)
    return [line for page in range(pages) for line in (await audits.page(page)).lines]


async def refused(play: Play, admin_id: int) -> list[str]:
    """What that person was refused, the newest first."""
    return [
        f"{line.verb} {line.subject}"
        for line in await lines(play)
        if line.admin_id == admin_id and line.outcome is AuditOutcome.REFUSED
    ]


async def done(play: Play) -> list[AuditVerb]:
    return [line.verb for line in await lines(play) if line.outcome is AuditOutcome.DONE]


async def people_ask(play: Play, channel: Channel, count: int = 3) -> None:
    """New people wait there, and Porter knows it: it hears of them as the bot, which is made an administrator."""
    if BOT not in channel.members:
        world = play.sandbox.world
        world.set_member(channel, BOT, Membership(BOT, world.now(), "admin", may_invite=True), play.sandbox.admin_id)
    await play.driver.ask_to_join(channel.peer, count)
    for _ in range(200):
        await play.admin.send("/requests")
        screen = await play.admin.wait_for("Waiting people")
        labels = [key["text"] for row in screen["buttons"] for key in row]
        if any(channel.title[:14] in label and label[0].isdigit() for label in labels):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the requests did not come")


async def buttons_of(actor: Actor) -> set[str]:
    return set(await actor.buttons())


async def forge(actor: Actor, data: str) -> dict[str, Any]:
    """Press, on one's own newest message, a button that is not there."""
    newest = (await actor.bot_messages())[-1]
    return await actor.press_forged(newest["id"], data)


@asynccontextmanager
async def with_approver(home: Path) -> AsyncIterator[tuple[Play, Actor]]:
    """People wait at the gate and at the private channel; Boris is approver of the gate alone, and at home."""
    async with open_play(home) as play:
        boris = play.actor(SECOND)
        await people_ask(play, play.gate)
        await people_ask(play, play.private)
        await boris.send("/start")  # silence; but from now on the bot may write
        await walks.add_admin(play.admin, SECOND, "Approver", play.gate.title)
        await boris.send("/start")
        await boris.wait_for("Porter")
        yield play, boris
